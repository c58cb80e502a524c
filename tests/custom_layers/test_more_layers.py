"""Layers and activations of TensorFlow Addons and of papers, which Keras lacks."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.activations import lisht, rrelu, snake
from custom_layers.layers import (
    TLU,
    FilterResponseNormalization,
    NoisyDense,
    PoincareNormalize,
    PolynomialCrossing,
    RReLU,
    Snake,
    VariationalDense,
)
from layer_formulas import ERRORS
from oracle import array, assert_close, components, run_layer

FUNCTIONS = [lisht, rrelu, snake]
numbers = ops.convert_to_numpy


def called(layer, x):
    """The layer, built by its first call."""
    layer(x)
    return layer


@pytest.mark.parametrize("name", ERRORS)
def test_is_the_formula_of_the_paper_with_its_gradients(name):
    assert ERRORS[name](components()[name]) < 1e-4


# activations


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_takes_arrays_symbolic_and_half_precision_inputs(function):
    x = array(3, 4)
    inputs = keras.Input((4,))
    assert_close(keras.Model(inputs, function(inputs))(x), function(x))
    y = function(ops.cast(x, "float16"))
    assert keras.backend.standardize_dtype(y.dtype) == "float16"


def test_the_values_that_addons_tests():
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0], "float32")
    assert_close(lisht(x), [1.9280552, 0.7615942, 0.0, 0.7615942, 1.9280552])
    assert_close(rrelu(x, 0.1, 0.2), [-0.3, -0.15, 0.0, 1.0, 2.0])


def test_the_slopes_of_rrelu_are_uniform_and_drawn_for_each_value():
    layer = RReLU(0.25, 0.75, seed=1)
    a = -numbers(layer(-np.ones(20_000, "float32"), training=True))
    assert 0.25 <= a.min() < 0.26
    assert 0.74 < a.max() <= 0.75
    assert abs(a.mean() - 0.5) < 4 * 0.5 / np.sqrt(12 * a.size)
    assert abs(a.var() - 0.25 / 12) < 1e-3
    assert abs(np.mean((a[1:] - 0.5) * (a[:-1] - 0.5))) < 1e-3
    again = -numbers(layer(-np.ones(20_000, "float32"), training=True))
    assert not np.array_equal(a, again)
    x = array(50)
    y = numbers(layer(x, training=True))
    np.testing.assert_array_equal(y[x > 0], x[x > 0])


def test_the_gradient_of_rrelu_in_training_is_the_slope_that_was_drawn():
    x = array(4, 5)
    found = run_layer(RReLU(seed=1), x, training=True)
    slope = found["output 0"] / x
    assert_close(found["gradient to input 0"], slope * array(4, 5, seed=3))


def test_snake_of_frequency_0_is_the_identity_and_can_learn():
    """The limit of its derivative to a is x^2."""
    layer, x = Snake(frequency_initializer="zeros"), array(3, 4)
    found = run_layer(called(layer, x), x)
    assert_close(found["output 0"], x)
    desired = np.sum(x**2 * array(3, 4, seed=3))
    assert_close(found["gradient to frequency"], desired, rtol=1e-3)


@pytest.mark.parametrize("axis", [-1, 1, None])
def test_tlu_and_snake_have_a_weight_along_their_axis(axis):
    shape = {-1: (1, 4), 1: (3, 1), None: (1, 1)}[axis]
    tlu, snake_layer = TLU(axis=axis), Snake(axis=axis)
    for layer in (tlu, snake_layer):
        layer.build((None, 3, 4))
    assert tlu.tau.shape == shape
    assert snake_layer.frequency.shape == (() if axis is None else shape)


def test_tlu_starts_as_relu_and_undoes_a_shift():
    """max(x + beta, tau) = max(x, tau - beta) + beta"""
    x = array(3, 4)
    assert_close(TLU()(x), np.maximum(x, 0))
    shifted = TLU(tau_initializer=keras.initializers.Constant(0.5))(x + 2) - 2
    assert_close(
        shifted, TLU(tau_initializer=keras.initializers.Constant(-1.5))(x), 1e-4
    )


# filter response normalization


def test_a_sample_is_normalized_alike_in_any_batch_and_at_any_scale():
    layer, x = FilterResponseNormalization(epsilon=0), array(4, 3, 5, 2)
    y = numbers(layer(x))
    assert_close(layer(x[1:2]), y[1:2])
    assert_close(layer(1000 * x), y)
    assert_close(np.mean(y**2, axis=(1, 2)), np.ones((4, 2)))


def test_its_places_may_be_any_axes_but_the_batch():
    x = array(2, 3, 4, 5)
    first = FilterResponseNormalization(axis=[2, 3])
    y = numbers(first(x))
    assert first.gamma.shape == (3,)
    default = FilterResponseNormalization()
    assert_close(y.transpose(0, 2, 3, 1), default(x.transpose(0, 2, 3, 1)))


# Poincaré ball


def test_vectors_in_the_ball_stay_and_the_others_come_to_its_edge():
    x = array(50, 3)
    layer = PoincareNormalize(epsilon=0.125)
    y = numbers(layer(x))
    norm = np.linalg.norm(x, axis=1)
    is_inside = norm <= 0.875
    assert 0 < is_inside.sum() < 50
    np.testing.assert_array_equal(y[is_inside], x[is_inside])
    assert_close(np.linalg.norm(y[~is_inside], axis=1), np.full(sum(~is_inside), 0.875))
    assert_close(layer(y), y)
    assert np.all(np.linalg.norm(numbers(PoincareNormalize()(100 * x)), axis=1) < 1)


def test_a_zero_vector_has_the_gradient_of_the_identity():
    found = run_layer(PoincareNormalize(), np.zeros((2, 3), "float32"))
    assert_close(found["gradient to input 0"], array(2, 3, seed=3))


# cross layer


@pytest.mark.parametrize(
    ("options", "desired"),
    [
        ({}, [0.55, 0.8, 1.05]),
        ({"projection_dim": 1}, [0.55, 0.8, 1.05]),
        ({"diag_scale": 1.0}, [0.59, 0.9, 1.23]),
    ],
)
def test_crossing_gives_the_values_that_addons_tests(options, desired):
    x0 = np.array([[0.1, 0.2, 0.3]], "float32")
    x = np.array([[0.4, 0.5, 0.6]], "float32")
    layer = PolynomialCrossing(kernel_initializer="ones", **options)
    assert_close(layer([x0, x]), np.array([desired]))


def test_the_two_factors_of_a_cross_layer_start_apart():
    layer = PolynomialCrossing(projection_dim=2)
    layer.build([(None, 4), (None, 4)])
    U, V = layer.get_weights()[:2]
    assert np.abs(U - V.T).min() > 0
    assert np.abs(U - V.reshape(U.shape)).min() > 0


def test_a_cross_layer_passes_the_mask_of_x_on():
    x = keras.layers.Masking()(np.array([[[1.0, 2.0], [0.0, 0.0]]]))
    y = PolynomialCrossing()([np.ones((1, 2, 2), "float32"), x])
    np.testing.assert_array_equal(numbers(y._keras_mask), [[True, False]])


# noisy networks


def noises(layer, count=1):
    """The noise of count draws, as one matrix each of the kernel and the bias."""
    layer.build((None, 40))
    draws = []
    for _ in range(count):
        layer.reset_noise()
        draws.append([numbers(layer.eps_kernel), numbers(layer.eps_bias)])
    return [np.stack(part) for part in zip(*draws)]


def test_independent_noise_is_normal():
    e_W, e_b = noises(NoisyDense(50, use_factorised=False, seed=1), 5)
    assert abs(e_W.mean()) < 4 / np.sqrt(e_W.size)
    assert abs(e_W.var() - 1) < 4 * np.sqrt(2 / e_W.size)
    assert abs(e_b.var() - 1) < 4 * np.sqrt(2 / e_b.size)
    assert np.linalg.matrix_rank(e_W[0]) == 40


def test_factorized_noise_is_a_product_whose_squares_are_halves_of_normal_numbers():
    """f(e)^2 = |e|, whose mean is sqrt(2 / pi); the signs are even."""
    e_W, e_b = noises(NoisyDense(50, seed=1), 20)
    assert all(np.linalg.matrix_rank(each) == 1 for each in e_W)
    mean = np.sqrt(2 / np.pi)
    assert abs(np.mean(e_b**2) - mean) < 4 * np.sqrt((1 - 2 / np.pi) / e_b.size)
    assert abs(np.mean(e_b > 0) - 0.5) < 2 / np.sqrt(e_b.size)
    assert abs(np.mean(e_W**2) - mean**2) < 0.1


def test_noise_changes_where_it_is_reset_or_a_layer_trains_and_nowhere_else():
    layer, x = NoisyDense(3, seed=1), array(2, 4)
    means = numbers(layer(x))
    trained = numbers(layer(x, training=True))
    np.testing.assert_array_equal(numbers(layer(x)), trained)
    assert not np.array_equal(trained, means)
    layer.reset_noise()
    reset = numbers(layer(x))
    assert not np.array_equal(reset, trained)
    layer.remove_noise()
    np.testing.assert_array_equal(numbers(layer(x)), means)


@pytest.mark.parametrize("use_factorised", [True, False])
def test_noise_needs_no_bias_and_starts_as_large_as_in_the_paper(use_factorised):
    layer = NoisyDense(200, 0.5, use_factorised, use_bias=False)
    layer.build((None, 25))
    layer.reset_noise()
    layer.remove_noise()
    sigma, bound = (0.1, 0.2) if use_factorised else (0.017, np.sqrt(3 / 25))
    np.testing.assert_allclose(numbers(layer.sigma_kernel), sigma, rtol=1e-6)
    mu = numbers(layer.mu_kernel)
    assert 0.99 * bound < np.abs(mu).max() <= bound
    assert layer.bias is None
    assert len(layer.weights) == 3


@pytest.mark.slow
def test_an_agent_of_two_arms_stops_exploring_where_noise_costs_reward():
    """Trained on the squared error of a constant value, sigma shrinks."""
    layer = NoisyDense(2, sigma=1.0, seed=1)
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile(keras.optimizers.Adam(0.05), "mse", jit_compile=False)
    x, y = np.ones((32, 3), "float32"), np.tile([[1.0, -1.0]], (32, 1))
    model.fit(x, y, batch_size=4, epochs=25, verbose=0)
    sigma = np.abs(numbers(layer.sigma_kernel)).mean()
    assert sigma < 0.5 / np.sqrt(3)


# variational dropout


def exact_divergence(alpha):
    """KL(Normal(1, alpha), log-uniform) up to its constant, by a sum over the density.

    It is E[log |w|] - log(alpha) / 2: the prior's density is proportional to 1 / |w|.
    """
    e = np.linspace(-12, 12, 500_000)
    density = np.exp(-(e**2) / 2)
    mean = np.sum(density * np.log(np.abs(1 + np.sqrt(alpha) * e))) / density.sum()
    return mean - np.log(alpha) / 2


def divergence(alpha):
    """The loss of a layer with one weight, 1."""
    layer = VariationalDense(1, kl_weight=1.0, log_sigma2_start=float(np.log(alpha)))
    layer.build((None, 1))
    layer.theta.assign([[1.0]])
    layer(np.ones((1, 1), "float32"))
    (loss,) = layer.losses
    return float(loss)


def test_the_penalty_is_the_divergence_from_the_log_uniform_prior():
    """Molchanov's fit is exact to about 0.01; the constant is that of alpha = inf."""
    infinite = exact_divergence(1e6)
    for alpha in (0.01, 0.3, 1.0, 3.0, 30.0):
        exact = exact_divergence(alpha) - infinite
        assert abs(divergence(alpha) - exact) < 0.02, alpha
    # Kingma's polynomial, for alpha below 1, and its constant at alpha = 1.
    c = 1.16145124, -1.50204118, 0.58629921
    polynomial = [
        -(np.log(a) / 2 + c[0] * a + c[1] * a**2 + c[2] * a**3) for a in (0.1, 0.5)
    ]
    apart = divergence(0.1) - divergence(0.5)
    assert abs(apart - (polynomial[0] - polynomial[1])) < 0.02


def test_noise_is_drawn_for_each_output_of_each_sample():
    layer = VariationalDense(3, 0.0, threshold=100, log_sigma2_start=-1.0, seed=1)
    x = np.tile(array(1, 4), (5000, 1))
    mean = x @ numbers(called(layer, x).theta)
    deviation = np.sqrt(np.sum(x[0] ** 2) * np.exp(-1.0))
    e = (numbers(layer(x, training=True)) - mean) / deviation
    assert abs(e.mean()) < 4 / np.sqrt(e.size)
    assert abs(e.var() - 1) < 4 * np.sqrt(2 / e.size)
    assert np.abs(np.corrcoef(e.T) - np.eye(3)).max() < 0.06
    assert_close(layer(x), mean)


@pytest.mark.slow
def test_features_that_mean_nothing_lose_their_weights():
    """y = 2 x_0; the weights of the other five features become noise."""
    keras.utils.set_random_seed(1)
    layer = VariationalDense(1, kl_weight=0.05, log_sigma2_start=-6.0, seed=1)
    model = keras.Sequential([keras.Input((6,)), layer])
    model.compile(keras.optimizers.Adam(0.05), "mse", jit_compile=False)
    x = array(500, 6)
    y = 2 * x[:, :1] + array(500, 1, seed=1) * 0.5
    model.fit(x, y, batch_size=100, epochs=30, verbose=0)
    is_noise = numbers(layer.log_alpha())[:, 0] >= 3
    np.testing.assert_array_equal(is_noise, [False, *[True] * 5])
    assert abs(float(layer.sparsity()) - 5 / 6) < 1e-6


# refusals

X = array(2, 3, 4)
REFUSALS = [
    (lambda: FilterResponseNormalization()(X[0]), "a mean over the places"),
    (lambda: FilterResponseNormalization(axis=[0, 1])(X), "axes after the batch"),
    (lambda: FilterResponseNormalization(axis=5)(X), "Axis 5 is out of bounds"),
    (lambda: FilterResponseNormalization(epsilon=-1), "`epsilon` argument must be"),
    (lambda: TLU(axis=0)(X), "`axis` must be an axis of known size"),
    (lambda: TLU(axis=3)(X), "`axis` must be an axis of known size"),
    (lambda: Snake(axis=1)(keras.Input((None, 3))), "`axis` must be an axis of"),
    (lambda: RReLU(-0.5), "`lower` argument must be a number of at least 0"),
    (lambda: RReLU(0.5, 0.25), "`lower` must not exceed `upper`"),
    (lambda: PoincareNormalize(epsilon=1.0), "`epsilon` must be a number of"),
    (lambda: PolynomialCrossing(0), "`projection_dim` must be a positive integer"),
    (lambda: PolynomialCrossing(3)([X, X]), "at most half of the number"),
    (lambda: PolynomialCrossing()(X), "takes a list"),
    (lambda: PolynomialCrossing()([X, X, X]), "takes a list"),
    (lambda: PolynomialCrossing()([X, X[..., :2]]), "takes a list"),
    (lambda: NoisyDense(0), "`units` must be a positive integer"),
    (lambda: NoisyDense(2, sigma=-1), "`sigma` argument must be"),
    (lambda: VariationalDense(2, kl_weight=-1), "`kl_weight` argument must be"),
]


@pytest.mark.parametrize(("make", "message"), REFUSALS)
def test_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_poincare_refuses_what_is_not_an_axis():
    with pytest.raises(TypeError, match="for the argument 'axis'"):
        PoincareNormalize(axis=None)
