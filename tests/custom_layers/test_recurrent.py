"""The recurrent cells and layers against Keras and worked numbers; properties."""

import functools
import inspect

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    GRU,
    LSTM,
    GRUCell,
    LayerNormLSTMCell,
    LayerNormSimpleRNNCell,
    LSTMCell,
    MinGRU,
    MinLSTM,
    NASCell,
    PeepholeLSTMCell,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
    TimeDistributed,
)
from oracle import Case, array, assert_close, assert_same_layer

X = array(3, 5, 4)
RAGGED = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1]], bool)
EMPTY = np.array([[0, 0, 0, 0, 0], [1, 1, 0, 0, 0], [0, 1, 0, 1, 0]], bool)
STATE = {1: [array(3, 2, seed=4)], 2: [array(3, 2, seed=4), array(3, 2, seed=5)]}
ONES = {"kernel_initializer": "ones", "recurrent_initializer": "ones"}
FLAGS = [
    ({}, {}),
    ({"return_sequences": True, "return_state": True}, {}),
    ({"go_backwards": True, "return_sequences": True}, {}),
    ({"use_bias": False, "activation": "relu"}, {}),
    ({"activation": None, "stateful": True, "return_state": True, **ONES}, {}),
    ({"unroll": True, "return_sequences": True}, {"mask": RAGGED}),
    ({"return_sequences": True, "return_state": True}, {"mask": RAGGED}),
    ({"return_sequences": True, "return_state": True}, {"mask": EMPTY}),
    ({"return_sequences": True, "zero_output_for_mask": True}, {"mask": RAGGED}),
    ({"go_backwards": True, "return_state": True}, {"mask": RAGGED}),
    ({"return_sequences": True, "return_state": True}, {"initial_state": True}),
    (
        {"return_sequences": True, "return_state": True},
        {"initial_state": True, "mask": EMPTY},
    ),
    ({"go_backwards": True, "stateful": True}, {"initial_state": True}),
    ({"dropout": 0.5, "seed": 1, "return_sequences": True}, {"training": True}),
    ({"recurrent_dropout": 0.5, "seed": 1}, {"training": True}),
    ({"dropout": 0.4, "recurrent_dropout": 0.3, "seed": 1}, {"training": True}),
    ({"dropout": 0.4, "recurrent_dropout": 0.3, "seed": 1}, {"training": False}),
    ({"kernel_regularizer": "l2", "recurrent_regularizer": "l1"}, {}),
]
GATED = [
    ({"recurrent_activation": "hard_sigmoid"}, {}),
    ({"recurrent_activation": None, "activation": "softsign"}, {}),
    (
        {"dropout": 0.5, "seed": 1, "implementation": 1, "use_cudnn": False},
        {"training": True},
    ),
    ({"bias_regularizer": "l2", "activity_regularizer": "l2"}, {}),
]
GRU_ONLY = [
    ({"reset_after": False, **kwargs}, call)
    for kwargs, call in [*FLAGS[:4], FLAGS[6], *FLAGS[12:16]]
]
LSTM_ONLY = [({"unit_forget_bias": False, "bias_initializer": "ones"}, {})]


def cases():
    for name, states, rows in [
        ("SimpleRNN", 1, FLAGS),
        ("LSTM", 2, FLAGS + GATED + LSTM_ONLY),
        ("GRU", 1, FLAGS + GATED + GRU_ONLY),
    ]:
        for kwargs, call in rows:
            if "initial_state" in call:
                call = {**call, "initial_state": STATE[states]}
            yield Case(name, {"units": 2, **kwargs}, X, call)
        yield Case(name, {"units": 1}, array(1, 1, 1))
        yield Case(name, {"units": 20, "return_sequences": True}, array(2, 3, 33))


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_same_as_keras(case):
    theirs = getattr(keras.layers, case.name)
    is_gated = case.name in ("LSTM", "GRU")
    if is_gated and case.kwargs.get("stateful"):
        # On torch, Keras's fast path for these overwrites a state that the gradient
        # needs, and raises an error. Its plain path does not.
        theirs = functools.partial(theirs, use_cudnn=False)
    assert_same_layer(case, theirs=theirs)


@pytest.mark.parametrize("cells", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("training", [False, True])
def test_stacked_cells_same_as_keras(cells, training):
    ours = {"SimpleRNN": SimpleRNNCell, "LSTM": LSTMCell, "GRU": GRUCell}[cells]
    theirs = getattr(keras.layers, f"{cells}Cell")

    def stack(cell, cells):
        kwargs = {"dropout": 0.3, "recurrent_dropout": 0.2}
        pair = [cell(n, **kwargs, seed=n, name=f"cell_{n}") for n in (3, 2)]
        cells = cells(pair, name="cells")
        return keras.layers.RNN(cells, return_sequences=True, return_state=True)

    case = Case(cells, {}, X, {"mask": RAGGED, "training": training})
    wanted = keras.layers.StackedRNNCells
    assert_same_layer(
        case, lambda: stack(ours, StackedRNNCells), lambda: stack(theirs, wanted)
    )


def test_time_distributed_runs_a_layer_on_each_sequence_of_a_longer_one():
    x = array(2, 3, 5, 4)
    layer = LSTM(2)
    for wrapper in (TimeDistributed, keras.layers.TimeDistributed):
        y = wrapper(layer)(x)
        for t in range(3):
            assert_close(y[:, t], layer(x[:, t]), 1e-6)


def test_two_steps_of_an_lstm_worked_by_hand():
    """Aidan Gomez, "Backpropagating an LSTM: a numerical example", 2016."""
    a, i, f, o = (
        ((0.45, 0.25), 0.15, 0.2),
        ((0.95, 0.8), 0.8, 0.65),
        ((0.7, 0.45), 0.1, 0.15),
        ((0.6, 0.4), 0.25, 0.1),
    )
    order = (i, f, a, o)
    layer = LSTM(1, return_sequences=True, return_state=True)
    layer.build((1, 2, 2))
    layer.set_weights(
        [
            np.array([w for w, _, _ in order]).T,
            np.array([[u for _, u, _ in order]]),
            np.array([b for _, _, b in order]),
        ]
    )
    y, h, c = layer(np.array([[[1.0, 2.0], [0.5, 3.0]]]))
    assert_close(ops.ravel(y), [0.5363133978820118, 0.7719811057588907], 1e-6)
    assert_close(ops.ravel(h), [0.7719811057588907], 1e-6)
    assert_close(ops.ravel(c), [1.5176330976694041], 1e-6)


LAYERS = {
    "SimpleRNN": lambda **k: SimpleRNN(3, **k),
    "LSTM": lambda **k: LSTM(3, **k),
    "GRU": lambda **k: GRU(3, **k),
    "GRU before": lambda **k: GRU(3, reset_after=False, **k),
    "LayerNormLSTM": lambda **k: keras.layers.RNN(LayerNormLSTMCell(3), **k),
    "PeepholeLSTM": lambda **k: keras.layers.RNN(PeepholeLSTMCell(3), **k),
    "LayerNormSimpleRNN": lambda **k: keras.layers.RNN(LayerNormSimpleRNNCell(3), **k),
    "NAS": lambda **k: keras.layers.RNN(NASCell(3), **k),
    "MinGRU": lambda **k: MinGRU(3, **k),
    "MinLSTM": lambda **k: MinLSTM(3, **k),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)


def with_same_weights(*layers):
    for layer in layers:
        layer.build((2, 4, 4))
        layer.set_weights([array(*w.shape, seed=2) for w in layer.get_weights()])
    return layers


@every_layer
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_padding_changes_nothing(make, side, go_backwards):
    (layer,) = with_same_weights(make(go_backwards=go_backwards, return_state=True))
    x = array(2, 4, 4)
    pad, seen = np.full((2, 3, 4), 7.0, "float32"), np.ones((2, 4), bool)
    parts, masks = (pad, x), (~np.ones((2, 3), bool), seen)
    order = 1 if side == "left" else -1
    padded = np.concatenate(parts[::order], axis=1)
    mask = np.concatenate(masks[::order], axis=1)
    for actual, desired in zip(layer(padded, mask=mask), layer(x)):
        assert_close(actual, desired, 1e-6)


@every_layer
def test_stateful_over_two_halves_is_one_run(make):
    whole, halves = with_same_weights(
        make(return_sequences=True), make(return_sequences=True)
    )
    halves = type(halves).from_config({**halves.get_config(), "stateful": True})
    x = array(2, 6, 4)
    halves(x[:, :3])
    halves.set_weights(
        [*whole.get_weights(), *halves.get_weights()[len(whole.weights) :]]
    )
    halves.reset_state()
    parts = [halves(x[:, :3]), halves(x[:, 3:])]
    assert_close(ops.concatenate(parts, axis=1), whole(x), 1e-6)


@every_layer
def test_sequences_of_a_batch_do_not_see_each_other(make):
    (layer,) = with_same_weights(make())
    x, order = array(5, 4, 4), [3, 0, 4, 1, 2]
    assert_close(layer(x[order]), ops.convert_to_numpy(layer(x))[order], 1e-6)


@every_layer
def test_later_steps_change_no_earlier_output(make):
    (layer,) = with_same_weights(make(return_sequences=True))
    x = array(2, 6, 4)
    changed = np.concatenate([x[:, :3], x[:, 3:] + 1], axis=1)
    y, before = (ops.convert_to_numpy(layer(a)) for a in (changed, x))
    assert_close(y[:, :3], before[:, :3], 1e-6)
    assert not np.allclose(y[:, 3:], before[:, 3:], atol=1e-3)


@every_layer
def test_a_fully_masked_sequence_returns_zeros(make):
    (layer,) = with_same_weights(make())
    y = layer(array(2, 4, 4), mask=np.array([[False] * 4, [True] * 4]))
    assert not np.any(ops.convert_to_numpy(y)[0])
    assert bool(ops.all(ops.isfinite(y)))


@pytest.mark.parametrize("reset_after", [True, False])
def test_a_gru_with_closed_reset_and_open_update_forgets_everything(reset_after):
    """r = 0 and z = 0: h = tanh(x W + b), without any memory."""
    layer = GRU(3, reset_after=reset_after)
    layer.build((2, 4, 4))
    kernel, recurrent, bias = (array(*w.shape, seed=2) for w in layer.get_weights())
    kernel[:, :6] = recurrent[:, :6] = bias[..., :6] = 0
    row = bias[0] if reset_after else bias
    row[:6] = -1e4
    layer.set_weights([kernel, recurrent, bias])
    x = array(2, 4, 4)
    assert_close(layer(x), np.tanh(x[:, -1] @ kernel[:, 6:] + row[6:]), 1e-5)


@pytest.mark.parametrize("reset_after", [True, False])
def test_a_gru_with_open_reset_and_no_update_is_a_plain_rnn(reset_after):
    """r = 1 and z = 0: h = tanh(x W + h_tm1 U + b)."""
    layer, plain = GRU(3, reset_after=reset_after), SimpleRNN(3)
    layer.build((2, 4, 4))
    kernel, recurrent, bias = (array(*w.shape, seed=2) for w in layer.get_weights())
    kernel[:, :6] = recurrent[:, :6] = bias[..., :6] = 0
    row = bias[0] if reset_after else bias
    row[:3], row[3:6] = -1e4, 1e4
    layer.set_weights([kernel, recurrent, bias])
    plain.build((2, 4, 4))
    b = bias[..., 6:].sum(axis=0) if reset_after else bias[6:]
    plain.set_weights([kernel[:, 6:], recurrent[:, 6:], b])
    x = array(2, 4, 4)
    assert_close(layer(x), plain(x), 1e-5)


def test_an_lstm_that_keeps_and_never_writes_carries_its_state_unchanged():
    layer = LSTM(3, return_state=True)
    layer.build((2, 9, 4))
    bias = np.zeros(12, "float32")
    bias[:3], bias[3:6] = -1e4, 1e4
    layer.set_weights([0 * w for w in layer.get_weights()[:2]] + [bias])
    state = [array(2, 3, seed=n) for n in (1, 2)]
    _, _, c = layer(array(2, 9, 4), initial_state=state)
    assert_close(c, state[1], 1e-6)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_in_numpy(x, weights, *, norm=False, peephole=None, epsilon=1e-3):
    """The variants of the LSTM, as in their papers, one sequence after the other."""
    W, U, b, *more = weights

    def N(v, gain):
        return gain * (v - v.mean()) / np.sqrt(v.var() + epsilon) if norm else v

    gain_x, gain_h, gain_c, shift_c = more if norm else (1, 1, 1, 0)
    p_i, p_f, p_o = more[0] if peephole else (0, 0, 0)
    n, finals = U.shape[0], []
    for sequence in x:
        h, c = np.zeros(n), np.zeros(n)
        for x_t in sequence:
            z = N(x_t @ W, gain_x) + N(h @ U, gain_h) + b
            i, f, g, o = z[:n], z[n : 2 * n], z[2 * n : 3 * n], z[3 * n :]
            c, before = None, c
            c = sigmoid(f + p_f * before) * before
            c = c + sigmoid(i + p_i * before) * np.tanh(g)
            h = sigmoid(o + p_o * c) * np.tanh(N(c, gain_c) + shift_c)
        finals.append(h)
    return np.array(finals)


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        (LayerNormLSTMCell(3, epsilon=0.01), {"norm": True, "epsilon": 0.01}),
        (PeepholeLSTMCell(3), {"peephole": True}),
    ],
    ids=["LayerNorm", "Peephole"],
)
def test_variants_of_the_lstm_are_the_papers_formula(cell, options):
    layer = keras.layers.RNN(cell)
    layer(X)
    weights = [array(*w.shape, seed=9) for w in layer.get_weights()]
    layer.set_weights(weights)
    assert_close(layer(X), lstm_in_numpy(X, weights, **options), 1e-5)


def test_layer_norm_keeps_its_statistics_under_a_large_mean_in_float16():
    layer = keras.layers.RNN(LayerNormLSTMCell(3, dtype="mixed_float16"))
    layer(X)
    weights = [array(*w.shape, seed=9) for w in layer.get_weights()]
    weights[0][:, :] += 100
    layer.set_weights(weights)
    desired = lstm_in_numpy(X, weights, norm=True)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(X)), desired, atol=0.05)


@pytest.mark.parametrize("cls", [SimpleRNN, LSTM, GRU])
def test_the_mask_counts_with_an_initial_state_too(cls):
    tokens = np.array([[3, 1, 2, 0, 0], [4, 0, 0, 0, 0]])
    embedding = keras.layers.Embedding(5, 4, mask_zero=True)
    layer = cls(2)
    state = STATE[2 if cls is LSTM else 1]
    state = [s[:2] for s in state]
    y = layer(embedding(tokens), initial_state=state)
    desired = layer(embedding(tokens[:1, :3]), initial_state=[s[:1] for s in state])
    assert_close(y[:1], desired, 1e-6)


@pytest.mark.parametrize("cls", [SimpleRNN, LSTM, GRU])
def test_dropout_drops_the_same_inputs_in_every_step(cls):
    """All steps of x are equal: with one mask for all of them they stay equal."""
    layer = cls(3, dropout=0.5, recurrent_initializer="zeros", return_sequences=True)
    x = np.ones((8, 5, 6), "float32")
    y = ops.convert_to_numpy(layer(x, training=True))
    if cls is SimpleRNN:
        assert_close(y, np.repeat(y[:, :1], 5, axis=1), 1e-6)
    again = ops.convert_to_numpy(layer(x, training=True))
    assert not np.allclose(y, again)
    assert not np.allclose(y[0], y[1]), "sequences have noise of their own"
    assert_close(layer(x), layer(x), 1e-6)


def test_simple_rnn_applies_its_activity_regularizer_and_keeps_its_seed():
    layer = SimpleRNN(2, activity_regularizer="l1", seed=7)
    y = layer(X)
    (loss,) = layer.losses
    assert_close(loss, 0.01 * np.abs(ops.convert_to_numpy(y)).sum() / len(X), 1e-5)
    assert layer.get_config()["seed"] == 7


@pytest.mark.parametrize(
    "cls", [SimpleRNNCell, LSTMCell, GRUCell, SimpleRNN, LSTM, GRU]
)
def test_signature_and_configuration_are_those_of_keras(cls):
    theirs = getattr(keras.layers, cls.__name__)
    ours, wanted = (inspect.signature(c.__init__).parameters for c in (cls, theirs))
    untyped = [p.replace(annotation=inspect.Parameter.empty) for p in ours.values()]
    assert [*map(str, untyped)] == [*map(str, wanted.values())]
    more = {"seed"} if cls is SimpleRNN else set()
    assert {*cls(2).get_config()} == {*theirs(2).get_config()} | more


@pytest.mark.parametrize(
    "cls", [SimpleRNNCell, LSTMCell, GRUCell, SimpleRNN, LSTM, GRU]
)
@pytest.mark.parametrize("units", [0, -1, 2.5, "3", None])
def test_refuses_units_that_are_not_a_positive_integer(cls, units):
    with pytest.raises(ValueError, match="`units` must be a positive integer"):
        cls(units)


@pytest.mark.parametrize("cls", [LSTM, GRU])
def test_use_cudnn_is_one_of_three(cls):
    assert cls(2, use_cudnn="auto")(X).shape == (3, 2)
    with pytest.raises(ValueError, match="`use_cudnn`"):
        cls(2, use_cudnn="never")


def test_refuses_arguments_it_does_not_know():
    with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
        LSTM(2, dropuot=0.1)
    with pytest.raises(ValueError, match="expected ndim=3"):
        LSTM(2)(np.ones((2, 3), "float32"))
