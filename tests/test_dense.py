"""Dense against Keras, its properties and its refusals."""

import numpy as np
import pytest
from oracle import Case, array, assert_same_layer

from custom_layers.dense import Dense

CASES = [
    Case("Dense", {"units": 3}, array(2, 5)),
    Case("Dense", {"units": 4, "activation": "tanh"}, array(2, 3, 5)),
    Case("Dense", {"units": 1, "use_bias": False}, array(7, 1)),
    Case(
        "Dense",
        {"units": 3, "kernel_regularizer": "l2", "activity_regularizer": "l1"},
        array(3, 4),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_keras(case):
    assert_same_layer(case)


def test_each_unit_is_a_weighted_sum_plus_bias():
    layer = Dense(2)
    layer.build((1, 2))
    layer.set_weights([np.array([[1.0, -2.0], [3.0, -4.0]]), np.array([5.0, -6.0])])
    np.testing.assert_allclose(layer(np.array([[-1.0, 2.0]])), [[10.0, -12.0]])


@pytest.mark.parametrize("units", [0, -1, 2.5, "3", None])
def test_refuses_units_that_are_no_positive_integer(units):
    with pytest.raises(ValueError, match="`units`.*expected a positive integer"):
        Dense(units)
