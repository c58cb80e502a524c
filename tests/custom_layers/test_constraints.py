"""Constraints against Keras, their properties and their refusals."""

import keras
import numpy as np
import pytest

from custom_layers.constraints import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from oracle import array, assert_close, components, keras_counterpart

KERNEL = array(3, 3, 4, 5, seed=1)
CASES = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.5, "axis": 1}),
    ("MaxNorm", {"max_value": 3, "axis": (0, 1, 2)}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": [0, 1, 2]}),
    ("UnitNorm", {"axis": None}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.8, "max_value": 2.0}),
    ("MinMaxNorm", {"min_value": 5, "max_value": 6, "rate": 0.3, "axis": (0, 1)}),
]
WEIGHTS = [KERNEL, np.zeros((3, 2), "float32"), array(6, 1), array(4, 3) * 1e-6]


@pytest.mark.parametrize("w", WEIGHTS, ids=lambda w: str(w.shape))
@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)
def test_same_as_keras(name, kwargs, w):
    axis = kwargs.get("axis")
    if not isinstance(axis, (int, type(None))) and w is not KERNEL:
        kwargs = {**kwargs, "axis": -1}
    ours, theirs = components()[name](**kwargs), keras_counterpart(name)(**kwargs)
    assert_close(ours(w), theirs(w))
    assert_close(ours(keras.Variable(w)), theirs(keras.Variable(w)))
    assert ours.get_config() == theirs.get_config()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)
def test_keeps_the_dtype(name, kwargs, dtype):
    w = components()[name](**kwargs)(keras.Variable(KERNEL, dtype=dtype))
    assert keras.backend.standardize_dtype(w.dtype) == dtype


def norms(w, axis=(0, 1, 2)):
    return np.linalg.norm(
        np.moveaxis(np.asarray(w), -1, 0).reshape(w.shape[-1], -1), axis=1
    )


def test_max_norm_shortens_the_long_and_leaves_the_short():
    before = norms(KERNEL)
    limit = float(np.median(before))
    after = norms(MaxNorm(limit, axis=(0, 1, 2))(KERNEL))
    assert_close(after, np.minimum(before, limit))


def test_unit_norm_makes_every_length_one():
    assert_close(norms(UnitNorm((0, 1, 2))(KERNEL)), np.ones(5))


def test_min_max_norm_goes_its_rate_of_the_way():
    before = norms(KERNEL)
    w = MinMaxNorm(1.0, 2.0, rate=0.25, axis=(0, 1, 2))(KERNEL)
    assert_close(norms(w), before + 0.25 * (np.clip(before, 1.0, 2.0) - before))


def test_the_direction_stays():
    for constraint in (MaxNorm(0.1), UnitNorm(), MinMaxNorm(3.0, 4.0)):
        w = np.asarray(constraint(KERNEL))
        cosine = np.sum(w * KERNEL, 0) / np.linalg.norm(w, axis=0)
        assert_close(cosine, np.linalg.norm(KERNEL, axis=0))


def test_twice_is_once():
    for constraint in (MaxNorm(0.1), UnitNorm(), MinMaxNorm(3.0, 4.0), NonNeg()):
        once = constraint(KERNEL)
        assert_close(constraint(once), once)


def test_a_trained_layer_stays_within_its_constraint():
    layer = keras.layers.Dense(
        3, kernel_constraint=UnitNorm(), bias_constraint=NonNeg()
    )
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.train_on_batch(array(8, 4), array(8, 3, seed=1) - 1)
    assert_close(np.linalg.norm(layer.get_weights()[0], axis=0), np.ones(3))
    assert np.min(layer.get_weights()[1]) >= 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MaxNorm(-1), "expected 0 <= min_value <= max_value"),
        (lambda: MinMaxNorm(-0.5, 1.0), "expected 0 <= min_value <= max_value"),
        (lambda: MinMaxNorm(2.0, 1.0), "min_value=2.0, max_value=1.0"),
        (lambda: MinMaxNorm(rate=1.5), "`rate` from 0 to 1. Received: rate=1.5"),
    ],
)
def test_refuses_what_cannot_work(make, message):
    with pytest.raises(ValueError, match=message):
        make()
