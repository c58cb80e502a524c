"""Bidirectional against Keras, its properties and its refusals."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import GRU, LSTM, Bidirectional, SimpleRNN
from oracle import Case, array, assert_close, assert_same_layer

X = array(3, 5, 4)
MASK = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1]], bool)
MODES = ["concat", "sum", "mul", "ave", None]
FLAGS = [{}, {"return_sequences": True}]
STATE = [array(3, 2, seed=n) for n in range(4)]


def layer_of(cls, **kwargs):
    return cls(2, name="layer", **kwargs)


def same(wrapper_kwargs, layer_kwargs, call, name="LSTM", make=layer_of):
    """Our wrapper and Keras's wrapper, around the same layer of Keras, agree."""
    case = Case("Bidirectional", wrapper_kwargs, X, call)

    def wrap(wrapper):
        inner = getattr(keras.layers, name)
        return lambda **kwargs: wrapper(make(inner, **layer_kwargs), **kwargs)

    assert_same_layer(case, wrap(Bidirectional), wrap(keras.layers.Bidirectional))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("flags", FLAGS, ids=str)
@pytest.mark.parametrize("mask", [None, MASK], ids=["no mask", "mask"])
def test_same_as_keras(mode, flags, mask):
    same({"merge_mode": mode}, flags, {"mask": mask})


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("mode", ["concat", None])
def test_states_same_as_keras(name, mode):
    states = STATE if name == "LSTM" else STATE[:2]
    flags = {"return_state": True, "return_sequences": True}
    same({"merge_mode": mode}, flags, {"initial_state": states, "mask": MASK}, name)


def test_dropout_same_as_keras():
    flags = {"dropout": 0.4, "recurrent_dropout": 0.3, "seed": 1}
    same({}, flags, {"training": True})


@pytest.mark.parametrize("cls", [SimpleRNN, LSTM, GRU])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("flags", FLAGS, ids=str)
def test_padding_changes_nothing(cls, side, flags):
    layer = Bidirectional(cls(2, **flags))
    pad, seen = np.full((3, 2, 4), 7.0, "float32"), np.ones((3, 5), bool)
    order = 1 if side == "left" else -1
    padded = np.concatenate([pad, X][::order], axis=1)
    mask = np.concatenate([~seen[:, :2], seen][::order], axis=1)
    y = layer(padded, mask=mask)
    if flags:
        outside = y[:, :2] if side == "left" else y[:, 5:]
        assert not np.any(ops.convert_to_numpy(outside))
        y = y[:, 2:] if side == "left" else y[:, :5]
    assert_close(y, layer(X), 1e-6)


def test_a_reversed_sequence_swaps_the_directions():
    layer = Bidirectional(GRU(2, return_sequences=True))
    layer.build(X.shape)
    layer.set_weights([array(*w.shape, seed=2) for w in layer.get_weights()])
    y, reverse = layer(X), layer(X[:, ::-1])
    swapped = ops.concatenate([reverse[..., 2:], reverse[..., :2]], axis=-1)
    assert_close(ops.flip(swapped, axis=1), y, 1e-6)


def test_stateful_over_two_calls_carries_both_directions():
    layer = Bidirectional(LSTM(2, stateful=True, return_state=True))
    first = layer(X)
    again = layer(X)
    for state, variable in zip(again[1:], layer.states, strict=True):
        assert_close(state, variable, 1e-6)
    start = [ops.convert_to_numpy(s) for s in first[1:]]
    layer.reset_state()
    assert_close(layer(X, initial_state=start)[0], again[0], 1e-6)


def test_weights_are_the_start_values():
    other = Bidirectional(SimpleRNN(2))
    other(X)
    layer = Bidirectional(SimpleRNN(2), weights=other.get_weights())
    assert_close(layer(X), other(X), 1e-6)


@pytest.mark.parametrize("gru", [GRU, keras.layers.GRU], ids=["ours", "Keras's"])
def test_the_mask_goes_on_where_sequences_do(gru):
    inputs = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(9, 4, mask_zero=True)(inputs)
    x = Bidirectional(LSTM(2, return_sequences=True, return_state=True))(x)
    model = keras.Model(inputs, Bidirectional(gru(2))(x[0], initial_state=x[1:5:2]))
    tokens = np.array([[3, 1, 4, 0, 0]])
    assert_close(model(tokens), model(tokens[:, :3]), 1e-6)


def test_runs_any_layer_that_goes_backwards():
    layer = Bidirectional(
        keras.layers.ConvLSTM1D(2, 3, return_sequences=True, padding="same")
    )
    assert layer(array(2, 3, 4, 5)).shape == (2, 3, 4, 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layer": "LSTM"}, "Please initialize `Bidirectional`"),
        ({"backward_layer": "LSTM"}, "`backward_layer` needs to be"),
        ({"merge_mode": "max"}, "Invalid merge mode"),
        ({"backward_layer": LSTM(2)}, "different `go_backwards`"),
        (
            {"backward_layer": LSTM(2, go_backwards=True, return_state=True)},
            '"return_state", got "False" and "True"',
        ),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Bidirectional(**{"layer": LSTM(2), **arguments})


def test_reset_state_needs_a_stateful_layer():
    with pytest.raises(AttributeError, match="must be stateful"):
        Bidirectional(LSTM(2)).reset_state()
