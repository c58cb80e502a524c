"""Formulas of papers in NumPy, for models that Keras lacks.

ERRORS has, for each name, a function that takes the class, the real one or a mutant,
and returns its largest relative error.
"""

import keras
import numpy as np

from custom_layers.models import GradientPenalty
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


# The networks of a CycleGAN, in the order of its arguments.
NETWORKS = ("generator", "inverse", "critic_x", "critic_y")
CYCLE, IDENTITY, PENALTY, RATE = 3.0, 2.0, 0.25, 0.1


def cycle_gan(cls, **options):
    """A small model of points in the plane, whose weights are not those of its start.

    Its generators are tanh(x W + b), its critics x W + b.
    """
    networks = []
    for name in NETWORKS:
        is_critic = name.startswith("critic")
        layer = keras.layers.Dense(
            1 if is_critic else 2, activation=None if is_critic else "tanh"
        )
        networks.append(keras.Sequential([keras.Input((2,)), layer]))
    weights = [weight for network in networks for weight in network.weights]
    for seed, weight in enumerate(weights):
        weight.assign(array(*weight.shape, seed=seed))
    penalty = GradientPenalty(PENALTY, target=0, at="real")
    weights_of_losses = {"cycle": CYCLE, "identity": IDENTITY}
    return cls(*networks, **{"penalty": penalty, **weights_of_losses, **options})


def weights_of(model):
    """{network: [W, b]} in double precision."""
    return {
        name: [np.asarray(w, "float64") for w in getattr(model, name).get_weights()]
        for name in NETWORKS
    }


def translated(weights, samples):
    W, b = weights
    return np.tanh(samples @ W + b)


def scored(weights, samples):
    W, b = weights
    return samples @ W + b


def losses_of_cycle_gan(weights, x, y, x_made=None, y_made=None):
    """{loss: its value}, with the critics' loss for those translations, if given."""

    def G(samples):
        return translated(weights["generator"], samples)

    def F(samples):
        return translated(weights["inverse"], samples)

    def distance(a, b):
        return np.abs(a - b).mean()

    fooling = 0
    critics = 0
    made = F(y) if x_made is None else x_made, G(x) if y_made is None else y_made
    for name, real, present, seen in (
        ("critic_x", x, F(y), made[0]),
        ("critic_y", y, G(x), made[1]),
    ):
        fooling += np.mean((scored(weights[name], present) - 1) ** 2)
        critics += np.mean((scored(weights[name], real) - 1) ** 2)
        critics += np.mean(scored(weights[name], seen) ** 2)
    return {
        "generator_loss": fooling,
        "critic_loss": critics,
        "cycle_loss": distance(F(G(x)), x) + distance(G(F(y)), y),
        "identity_loss": distance(G(y), y) + distance(F(x), x),
    }


def step_of_cycle_gan(weights, x, y):
    """The weights after one step of plain gradient descent, by small differences."""
    x_made = translated(weights["inverse"], y)
    y_made = translated(weights["generator"], x)

    def of_generators():
        losses = losses_of_cycle_gan(weights, x, y)
        cycles = CYCLE * losses["cycle_loss"] + IDENTITY * losses["identity_loss"]
        return losses["generator_loss"] + cycles

    def of_critics():
        losses = losses_of_cycle_gan(weights, x, y, x_made, y_made)
        slopes = [weights[name][0] for name in ("critic_x", "critic_y")]
        return losses["critic_loss"] + PENALTY * sum(np.sum(W**2) for W in slopes)

    after = {}
    for name in NETWORKS:
        loss = of_critics if name.startswith("critic") else of_generators
        after[name] = [w - RATE * _slopes(loss, w) for w in weights[name]]
    return after


def _slopes(loss, weight, step=1e-5):
    """The derivative of loss() to each number of an array, which it is computed from.

    Each number is changed a little, and put back.
    """
    slopes = np.zeros_like(weight)
    for place in np.ndindex(weight.shape):
        kept = weight[place]
        weight[place] = kept + step
        above = loss()
        weight[place] = kept - step
        below = loss()
        weight[place] = kept
        slopes[place] = (above - below) / (2 * step)
    return slopes


def _cycle_gan(cls):
    x, y = array(5, 2, seed=20), array(5, 2, seed=21)
    model = cycle_gan(cls)
    before = weights_of(model)
    optimizers = [keras.optimizers.SGD(RATE) for _ in range(2)]
    model.compile(*optimizers, run_eagerly=True)
    found = model.train_on_batch(x, y, return_dict=True)
    expected = losses_of_cycle_gan(before, x, y)
    assert set(found) == set(expected)
    errors = [_error(found[name], expected[name]) for name in expected]

    step = step_of_cycle_gan(before, x, y)
    for name, arrays in weights_of(model).items():
        for old, new, wanted in zip(before[name], arrays, step[name]):
            errors.append(_error(old - new, old - wanted))
    model.reset_metrics()
    tested = model.test_on_batch(x, y, return_dict=True)
    expected = losses_of_cycle_gan(weights_of(model), x, y)
    errors += [_error(tested[name], expected[name]) for name in expected]
    return max(errors)


ERRORS = {"VariationalAutoencoder": _autoencoder, "CycleGAN": _cycle_gan}
