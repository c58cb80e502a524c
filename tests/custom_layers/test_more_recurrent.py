"""Recurrent cells that Keras lacks, and wrappers: papers, Addons' numbers, Keras."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    ESN,
    ESNCell,
    GRUCell,
    LayerNormSimpleRNNCell,
    LSTMCell,
    NASCell,
    StackedRNNCells,
    TimeDistributed,
)
from custom_layers.layers.recurrent.cell import _Cell
from oracle import Case, array, assert_close, assert_same_layer
from recurrent_formulas import nas, with_weights

X = array(3, 5, 4)
RAGGED = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1]], bool)
HALF = keras.initializers.Constant(0.5)
ROWS = np.array([[1.0] * 4, [2.0] * 4, [3.0] * 4], "float32")


def subclasses(cls):
    for one in cls.__subclasses__():
        yield one
        yield from subclasses(one)


def test_a_cell_with_a_step_of_its_own_has_no_fused_formula_of_another():
    """Else a layer that runs it would compute the step of its base class in `fit`."""
    own = ("call", "_sum")
    for cls in subclasses(_Cell):
        if any(name in vars(cls) for name in own) and "custom" in cls.__module__:
            has_one = _Cell.fused_formula is not cls.fused_formula
            assert not has_one or "fused_formula" in vars(cls), cls
    assert LayerNormSimpleRNNCell(2).fused_formula is None


# NASCell


@pytest.mark.parametrize("projection", [None, 2])
def test_nas_cell_is_the_papers_formula(projection):
    layer = keras.layers.RNN(NASCell(3, projection, use_bias=True))
    weights = with_weights(layer, X)
    assert_close(layer(X), nas(X, weights), 1e-5)


@pytest.mark.parametrize(
    ("projection", "outputs", "carries"),
    [
        (None, [0.576751, 0.618936, 0.627393], [0.7157977, 0.7804162, 0.7945764]),
        (5, [1.697418, 1.840037, 1.873985], [0.69855207, 0.77073824, 0.78973997]),
    ],
)
def test_nas_cell_has_the_numbers_of_addons(projection, outputs, carries):
    cell = NASCell(
        6,
        projection,
        kernel_initializer=HALF,
        recurrent_initializer=HALF,
        projection_initializer=HALF,
    )
    h, c = (ops.full((3, n), 0.1) for n in (projection or 6, 6))
    y, [h, c] = cell(ROWS, [h, c])
    assert_close(y, np.repeat(np.array(outputs)[:, None], projection or 6, 1), 2e-6)
    assert_close(h, y)
    assert_close(c, np.repeat(np.array(carries)[:, None], 6, 1), 2e-6)


@pytest.mark.parametrize("projection", [0, 2.5, -1])
def test_nas_cell_checks_its_projection(projection):
    with pytest.raises(ValueError, match="`projection` must be a positive integer"):
        NASCell(3, projection)


# ESN


def test_esn_cell_has_the_numbers_of_addons():
    cell = ESNCell(
        3,
        connectivity=1,
        use_norm2=True,
        activation=None,
        kernel_initializer=HALF,
        recurrent_initializer=HALF,
        bias_initializer=HALF,
    )
    y, [h] = cell(ROWS, [ops.full((3, 3), 0.3)])
    assert_close(y, np.repeat([[2.77], [4.77], [6.77]], 3, 1), 1e-6)
    assert_close(h, y)


def test_esn_leaks_as_in_the_formula():
    layer = ESN(3, leaky=0.25, return_sequences=True)
    W, U, b = with_weights(layer, X)
    h, desired = np.zeros((3, 3)), []
    for t in range(X.shape[1]):
        h = 0.75 * h + 0.25 * np.tanh(X[:, t] @ W + h @ U + b)
        desired.append(h)
    assert_close(layer(X), np.stack(desired, axis=1), 1e-5)


@pytest.mark.parametrize("use_norm2", [False, True])
@pytest.mark.parametrize("connectivity", [0.2, 1.0])
def test_esn_has_its_radius_and_its_share_of_connections(use_norm2, connectivity):
    cell = ESNCell(60, connectivity, 1.0, 0.8, use_norm2, seed=1)
    cell.build((None, 3))
    U = ops.convert_to_numpy(cell.recurrent_kernel).astype("float64")
    radius = np.abs(np.linalg.eigvals(U)).max()
    size = np.linalg.norm(U, 2) if use_norm2 else radius
    np.testing.assert_allclose(size, 0.8, rtol=1e-4)
    assert 0.3 < radius < 0.8001
    np.testing.assert_allclose(np.mean(U != 0), connectivity, atol=0.05)
    assert not cell.trainable_weights
    cell.trainable = True  # a reservoir stays as it is
    assert not cell.trainable_weights


def test_esn_without_connections_and_with_a_seed():
    cell = ESNCell(3, connectivity=0.0)
    cell.build((None, 2))
    assert not np.any(ops.convert_to_numpy(cell.recurrent_kernel))
    pair = [ESNCell(9, seed=3, recurrent_initializer="ones") for _ in range(2)]
    for cell in pair:
        cell.build((None, 2))
    assert_close(pair[0].recurrent_kernel, pair[1].recurrent_kernel)


@pytest.mark.parametrize(
    "options", [{"connectivity": 1.5}, {"leaky": -0.1}, {"spectral_radius": -1}]
)
def test_esn_checks_its_arguments(options):
    for cls in (ESN, ESNCell):
        with pytest.raises(ValueError, match=f"`{next(iter(options))}` argument must"):
            cls(3, **options)


# LayerNormSimpleRNNCell


def test_layer_norm_simple_rnn_is_the_papers_formula():
    layer = keras.layers.RNN(LayerNormSimpleRNNCell(3, epsilon=0.01))
    W, U, b, gamma = with_weights(layer, X)
    h = np.zeros((3, 3))
    for t in range(X.shape[1]):
        v = X[:, t] @ W + h @ U
        mean, variance = v.mean(-1, keepdims=True), v.var(-1, keepdims=True)
        h = np.tanh(gamma * (v - mean) / np.sqrt(variance + 0.01) + b)
    assert_close(layer(X), h, 1e-5)


# StackedRNNCells


def test_a_stack_of_one_cell_is_the_cell_also_under_a_mask():
    cell = LSTMCell(3)
    options = {"return_sequences": True, "return_state": True}
    stacked = keras.layers.RNN(StackedRNNCells([cell]), **options)
    y, (h, c) = stacked(X, mask=RAGGED)
    for actual, desired in zip(
        (y, h, c), keras.layers.RNN(cell, **options)(X, mask=RAGGED), strict=True
    ):
        assert_close(actual, desired, 1e-6)


def test_stacked_cells_draw_new_masks_for_each_batch_and_none_for_each_step():
    """All steps of x are equal and h has no part: with one mask they stay equal."""
    cells = [GRUCell(4, recurrent_initializer="zeros", dropout=0.5) for _ in range(2)]
    layer = keras.layers.RNN(StackedRNNCells(cells))
    x = np.ones((6, 1, 5), "float32")
    first, second = (ops.convert_to_numpy(layer(x, training=True)) for _ in range(2))
    assert not np.allclose(first, second)
    assert not np.allclose(first[0], first[1])
    assert_close(layer(x), layer(x), 1e-6)


def test_stacked_cells_train_with_dropout_in_a_compiled_step():
    cells = [GRUCell(3, dropout=0.5, recurrent_dropout=0.5), LSTMCell(2, dropout=0.5)]
    model = keras.Sequential([keras.layers.RNN(StackedRNNCells(cells))])
    model.compile("sgd", "mse", jit_compile=False)
    assert np.isfinite(model.train_on_batch(X, array(3, 2, seed=1)))


def test_stacked_cells_are_checked():
    with pytest.raises(ValueError, match="at least one cell"):
        StackedRNNCells([])
    with pytest.raises(ValueError, match="without `state_size`"):
        StackedRNNCells([keras.layers.Dense(3)])


# TimeDistributed

LAYERS = {
    "dense": (lambda: keras.layers.Dense(3, "tanh", name="one"), (2, 3, 4)),
    "convolution": (lambda: keras.layers.Conv2D(2, 2, name="one"), (2, 3, 4, 3, 2)),
    "recurrent": (lambda: keras.layers.GRU(3, name="one"), (2, 3, 4, 5)),
    "normalization": (lambda: keras.layers.BatchNormalization(name="one"), (2, 3, 4)),
}


@pytest.mark.parametrize(("inner", "shape"), LAYERS.values(), ids=LAYERS)
def test_time_distributed_same_as_keras(inner, shape):
    case = Case("TimeDistributed", {}, array(*shape))
    assert_same_layer(
        case,
        lambda: TimeDistributed(inner()),
        lambda: keras.layers.TimeDistributed(inner()),
    )


def test_time_distributed_hides_what_a_mask_of_words_hides():
    words = array(2, 3, 4, 5)
    mask = np.array([[[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], [[1] * 4] * 3], bool)
    inner = keras.layers.GRU(3)
    layer = TimeDistributed(inner)
    y = layer(words, mask=mask)
    assert_close(y[0, 0], inner(words[:1, 0, :2])[0], 1e-6)
    assert_close(y[1, 2], inner(words[1:, 2])[0], 1e-6)
    np.testing.assert_array_equal(layer.compute_mask(words, mask), mask.any(-1))
    whole = TimeDistributed(keras.layers.GRU(3, return_sequences=True))
    np.testing.assert_array_equal(whole.compute_mask(words, mask), mask)


def test_time_distributed_passes_a_mask_through_a_model():
    words = keras.Input((None, 4), dtype="int32")
    x = keras.layers.Embedding(5, 6, mask_zero=True)(words)
    x = TimeDistributed(keras.layers.GRU(3))(x)
    model = keras.Model(words, keras.layers.GRU(2)(x))
    text = np.array([[[1, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]]])
    assert_close(model(text), model(text[:, :2]), 1e-6)


def test_time_distributed_counts_the_penalty_of_its_layer():
    layer = TimeDistributed(keras.layers.Dense(2, activity_regularizer="l1"))
    y = ops.convert_to_numpy(layer(array(2, 3, 4)))
    (loss,) = layer.losses
    assert_close(loss, 0.01 * np.abs(y).sum() / 6, 1e-5)


def test_time_distributed_draws_dropout_for_every_step():
    layer = TimeDistributed(keras.layers.Dropout(0.5, seed=1))
    y = ops.convert_to_numpy(layer(np.ones((2, 3, 50), "float32"), training=True))
    assert len(np.unique(y.reshape(6, 50), axis=0)) == 6


def test_time_distributed_is_checked():
    with pytest.raises(ValueError, match="Received: 3"):
        TimeDistributed(3)
    with pytest.raises(ValueError, match="at least 3 dimensions"):
        TimeDistributed(keras.layers.Dense(2))(array(2, 3))
    with pytest.raises(ValueError, match=r"has a shape \(2, 4\)"):
        TimeDistributed(keras.layers.Dense(2))(array(2, 3, 4), mask=np.ones((2, 4)))
