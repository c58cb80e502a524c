"""Regularizers against Keras, their properties and their refusals."""

import math

import keras
import numpy as np
import pytest

from custom_layers.regularizers import L1, L1L2, L2, OrthogonalRegularizer
from oracle import (
    Case,
    array,
    assert_close,
    assert_same_layer,
    components,
    keras_counterpart,
    run_layer,
)

W = array(5, 4, seed=1)
CASES = [
    ("L1", {}, W),
    ("L1", {"l1": None}, W),
    ("L1", {"l1": 0.3}, array(2, 3, 4)),
    ("L2", {}, W),
    ("L2", {"l2": None}, W),
    ("L2", {"l2": 2}, array(2, 3, 4)),
    ("L1L2", {"l1": 0.3, "l2": None}, W),
    ("L1L2", {"l1": None, "l2": 0.2}, W),
    ("L1L2", {"l1": 0.3, "l2": 0.2}, array(7)),
    ("OrthogonalRegularizer", {}, W),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}, W),
    ("OrthogonalRegularizer", {"factor": 1.0}, array(2, 7)),
]
LAYERS = [
    Case("ActivityRegularization", {}, W),
    Case("ActivityRegularization", {"l1": 0.3}, W),
    Case("ActivityRegularization", {"l1": 0.3, "l2": 0.2}, array(3, 2, 4)),
]


class Penalty(keras.layers.Layer):
    """Makes a layer of a regularizer, so that the oracle can differentiate it."""

    def __init__(self, regularizer):
        super().__init__()
        self.regularizer = regularizer
        self.built = True

    def call(self, w):
        return self.regularizer(w)


@pytest.mark.parametrize(("name", "kwargs", "w"), CASES, ids=str)
def test_same_value_and_gradient_as_keras(name, kwargs, w):
    actual = run_layer(Penalty(components()[name](**kwargs)), w)
    desired = run_layer(Penalty(keras_counterpart(name)(**kwargs)), w)
    assert actual.keys() == desired.keys()
    for key in desired:
        assert_close(actual[key], desired[key], label=f"{name} {key}")


@pytest.mark.parametrize("case", LAYERS, ids=str)
def test_layer_same_as_keras(case):
    assert_same_layer(case)


@pytest.mark.parametrize(("name", "kwargs", "w"), CASES, ids=str)
def test_the_penalty_has_the_dtype_of_the_weight(name, kwargs, w):
    for dtype in ("float16", "bfloat16", "float32"):
        penalty = components()[name](**kwargs)(keras.Variable(w, dtype=dtype))
        assert keras.backend.standardize_dtype(penalty.dtype) == dtype
        assert penalty.shape == ()


def test_elastic_net_costs_nothing_unless_told():
    assert float(L1L2()(W)) == 0


def test_elastic_net_is_lasso_plus_ridge():
    assert_close(L1L2(0.3, 0.2)(W), np.asarray(L1(0.3)(W)) + np.asarray(L2(0.2)(W)))


def test_orthogonal_penalty_is_the_mean_cosine_over_pairs():
    cosines = [
        abs(W[i] @ W[j]) / np.linalg.norm(W[i]) / np.linalg.norm(W[j])
        for i in range(5)
        for j in range(i)
    ]
    assert_close(OrthogonalRegularizer(0.3)(W), 0.3 * np.mean(cosines))
    assert_close(OrthogonalRegularizer(0.3, "columns")(W.T), 0.3 * np.mean(cosines))


def test_orthogonal_penalty_does_not_depend_on_lengths():
    lengths = np.array([[1.0], [10.0], [0.1], [3.0], [7.0]], "float32")
    assert_close(OrthogonalRegularizer()(W * lengths), OrthogonalRegularizer()(W))
    assert float(OrthogonalRegularizer()(np.diag([1.0, 2.0, 3.0]))) == 0


def test_orthogonal_penalty_of_zeros_or_of_one_vector_is_zero_with_its_gradient():
    for w in (np.zeros((3, 4), "float32"), W[:1]):
        found = run_layer(Penalty(OrthogonalRegularizer()), w)
        assert all(np.all(value == 0) for value in found.values())


def test_ridge_training_is_weight_decay():
    """One step on the penalty alone: w - rate * 2 * l2 * w."""
    layer = keras.layers.Dense(4, use_bias=False, kernel_regularizer=L2(0.1))
    model = keras.Sequential([keras.Input((5,)), layer])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    layer.set_weights([W])
    x, y = np.zeros((1, 5), "float32"), np.zeros((1, 4), "float32")
    model.train_on_batch(x, y)
    assert_close(layer.kernel, W * (1 - 0.5 * 2 * 0.1))


@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan, "0.1", [0.1]])
@pytest.mark.parametrize("make", [L1, L2, L1L2, OrthogonalRegularizer])
def test_refuses_a_strength_that_is_not_a_finite_number_from_zero(make, value):
    with pytest.raises(ValueError, match=r"expected a non-negative float.*Received"):
        make(value)


@pytest.mark.parametrize("make", [L1, L2, OrthogonalRegularizer])
def test_a_strength_may_be_a_number_of_numpy(make):
    (strength,) = {
        value for value in make(np.float32(0.5)).get_config().values() if value == 0.5
    }
    assert type(strength) is float


def test_orthogonal_refuses_other_modes_and_ranks():
    with pytest.raises(ValueError, match=r"`mode`. Expected one of .*mode=diagonal"):
        OrthogonalRegularizer(mode="diagonal")
    with pytest.raises(ValueError, match=r"must have rank 2.*\(2, 3, 4\)"):
        OrthogonalRegularizer()(array(2, 3, 4))
