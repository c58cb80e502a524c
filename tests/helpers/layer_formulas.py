"""Formulas of papers in NumPy, for layers and activations that Keras lacks.

ERRORS has, for each name, a function that takes the component, the real one or a
mutant, and returns its largest relative error, in its output or in a gradient. The
gradients of a formula are central differences in float64.
"""

import keras
import numpy as np

from oracle import array, run_layer


def error_of_layer(layer, formula, *inputs, **call):
    """How far the layer is from formula(*inputs, *its trainable weights)."""
    x = list(inputs) if len(inputs) > 1 else inputs[0]
    layer(x)
    for i, weight in enumerate(layer.trainable_weights):
        weight.assign(0.75 + 0.5 * array(*weight.shape, seed=10 + i))
    found = run_layer(layer, x, **call)
    values = [np.asarray(value, "float64") for value in inputs]
    weights = map(keras.ops.convert_to_numpy, layer.trainable_weights)
    values += [weight.astype("float64") for weight in weights]
    names = [f"input {i}" for i in range(len(inputs))]
    names += [w.path.split("/", 1)[-1] for w in layer.trainable_weights]
    y = formula(*values)
    c = array(*y.shape, seed=3)  # as in run_layer
    errors = [_error(found["output 0"], y)]
    for i, name in enumerate(names):
        # TensorFlow and torch leave out a gradient that is 0 everywhere.
        gradient = found.get(f"gradient to {name}", np.zeros_like(values[i]))
        errors.append(_error(gradient, _slope(formula, values, i, c)))
    return max(errors)


def _error(actual, desired):
    assert actual.shape == desired.shape
    return np.abs(actual - desired).max() / max(np.abs(desired).max(), 1e-30)


def _slope(formula, values, index, c):
    """The gradient of sum(formula(*values) * c) to the value at the index."""
    gradient = np.zeros_like(values[index])
    for place in np.ndindex(gradient.shape):
        sums = []
        for step in (1e-6, -1e-6):
            moved = [value.copy() for value in values]
            moved[index][place] += step
            sums.append(np.sum(formula(*moved) * c))
        gradient[place] = (sums[0] - sums[1]) / 2e-6
    return gradient


def filter_response_normalization(x, gamma, beta, learned):
    nu_2 = np.mean(x**2, axis=(1, 2), keepdims=True)
    return x / np.sqrt(nu_2 + 0.25 + abs(learned)) * gamma + beta


def snake(x, a):
    return x + np.sin(a * x) ** 2 / a


def poincare(x):
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    return np.where(norm > 0.75, x * 0.75 / norm, x)


def crossing(x0, x, u, v, b):
    return x0 * (x @ (u @ v + 0.5 * np.eye(len(u))) + b) + x


def variational(x, theta, log_sigma2, b):
    is_kept = log_sigma2 - np.log(theta**2) < 0.5
    return np.tanh(x @ (theta * is_kept) + b)


def _frn(cls):
    layer = cls(epsilon=0.25, learned_epsilon=True)
    return error_of_layer(layer, filter_response_normalization, array(2, 3, 2, 4))


def _tlu(cls):
    def formula(x, tau, alpha):
        return np.maximum(x, alpha * x + tau)

    return error_of_layer(cls(affine=True), formula, array(2, 3, 4))


def _snake_layer(cls):
    return error_of_layer(cls(axis=-1), snake, array(2, 3, 4))


def _rrelu_layer(cls):
    def formula(x):
        return np.where(x >= 0, x, 0.375 * x)

    return error_of_layer(cls(0.25, 0.5), formula, array(3, 4))


def _poincare(cls):
    return error_of_layer(cls(epsilon=0.25), poincare, array(4, 3) * 0.5)


def _crossing(cls):
    layer = cls(projection_dim=2, diag_scale=0.5)
    return error_of_layer(layer, crossing, array(3, 4), array(3, 4, seed=1))


def _noisy(cls):
    """With factorized and with independent noise, each drawn once."""
    errors = []
    for use_factorised in (True, False):
        layer = cls(3, use_factorised=use_factorised, activation="tanh", seed=1)
        layer.build((None, 2))
        layer.reset_noise()
        e_W, e_b = (keras.ops.convert_to_numpy(w) for w in layer.weights[-2:])
        if use_factorised:  # e_W[i, j] e_b[k] = f(p_i) f(q_j) f(q_k)
            outer = e_W[:, :, None] * e_b
            errors.append(_error(outer, outer.transpose(0, 2, 1)))

        def formula(x, sigma_W, mu_W, sigma_b, mu_b, e_W=e_W, e_b=e_b):
            return np.tanh(x @ (mu_W + sigma_W * e_W) + mu_b + sigma_b * e_b)

        errors.append(error_of_layer(layer, formula, array(4, 2)))
    return max(errors)


def _variational(cls):
    """In inference; the weights of `error_of_layer` lie on both sides of 0.5."""
    layer = cls(3, kl_weight=0.25, threshold=0.5, activation="tanh")
    error = error_of_layer(layer, variational, array(4, 2))
    layer(array(4, 2))
    (loss,) = keras.ops.convert_to_numpy(layer.losses)
    theta, log_sigma2 = layer.get_weights()[:2]
    log_alpha = log_sigma2 - np.log(theta**2)
    rise = 0.63576 / (1 + np.exp(1.8732 + 1.48695 * log_alpha))
    desired = 0.25 * np.sum(rise + 0.5 * np.log(1 + np.exp(-log_alpha)))
    return max(error, _error(loss, desired))


def _of_function(formula, **options):
    def error(function):
        layer = keras.layers.Activation(lambda x: function(x, **options))
        return error_of_layer(layer, formula, array(3, 4) * 2)

    return error


ERRORS = {
    "FilterResponseNormalization": _frn,
    "TLU": _tlu,
    "Snake": _snake_layer,
    "RReLU": _rrelu_layer,
    "PoincareNormalize": _poincare,
    "PolynomialCrossing": _crossing,
    "NoisyDense": _noisy,
    "VariationalDense": _variational,
    "lisht": _of_function(lambda x: x * np.tanh(x)),
    "rrelu": _of_function(
        lambda x: np.where(x >= 0, x, 0.375 * x), lower=0.25, upper=0.5
    ),
    "snake": _of_function(lambda x: snake(x, 1.5), frequency=1.5),
}
