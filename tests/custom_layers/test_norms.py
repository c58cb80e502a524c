"""Unit, spectral and weight normalization against Keras and the papers' formulas."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    BatchNormalization,
    SpectralNormalization,
    UnitNormalization,
    WeightNormalization,
)
from oracle import Case, array, assert_close, assert_same_layer, run_layer

CASES = [
    Case("UnitNormalization", {}, array(7, 5)),
    Case("UnitNormalization", {"axis": (1, 2)}, array(2, 3, 4)),
    Case("UnitNormalization", {"axis": 0}, array(3, 4)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_keras(case):
    assert_same_layer(case)


def test_unit_normalization_of_a_zero_vector_is_finite_with_its_gradient():
    results = run_layer(UnitNormalization(), np.zeros((2, 3), "float32"))
    assert all(np.all(np.isfinite(value)) for value in results.values())


def test_unit_normalization_of_half_precision_squares_in_float32():
    x = ops.cast(array(64, 8) * 300, "float16")  # squares overflow float16
    y = ops.convert_to_numpy(UnitNormalization(dtype="float16")(x))
    np.testing.assert_allclose(np.linalg.norm(y, axis=-1), 1, rtol=2e-3)


def test_weight_normalization_is_the_papers_formula():
    layer = WeightNormalization(keras.layers.Dense(2))
    x = array(4, 3)
    layer(x)
    v, b, g = array(3, 2, seed=1), array(2, seed=2), np.array([2.0, -3.0], "float32")
    layer.layer.set_weights([v, b])
    layer.g.assign(g)
    norm = np.sqrt((v**2).sum(axis=0))
    results = run_layer(layer, x)
    assert_close(results["output 0"], x @ (g * v / norm) + b)
    dw = x.T @ array(4, 2, seed=3)  # gradient to the kernel; the paper's equation 3:
    dg = (dw * v).sum(axis=0) / norm
    assert_close(results["gradient to g"], dg)
    dv = g / norm * dw - g * dg / norm**2 * v
    assert_close(results["gradient to dense/kernel"], dv)
    assert_close(results["gradient to dense/bias"], array(4, 2, seed=3).sum(axis=0))


@pytest.mark.parametrize(
    ("inner", "x"),
    [
        (lambda: keras.layers.Dense(3, activation="tanh"), array(2, 4)),
        (lambda: keras.layers.Conv2D(3, 2), array(2, 4, 4, 2)),
        (lambda: keras.layers.Embedding(5, 3), np.array([[1, 4, 0]])),
    ],
)
def test_weight_normalization_starts_as_the_layer_alone(inner, x):
    layer = inner()
    before = ops.convert_to_numpy(layer(x))
    assert_close(ops.convert_to_numpy(WeightNormalization(layer)(x)), before)
    assert layer.trainable_weights


def test_weight_normalization_keeps_losses_and_state_of_its_layer():
    layer = WeightNormalization(
        keras.layers.Dense(3, activity_regularizer="l2", kernel_regularizer="l2")
    )
    layer(array(2, 4))
    assert len(layer.losses) == 2
    inner = BatchNormalization()
    inner.kernel = inner.add_weight((3,), "ones", name="kernel")
    wrapper = WeightNormalization(inner)
    wrapper(array(5, 3), training=True)
    assert_close(inner.moving_mean, 0.01 * array(5, 3).mean(axis=0))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("inner", "x"),
    [
        (lambda: keras.layers.Dense(3), array(4, 5)),
        (lambda: keras.layers.Conv2D(3, 2), array(2, 4, 4, 2)),
        (lambda: keras.layers.Embedding(5, 3), np.array([[1.0, 4.0, 0.0]], "float32")),
    ],
)
def test_spectral_normalization_is_keras(inner, x, training):
    results = []
    for cls in (SpectralNormalization, keras.layers.SpectralNormalization):
        keras.backend.clear_session(free_memory=False)  # the same names for both
        layer = cls(inner(), power_iterations=3)
        layer(x)
        layer.set_weights([array(*w.shape, seed=7) for w in layer.weights])
        results.append(run_layer(layer, x, training=training))
        results[-1]["kernel"] = ops.convert_to_numpy(layer.kernel)
    actual, desired = results
    assert actual.keys() == desired.keys()
    for key in desired:
        assert_close(actual[key], desired[key], label=key)


def test_spectral_normalization_gives_the_kernel_norm_1_and_leaves_zeros_alone():
    layer = SpectralNormalization(keras.layers.Dense(4), power_iterations=60)
    layer(array(2, 6), training=True)
    norm = np.linalg.svd(ops.convert_to_numpy(layer.kernel), compute_uv=False)[0]
    assert norm == pytest.approx(1, rel=1e-4)
    layer.kernel.assign(np.zeros((6, 4)))
    y = layer(array(2, 6), training=True)
    np.testing.assert_array_equal(ops.convert_to_numpy(y), np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: UnitNormalization("last"), TypeError, "`axis` argument"),
        (
            lambda: UnitNormalization(2).compute_output_shape((2, 3)),
            ValueError,
            "out of bounds",
        ),
        (
            lambda: SpectralNormalization(keras.layers.Dense(2), 0),
            ValueError,
            "greater than zero",
        ),
        (
            lambda: WeightNormalization(keras.layers.ReLU())(array(2, 3)),
            ValueError,
            "no attribute 'kernel' nor 'embeddings'",
        ),
    ],
)
def test_refuses(make, error, message):
    with pytest.raises(error, match=message):
        make()
