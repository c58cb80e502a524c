"""Shampoo and SOAP: their formulas, and what they have ahead of Adagrad and Adam."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.optimizers import SOAP, Adam, Shampoo
from oracle import array
from paper_formulas import numpy_shampoo, numpy_soap
from trajectory import IS_TORCH, compiled, error, needs_float64, run, sequence

pytestmark = needs_float64

BETAS = {"beta_1": 0.875, "beta_2": 0.9375}
# An eigenvector is as exact as its eigenvalue is far from the next one.
EXACT = 1e-5 if IS_TORCH else 1e-9
CASES = {
    "Shampoo": (lambda: Shampoo(0.125, epsilon=0.25), numpy_shampoo),
    "Shampoo, every third step": (
        lambda: Shampoo(0.125, epsilon=0.25, frequency=3),
        lambda w, gradients: numpy_shampoo(w, gradients, frequency=3),
    ),
    "SOAP": (lambda: SOAP(0.125, frequency=4, **BETAS), numpy_soap),
    "SOAP, every step": (
        lambda: SOAP(0.125, frequency=1, **BETAS),
        lambda w, gradients: numpy_soap(w, gradients, frequency=1),
    ),
}


@pytest.mark.parametrize("shape", [(3, 4), (4, 4)], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_many_steps_equal_the_formula_of_the_paper(name, shape):
    """From a gradient of full rank: else the bases of the first step are not unique."""
    make, formula = CASES[name]
    starts, gradients = sequence([shape], steps=40)
    assert np.linalg.matrix_rank(gradients[0][0]) == min(shape)
    desired = [[w] for w in formula(starts[0], [g for (g,) in gradients])]
    assert error(run(make(), starts, gradients, "float64"), desired) < EXACT


@pytest.mark.parametrize("make", [Shampoo, SOAP])
def test_an_axis_that_is_too_long_has_no_matrix(make):
    optimizer = make(0.1, max_dim=4)
    optimizer.build([keras.Variable(array(4, 6), name="w")])
    square = [v for v in optimizer.variables if tuple(v.shape) == (4, 4)]
    assert len(square) == 2
    assert not [v for v in optimizer.variables if tuple(v.shape) == (6, 6)]


def test_soap_without_any_matrix_is_adam_one_step_later():
    starts, gradients = sequence([(3, 4)], steps=20)
    options = {"epsilon": 1e-8, **BETAS}
    late = run(SOAP(0.125, max_dim=2, **options), starts, gradients, "float64")
    adam = run(Adam(0.125, **options), starts, gradients[1:], "float64")
    assert error(late[1:], adam) < 1e-6


def test_vectors_take_the_step_of_adam():
    starts, gradients = sequence([(5,), ()], steps=20)
    options = {"epsilon": 1e-8, **BETAS}
    paths = [
        run(make(0.125, **options), starts, gradients, "float64")
        for make in (SOAP, Adam)
    ]
    assert error(*paths) < 1e-12


def test_shampoo_of_a_vector_is_full_adagrad_and_of_a_scalar_plain_adagrad():
    starts, gradients = sequence([(3,), ()], steps=20)
    path = run(Shampoo(0.125, epsilon=0.25), starts, gradients, "float64")
    w, L = starts[0], 0.25 * np.eye(3)
    scalar, a = starts[1], 0.25
    for (g, h), found in zip(gradients, path):
        L = L + np.outer(g, g)
        s, U = np.linalg.eigh(L)
        w = w - 0.125 * U @ np.diag(s**-0.5) @ U.T @ g
        a = a + h * h
        scalar = scalar - 0.125 * h / np.sqrt(a)
        np.testing.assert_allclose(found[0], w, rtol=1e-5)
        np.testing.assert_allclose(found[1], scalar, rtol=1e-5)


def turned_quadratic(make, angle, steps=300):
    """The loss at the end of a descent into a valley that lies aslant by the angle."""
    c, s = np.cos(angle), np.sin(angle)
    turn = np.kron(np.array([[c, -s], [s, c]]), np.eye(2))
    curvature = turn @ np.diag([1.0, 1.0, 100.0, 100.0]) @ turn.T
    w = keras.Variable(np.array([[1.0, -0.5], [0.5, 1.0]]), dtype="float64")
    apply = compiled(optimizer := make(0.02), [w])
    optimizer.build([w])
    for _ in range(steps):
        x = ops.convert_to_numpy(w).ravel()
        apply(ops.convert_to_tensor((curvature @ x).reshape(2, 2)))
    x = ops.convert_to_numpy(w).ravel()
    return x @ curvature @ x / 2


def test_soap_does_not_care_how_a_valley_lies_and_adam_does():
    straight, aslant = (turned_quadratic(SOAP, angle) for angle in (0.0, 0.6))
    assert aslant == pytest.approx(straight, rel=0.1)
    assert aslant < 0.1 * turned_quadratic(Adam, 0.6)


def test_a_row_without_a_gradient_stays_where_it_is():
    """Turned there and back, its gradient is a rounding error, which Adam would scale
    up to a whole step."""
    for make in (SOAP, Shampoo):
        w = keras.Variable(np.ones((6, 3), "float32"))
        optimizer = make(0.1)
        rng = np.random.default_rng(0)
        for _ in range(5):
            g = rng.normal(size=(6, 3)).astype("float32")
            g[1::2] = 0
            optimizer.apply([ops.convert_to_tensor(g)], [w])
        found = ops.convert_to_numpy(w)
        np.testing.assert_allclose(found[1::2], 1.0, atol=1e-5)
        assert np.abs(found[::2] - 1).max() > 1e-2


@pytest.mark.parametrize("make", [SOAP, Shampoo])
def test_zero_gradients_change_nothing_and_stay_finite(make):
    w = keras.Variable(np.ones((3, 2), "float32"))
    optimizer = make(0.1, **({"frequency": 1}))
    for _ in range(3):
        optimizer.apply([ops.zeros((3, 2))], [w])
    np.testing.assert_array_equal(ops.convert_to_numpy(w), 1.0)
    assert all(np.isfinite(ops.convert_to_numpy(v)).all() for v in optimizer.variables)


@pytest.mark.parametrize("make", [SOAP, Shampoo])
def test_weights_of_16_bits_are_trained(make):
    """Their matrices have 32 bits, because nothing decomposes 16."""
    w = keras.Variable(np.ones((3, 2)), dtype="bfloat16")
    optimizer = make(0.1)
    for _ in range(3):
        g = ops.cast(ops.convert_to_tensor(array(3, 2)), "bfloat16")
        optimizer.apply([g], [w])
    found = ops.convert_to_numpy(ops.cast(w, "float32"))
    assert np.isfinite(found).all()
    assert np.abs(found - 1).max() > 0.05


def test_kernels_of_convolutions_have_a_basis_for_each_axis():
    """Turned by any rotation of an axis, SOAP takes the turned steps."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    starts, gradients = sequence([(2, 3, 4)], steps=12)
    plain = run(SOAP(0.1, frequency=2), starts, gradients, "float64")
    turned = run(
        SOAP(0.1, frequency=2),
        [starts[0] @ turn],
        [[g @ turn] for (g,) in gradients],
        "float64",
    )
    assert error([[w @ turn] for (w,) in plain], turned) < 1e-4


@pytest.mark.parametrize("make", [SOAP, Shampoo])
def test_learns_in_fit(make):
    x = array(64, 2) @ np.array([[1.0, 0.9], [0.9, 1.0]], "float32")
    y = x @ np.array([[3.0, 0.0], [0.0, -2.0]], "float32")
    layer = keras.layers.Dense(2, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((2,)), layer])
    model.compile(make(0.3), "mse", jit_compile=keras.backend.backend() == "jax")
    before = model.evaluate(x, y, batch_size=64, verbose=0)
    model.fit(x, y, epochs=30, batch_size=64, verbose=0)
    assert model.evaluate(x, y, batch_size=64, verbose=0) < 0.2 * before


REFUSALS = [
    (lambda: Shampoo(epsilon=0), "`epsilon` must be above 0"),
    (lambda: Shampoo(frequency=0), "`frequency` must be a positive integer"),
    (lambda: SOAP(max_dim=0.5), "`max_dim` must be a positive integer"),
    (lambda: SOAP(beta_1=1.0), "`beta_1` must be at least 0 and below 1"),
]


@pytest.mark.one_backend
@pytest.mark.parametrize(("refused", "message"), REFUSALS)
def test_refuses(refused, message):
    with pytest.raises(ValueError, match=message):
        refused()
