"""Formulas of papers in NumPy, for models that Keras lacks.

ERRORS has, for each name, a function that takes the class, the real one or a mutant,
and returns its largest relative error.
"""

import keras
import numpy as np

from oracle import array

LOW, HIGH = -1.0, 3.0  # the two values of the samples
BETA = 0.625


def autoencoder(cls, latent=2, values=3, **options):
    """A small model whose weights are not those of its start."""
    encoder = keras.Sequential([keras.Input((values,)), keras.layers.Dense(2 * latent)])
    hidden = keras.layers.Dense(4, activation="tanh")
    decoder = keras.Sequential(
        [keras.Input((latent,)), hidden, keras.layers.Dense(values)]
    )
    for seed, weight in enumerate([*encoder.weights, *decoder.weights]):
        weight.assign(array(*weight.shape, seed=seed))
    return cls(encoder, decoder, **{"value_range": (LOW, HIGH), **options})


def binary(rows, values=3, seed=5):
    """Samples of the two values."""
    return np.where(array(rows, values, seed=seed) > 0, HIGH, LOW).astype("float32")


def described(model, x):
    """The mean and the log variance of q(z | x)."""
    W, b = (np.asarray(w, "float64") for w in model.encoder.get_weights())
    return np.split(x @ W + b, 2, axis=-1)


def probabilities(model, z):
    """The chance of HIGH for each value, at latent vectors z."""
    W, b, V, c = (np.asarray(w, "float64") for w in model.decoder.get_weights())
    return 1 / (1 + np.exp(-(np.tanh(z @ W + b) @ V + c)))


def log_p_of(model, x, z):
    """log p(x | z) for x (B, D) and z (..., B, L)."""
    p = probabilities(model, z)
    return np.where(x == HIGH, np.log(p), np.log(1 - p)).sum(-1)


def log_normal(z, mean=0.0, log_variance=0.0):
    square = (z - mean) ** 2 / np.exp(log_variance)
    return -0.5 * np.sum(square + log_variance + np.log(2 * np.pi), axis=-1)


def noise(shape, seed):
    """The numbers that a SeedGenerator of that seed gives first."""
    e = keras.random.normal(shape, seed=keras.random.SeedGenerator(seed))
    return keras.ops.convert_to_numpy(e).astype("float64")


def evidence_bound(model, x, beta, seed):
    mean, log_variance = described(model, x)
    e = noise((len(x), 1, mean.shape[1]), seed)[:, 0]
    z = mean + np.sqrt(np.exp(log_variance)) * e
    entropy = 0.5 * np.sum(1 + np.log(2 * np.pi) + log_variance, axis=-1)
    second_moment = mean**2 + np.exp(log_variance)
    cross_entropy = 0.5 * np.sum(np.log(2 * np.pi) + second_moment, axis=-1)
    return log_p_of(model, x, z) - beta * (cross_entropy - entropy)


def weighted_bound(model, x, samples, beta, seed):
    mean, log_variance = described(model, x)
    e = noise((len(x), samples, mean.shape[1]), seed).swapaxes(0, 1)
    z = mean + np.sqrt(np.exp(log_variance)) * e
    prior, posterior = log_normal(z), log_normal(z, mean, log_variance)
    weights = np.exp(log_p_of(model, x, z) + beta * (prior - posterior))
    return np.log(weights.mean(0))


def _error(actual, desired):
    actual = keras.ops.convert_to_numpy(actual)
    assert actual.shape == np.shape(desired)
    return np.abs(actual - desired).max() / np.abs(desired).max()


def _autoencoder(cls):
    x = binary(6)
    model = autoencoder(cls, beta=BETA, samples=3)
    z = array(4, 2, seed=9)
    expected = LOW + (HIGH - LOW) * probabilities(model, z)
    model.seed = keras.random.SeedGenerator(4)
    loss = model.compute_loss(x, training=False)
    model.seed = keras.random.SeedGenerator(4)
    drawn = model._drawn(x)  # no value is uncertain, so that none may change
    seeds = [keras.random.SeedGenerator(3) for _ in range(2)]
    pairs = [
        (model.bound(x, 1, BETA, seed=seeds[0]), evidence_bound(model, x, BETA, 3)),
        (model.bound(x, 4, BETA, seed=seeds[1]), weighted_bound(model, x, 4, BETA, 3)),
        (loss, -weighted_bound(model, x, 3, BETA, 4).mean()),
        (drawn, x),
        (model.generator(z), expected),
    ]
    return max(_error(actual, desired) for actual, desired in pairs)


ERRORS = {"VariationalAutoencoder": _autoencoder}
