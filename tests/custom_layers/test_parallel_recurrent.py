"""minGRU and minLSTM, all steps at once: against their loops and the paper's scan."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import MinGRU, MinGRUCell, MinLSTM, MinLSTMCell
from oracle import Case, array, assert_close, assert_same_layer
from recurrent_formulas import loop_of_min_rnn, scan_of_logarithms, with_weights

X = array(3, 5, 4)
RAGGED = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1]], bool)
EMPTY = np.array([[0, 0, 0, 0, 0], [1, 1, 0, 0, 0], [0, 1, 0, 1, 0]], bool)
STATE = [array(3, 2, seed=4)]

CELLS = {MinGRU: MinGRUCell, MinLSTM: MinLSTMCell}
NAMES = {MinGRU: "min_gru_cell", MinLSTM: "min_lstm_cell"}
both = pytest.mark.parametrize("cls", CELLS)
CASES = [
    ({}, {}),
    ({"return_sequences": True, "return_state": True}, {}),
    ({"go_backwards": True, "return_sequences": True}, {}),
    ({"use_bias": False, "activation": "tanh"}, {}),
    ({"return_sequences": True, "return_state": True}, {"mask": RAGGED}),
    ({"return_sequences": True, "return_state": True}, {"mask": EMPTY}),
    ({"return_sequences": True, "zero_output_for_mask": True}, {"mask": RAGGED}),
    ({"go_backwards": True, "return_state": True}, {"mask": RAGGED}),
    ({"return_sequences": True}, {"initial_state": STATE}),
    ({"return_state": True}, {"initial_state": STATE, "mask": RAGGED}),
    ({"dropout": 0.5, "seed": 1, "return_sequences": True}, {"training": True}),
    ({"dropout": 0.5, "seed": 1}, {"training": False}),
]
OF_LAYER = ("return_sequences", "return_state", "go_backwards", "zero_output_for_mask")


@both
@pytest.mark.parametrize(("options", "call"), CASES)
def test_all_steps_at_once_are_the_loop_over_the_steps(cls, options, call):
    """Outputs and gradients are those of the cell in Keras's loop."""
    of_layer = {k: v for k, v in options.items() if k in OF_LAYER}
    of_cell = {k: v for k, v in options.items() if k not in OF_LAYER}

    def loop():
        cell = CELLS[cls](2, **of_cell, name=NAMES[cls])
        return keras.layers.RNN(cell, **of_layer)

    case = Case(cls.__name__, {}, X, call)
    assert_same_layer(case, lambda: cls(2, **options), loop)


def positive(v):
    return ops.where(v >= 0, v + 0.5, ops.sigmoid(v))


@both
def test_it_is_the_papers_formula(cls):
    layer = cls(3)
    weights = with_weights(layer, X)
    assert_close(layer(X), loop_of_min_rnn(cls.__name__, X, weights), 1e-5)


@both
@pytest.mark.parametrize("steps", [1, 2, 7, 8, 9, 200])
def test_it_is_the_papers_scan_of_logarithms(cls, steps):
    x = array(2, steps, 4)
    layer = cls(3, activation=positive, return_sequences=True)
    weights = with_weights(layer, x)
    desired = scan_of_logarithms(cls.__name__, x.astype("float64"), weights)
    assert_close(layer(x), desired, 1e-5)


@both
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_a_long_sequence_with_closed_gates_stays_finite(cls, policy):
    """f and i near 0 would make 0 / 0 of f / (f + i) in half precision."""
    layer = cls(3, dtype=policy)
    x = 30 * array(2, 500, 4)
    with_weights(layer, x)
    y = ops.convert_to_numpy(layer(x))
    assert np.all(np.isfinite(y))
    assert np.abs(y).max() > 0


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="it traces")
@both
def test_a_length_that_tensorflow_does_not_know_yet(cls):
    import tensorflow as tf

    layer = cls(2, return_sequences=True)
    desired = layer(X)
    traced = tf.function(layer, input_signature=[tf.TensorSpec((None, None, 4))])
    assert_close(traced(X), desired, 1e-6)


@both
def test_arguments_are_checked(cls):
    for one in (cls, CELLS[cls]):
        with pytest.raises(ValueError, match="`units` must be a positive integer"):
            one(0)
    with pytest.raises(ValueError, match="at least one step"):
        cls(2)(X[:, :0])
