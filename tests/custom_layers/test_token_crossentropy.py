"""Token cross-entropy against its formula, with gradients, and at its edges."""

import keras
import numpy as np
import pytest

from custom_layers.losses import SparseCategoricalCrossentropy, TokenCrossentropy
from loss_cases import AsLayer
from numpy_formulas import CHECKS, token_crossentropy
from oracle import array, run_layer

Y = np.array([[1, 2, 3], [4, 0, 0]])


def test_is_the_formula_with_its_gradient():
    assert CHECKS["TokenCrossentropy"](TokenCrossentropy) < 1e-5


@pytest.mark.parametrize("e", [0.0, 0.1])
def test_more_padding_changes_neither_loss_nor_gradient(e):
    z = array(2, 3, 5)
    wider = np.pad(z, [(0, 0), (0, 4), (0, 0)], constant_values=3)
    found = run_layer(AsLayer(TokenCrossentropy(e), Y), z)
    again = run_layer(AsLayer(TokenCrossentropy(e), np.pad(Y, [(0, 0), (0, 4)])), wider)
    np.testing.assert_allclose(again["output 0"], found["output 0"], rtol=1e-6)
    slope = again["gradient to input 0"]
    np.testing.assert_allclose(slope[:, :3], found["gradient to input 0"], rtol=1e-5)
    assert np.all(slope[:, 3:] == 0)


def test_without_smoothing_it_is_the_sparse_loss_that_ignores_class_0():
    z = array(2, 3, 5)
    sparse = SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    assert float(TokenCrossentropy()(Y, z)) == pytest.approx(float(sparse(Y, z)))


def test_a_longer_sequence_weighs_more():
    """The mean is over tokens, not over sequences of different length."""
    z = np.zeros((2, 3, 5), "float32")
    z[1, 0, 4] = 50  # the one token of the short sequence costs nothing
    assert float(TokenCrossentropy()(Y, z)) == pytest.approx(np.log(5) * 3 / 4)


def test_a_batch_of_padding_alone_has_loss_0_and_gradient_0():
    found = run_layer(AsLayer(TokenCrossentropy(0.1), np.zeros((2, 3))), array(2, 3, 5))
    assert found["output 0"] == 0
    assert np.all(found["gradient to input 0"] == 0)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_logits_of_ten_thousand_give_the_right_value(dtype):
    z = np.array([[[0.0, 1e4, 0.0], [0.0, 0.0, 1e4]]], dtype)
    loss = TokenCrossentropy(dtype=dtype)
    assert float(loss([[1, 2]], z)) == 0
    assert float(loss([[2, 2]], z)) == pytest.approx(5e3, rel=1e-3)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="Keras computes in float32 in places on JAX and torch",
)
def test_float64_is_computed_in_float64():
    z = array(2, 3, 5, dtype="float64")
    loss = TokenCrossentropy(0.1, dtype="float64")
    wanted, _ = token_crossentropy(Y, z, 0.1)
    assert float(loss(Y, z)) == pytest.approx(wanted, rel=1e-12)
    assert TokenCrossentropy.from_config(loss.get_config()).dtype == "float64"


def test_a_configuration_of_the_first_version_still_loads():
    loss = TokenCrossentropy.from_config(
        {"label_smoothing": 0.1, "name": "token_crossentropy"}
    )
    assert loss.label_smoothing == 0.1


@pytest.mark.parametrize("shape", [(2, 4, 5), (2, 5), (3, 3, 5)])
def test_refuses_shapes_that_do_not_fit(shape):
    with pytest.raises(ValueError, match=r"shapes \(B, T\) and \(B, T, V\)"):
        TokenCrossentropy()(Y, np.ones(shape))


def test_refuses_a_share_outside_0_and_1():
    with pytest.raises(ValueError, match=r"`label_smoothing` must lie in \[0, 1\]"):
        TokenCrossentropy(1.5)
