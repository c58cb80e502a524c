"""Classic mistakes in the recurrent layers beside LSTM and GRU: each must be found."""

import keras
import numpy as np
import pytest
from keras import ops

from mutation import mutated
from oracle import Case, array, assert_close, assert_same_layer
from recurrent_formulas import loop_of_min_rnn, nas, with_weights

pytestmark = pytest.mark.one_backend  # the mistakes are in the formulas
X = array(3, 5, 4)
PACKAGE = "custom_layers.layers.recurrent"


def is_the_paper(cls):
    layer = cls(3)
    weights = with_weights(layer, X)
    assert_close(layer(X), loop_of_min_rnn(cls.__name__, X, weights), 1e-5)


def joins_steps(scan):
    """It is the loop over the steps, and so are its gradients."""
    import tensorflow as tf

    inputs = [array(2, 7, 3), array(2, 7, 3, seed=1), array(2, 3, seed=2)]
    inputs = [tf.constant(x) for x in inputs]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        a, b, h = inputs
        hs = scan(a, b, h)
        loop = []
        for t in range(7):
            h = a[:, t] * h + b[:, t]
            loop.append(h)
        loop = tf.stack(loop, axis=1)
        losses = [tf.reduce_sum(y**3) for y in (hs, loop)]
    assert_close(hs, loop, 1e-5)
    pairs = zip(*(tape.gradient(loss, inputs) for loss in losses))
    for actual, desired in pairs:
        assert_close(actual, desired, 1e-4)


def is_kerass_conv_lstm(cls):
    images = array(3, 2, 4, 5, 2)
    plain = {"filters": 2, "kernel_size": 2, "padding": "same"}
    for options in ({"dilation_rate": 2}, {"dropout": 0.5, "seed": 1}):
        case = Case("ConvLSTM2D", plain | options, images, {"training": True})
        assert_same_layer(case, ours=cls)


def is_nas(cls):
    layer = keras.layers.RNN(cls(3, use_bias=True))
    weights = with_weights(layer, X)
    assert_close(layer(X), nas(X, weights), 1e-5)


def is_a_reservoir(cls):
    cell = cls(60, 0.2, spectral_radius=0.8, leaky=0.25, activation=None, seed=1)
    cell.build((None, 4))
    W, U, _ = (ops.convert_to_numpy(w).astype("float64") for w in cell.weights[:3])
    radius = np.abs(np.linalg.eigvals(U)).max()
    assert abs(radius - 0.8) < 1e-3
    assert abs(np.mean(U != 0) - 0.2) < 0.05
    assert not cell.trainable_weights
    h = array(3, 60, seed=1)
    y, _ = cell(X[:, 0], [ops.convert_to_tensor(h)])
    assert_close(y, 0.75 * h + 0.25 * (X[:, 0] @ W + h @ U), 1e-4)


def is_normalized(cls):
    cell = cls(3, epsilon=0.01)
    cell.build((None, 4))
    W, U, b, gamma = with_weights(cell, None)
    h = array(3, 3, seed=1)
    y, _ = cell(X[:, 0], [ops.convert_to_tensor(h)])
    v = X[:, 0] @ W + h @ U
    centred = v - v.mean(-1, keepdims=True)
    normal = gamma * centred / np.sqrt(v.var(-1, keepdims=True) + 0.01)
    assert_close(y, np.tanh(normal + b), 1e-5)


def is_kerass_stack(cls):
    def stack(container):
        cells = [
            keras.layers.GRUCell(4, dropout=0.5, seed=n, name=f"cell_{n}")
            for n in (1, 2)
        ]
        return keras.layers.RNN(container(cells, name="cells"))

    case = Case("StackedRNNCells", {}, X, {"training": True})
    theirs = keras.layers.StackedRNNCells
    assert_same_layer(case, lambda: stack(cls), lambda: stack(theirs))


def is_kerass_time_distributed(cls):
    def wrapped(wrapper):
        return wrapper(keras.layers.GRU(3, name="one"))

    case = Case("TimeDistributed", {}, array(2, 3, 4, 2))
    theirs = keras.layers.TimeDistributed
    assert_same_layer(case, lambda: wrapped(cls), lambda: wrapped(theirs))
    mask = np.array([[[True, True, False, False]] * 3] * 2)
    mask[0, 0] = False
    found = wrapped(cls).compute_mask(array(2, 3, 4, 2), mask)
    assert np.array_equal(found, mask.any(-1))


CHECKS = {
    "_scan": (PACKAGE, ["scan"], joins_steps),
    "MinGRU": (PACKAGE, ["scan", "min_gru"], is_the_paper),
    "MinLSTM": (PACKAGE, ["scan", "min_lstm"], is_the_paper),
    "ConvLSTM2D": (PACKAGE, ["conv_lstm"], is_kerass_conv_lstm),
    "NASCell": (PACKAGE, ["nas"], is_nas),
    "ESNCell": (PACKAGE, ["esn"], is_a_reservoir),
    "LayerNormSimpleRNNCell": (
        PACKAGE,
        ["layer_norm_lstm", "layer_norm_simple_rnn"],
        is_normalized,
    ),
    "StackedRNNCells": (PACKAGE, ["stacked_rnn_cells"], is_kerass_stack),
    "TimeDistributed": (
        "custom_layers.layers",
        ["time_distributed"],
        is_kerass_time_distributed,
    ),
}
MUTANTS = {  # the mistake: (class, old text, new text)
    "scan: blocks forget what was before them": (
        "_scan",
        "A[-1][:, k] * starts[-1] + B[-1][:, k]",
        "B[-1][:, k]",
    ),
    "scan: only the last step reaches back": (
        "_scan",
        "A.append(a[:, :, c] * A[-1])",
        "A.append(a[:, :, c])",
    ),
    "scan: filled up at its beginning": (
        "_scan",
        "(0, K * C - steps)",
        "(K * C - steps, 0)",
    ),
    "scan: gradients decay by the a of their own step": (
        "_scan",
        "[a_[:, 1:], ops.zeros_like(a_[:, :1])]",
        "[a_]",
    ),
    "scan: d_a from the h after the step": (
        "_scan",
        "return g * before,",
        "return g * after,",
    ),
    "scan: the first state has no gradient": (
        "_scan",
        "a_[:, 0] * g[:, 0]",
        "0 * g[:, 0]",
    ),
    "minGRU: z and 1 - z exchanged": (
        "MinGRU",
        "return 1 - z, z * n",
        "return z, (1 - z) * n",
    ),
    "minGRU: new content without its gate": (
        "MinGRU",
        "return 1 - z, z * n",
        "return 1 - z, n",
    ),
    "minLSTM: gates that do not sum to 1": (
        "MinLSTM",
        "ops.sigmoid(ops.softplus(-i) - ops.softplus(-f))",
        "ops.sigmoid(f)",
    ),
    "minLSTM: f and i exchanged": ("MinLSTM", "f, i, n = ops", "i, f, n = ops"),
    "ConvLSTM: no dilation": (
        "ConvLSTM2D",
        "            dilation_rate=self.dilation_rate,\n        )\n        z =",
        "        )\n        z =",
    ),
    "ConvLSTM: one dropout mask for all gates": (
        "ConvLSTM2D",
        "pairs = zip(masks, kernels)",
        "pairs = zip([masks[0]] * 4, kernels)",
    ),
    "ConvLSTM: no bias": (
        "ConvLSTM2D",
        "return z if b is None else z + b",
        "return z",
    ),
    "NASCell: a sum in place of the product": ("NASCell", "u[3] * v[3]", "u[3] + v[3]"),
    "NASCell: the carry joined after its gate": (
        "NASCell",
        "c = tanh(l_0 + c_tm1) * l_1",
        "c = tanh(l_0) * l_1 + c_tm1",
    ),
    "NASCell: sigmoid for relu": (
        "NASCell",
        "relu(u[1] + v[1])",
        "sigmoid(u[1] + v[1])",
    ),
    "ESNCell: radius of the largest entry": (
        "ESNCell",
        "np.abs(np.linalg.eigvals(M)).max()",
        "np.abs(M).max()",
    ),
    "ESNCell: connections counted from the other end": (
        "ESNCell",
        "< self.connectivity",
        "> self.connectivity",
    ),
    "ESNCell: leak exchanged": (
        "ESNCell",
        "h = (1 - self.leaky) * h_tm1 + self.leaky *",
        "h = self.leaky * h_tm1 + (1 - self.leaky) *",
    ),
    "ESNCell: trained": ("ESNCell", "trains_weights = False", "trains_weights = True"),
    "LayerNormSimpleRNNCell: bias normalized too": (
        "LayerNormSimpleRNNCell",
        "z = _normalized(v, self.gamma, self.epsilon)",
        "z = _normalized(v + b, self.gamma, self.epsilon)",
    ),
    "LayerNormSimpleRNNCell: only x W normalized": (
        "LayerNormSimpleRNNCell",
        "z = _normalized(v, self.gamma, self.epsilon)",
        "z = _normalized(v - h_tm1, self.gamma, self.epsilon) + h_tm1",
    ),
    "StackedRNNCells: every cell reads the input": (
        "StackedRNNCells",
        "x, new = run(x, list",
        "x, new = run(inputs, list",
    ),
    "StackedRNNCells: no dropout": (
        "StackedRNNCells",
        '{"training": training} if',
        '{"training": False} if',
    ),
    "TimeDistributed: batch and time exchanged": (
        "TimeDistributed",
        "ops.reshape(y, (*ops.shape(inputs)[:2],",
        "ops.reshape(y, (*ops.shape(inputs)[1::-1],",
    ),
    "TimeDistributed: a step needs all its places": (
        "TimeDistributed",
        "ops.any(mask",
        "ops.all(mask",
    ),
}


@pytest.mark.parametrize("name", CHECKS)
def test_unchanged_source_passes(name):
    package, files, check = CHECKS[name]
    check(mutated(name, package, files))


@pytest.mark.parametrize("mistake", MUTANTS)
def test_mistake_is_found(mistake):
    name, old, new = MUTANTS[mistake]
    package, files, check = CHECKS[name]
    cls = mutated(name, package, files, old, new)
    with pytest.raises(AssertionError):
        check(cls)
