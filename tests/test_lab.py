"""The lab's claims, and its gradient steps against NumPy."""

import keras
import numpy as np
import pytest

from cookbook.lab import Claim, take_steps


@pytest.mark.parametrize(
    ("measured", "at_most", "holds"),
    [(2.0, False, True), (2.0, True, False), (1.0, True, True)],
)
def test_a_claim_holds_on_its_side_of_its_bound(measured, at_most, holds):
    assert Claim("a number", measured, 1.5, at_most).holds is holds


@pytest.mark.parametrize("batch_size", [None, 2])
def test_steps_are_gradient_descent(batch_size):
    x = np.array([[1.0], [2.0], [4.0]], "float32")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[0.0]])])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    take_steps(model, x, 3 * x, 5, batch_size, seed=1)
    w, rng = 0.0, np.random.default_rng(1)
    drawn = rng.integers(3, size=10).reshape(5, 2) if batch_size else [range(3)] * 5
    for rows in drawn:
        w -= 0.01 * np.mean(2 * (w - 3) * x[list(rows)] ** 2)
    np.testing.assert_allclose(model.get_weights()[0], [[w]], rtol=1e-5)
