"""Diffusion in NumPy, from the papers, and models whose best denoiser is known.

ERRORS has, for each name, a function that takes the class, the real one or a mutant,
and returns its largest relative error.
"""

import keras
import numpy as np

from oracle import array

T = 12
CLASSES = 2
RANGE = (-1.0, 1.5)
CASES = (("linear", "noise", 100), ("cosine", "velocity", T))


def kept_variance(schedule, timesteps):
    """alpha_bar from level 0 on: "linear" of DDPM, "cosine" of Nichol and Dhariwal."""
    if schedule == "linear":
        beta = np.linspace(0.1 / timesteps, 20 / timesteps, timesteps)
        beta = np.minimum(beta, 0.999)
    else:
        t = np.arange(timesteps + 1)
        f = np.cos((t / timesteps + 0.008) / 1.008 * np.pi / 2) ** 2
        beta = np.minimum(1 - f[1:] / f[:-1], 0.999)
    return np.concatenate([[1.0], np.cumprod(1 - beta)])


def posterior(alpha_bar, x_t, x_0, t):
    """Mean and variance of q(x_(t-1) | x_t, x_0), equations 6 and 7 of DDPM."""
    alpha = alpha_bar[t] / alpha_bar[t - 1]
    beta = 1 - alpha
    rest, before = 1 - alpha_bar[t], 1 - alpha_bar[t - 1]
    mean = np.sqrt(alpha_bar[t - 1]) * beta / rest * x_0
    mean = mean + np.sqrt(alpha) * before / rest * x_t
    return mean, before / rest * beta


def ddim(alpha_bar, x_t, x_0, e, t, s, eta, z):
    """Equation 12 of DDIM, with its equation 16 for sigma."""
    sigma = eta * np.sqrt((1 - alpha_bar[s]) / (1 - alpha_bar[t]))
    sigma = sigma * np.sqrt(1 - alpha_bar[t] / alpha_bar[s])
    rest = np.sqrt(np.maximum(1 - alpha_bar[s] - sigma**2, 0))
    return np.sqrt(alpha_bar[s]) * x_0 + rest * e + sigma * z


def cleaned(alpha_bar, x_t, predicted, t, prediction, value_range):
    """x_0 and e by a prediction of the velocity, or of the noise."""
    a, b = np.sqrt(alpha_bar[t]), np.sqrt(1 - alpha_bar[t])
    x_0 = (
        (x_t - b * predicted) / a if prediction == "noise" else a * x_t - b * predicted
    )
    if value_range:
        x_0 = np.clip(x_0, *value_range)
    return x_0, (x_t - a * x_0) / b


def _error(actual, desired):
    actual = keras.ops.convert_to_numpy(actual)
    desired = np.asarray(desired)
    assert actual.shape == desired.shape
    return np.abs(actual - desired).max() / max(np.abs(desired).max(), 1e-30)


def _of_process(cls):
    """Noise is added, and taken out, as the papers say."""
    x, e, z = (array(4, 3, seed=seed) for seed in (1, 2, 3))
    t = np.array([1, 4, 9, 11])
    errors = []
    for schedule, prediction, levels in CASES:
        process = cls(levels, schedule, prediction, None)
        kept = kept_variance(schedule, levels)
        errors += [_error(process.a**2, kept), _error(process.b**2, 1 - kept)]
        a, b = np.sqrt(kept[t])[:, None], np.sqrt(1 - kept[t])[:, None]
        x_t, target = a * x + b * e, {"noise": e, "velocity": a * e - b * x}[prediction]
        errors.append(_error(process.noisy(x, e, t), x_t))
        errors.append(_error(process.target(x, e, t), target))
        x_t, target = x_t.astype("float32"), target.astype("float32")
        for found, true in zip(process.cleaned(x_t, target, t), (x, e)):
            errors.append(_error(found, true))
        mean, variance = posterior(kept, x_t[2], x[2], 9)
        one_step = process.step(x_t[2:3], target[2:3], 9, 8, 1.0, z[2:3])
        errors.append(_error(one_step[0], mean + np.sqrt(variance) * z[2]))
        for s, eta in ((8, 0.0), (3, 0.5), (0, 1.0)):
            found = process.step(x_t[2:3], target[2:3], 9, s, eta, z[2:3])
            errors.append(_error(found[0], ddim(kept, x_t, x, e, 9, s, eta, z)[2]))
        clipped = cls(levels, schedule, prediction, RANGE)
        answer = 40 * array(4, 3, seed=4)  # far outside the range
        pairs = zip(
            clipped.cleaned(x_t[1:2], answer[1:2], 4),
            cleaned(kept, x_t[1:2], answer[1:2], 4, prediction, RANGE),
        )
        errors += [_error(found, true) for found, true in pairs]
    errors.append(_error(process.pairs(4), [[12, 9], [9, 6], [6, 3], [3, 0]]))
    return max(errors)


def denoiser(classes=CLASSES):
    """A small denoiser whose weights are not those of its start."""
    noisy, t = keras.Input((3,)), keras.Input((), dtype="int32")
    inputs = [noisy, t]
    parts = [noisy, keras.layers.Embedding(T + 1, 2)(t)]
    if classes:
        label = keras.Input((), dtype="int32")
        inputs.append(label)
        parts.append(keras.layers.Embedding(classes + 1, 2)(label))
    y = keras.layers.Dense(4, activation="tanh")(keras.layers.Concatenate()(parts))
    model = keras.Model(inputs, keras.layers.Dense(3)(y))
    for seed, weight in enumerate(model.weights):
        weight.assign(array(*weight.shape, seed=seed))
    return model


def answer_of(model, x_t, t, label):
    """What that denoiser returns, in NumPy."""
    when, which, W, b, V, c = (np.asarray(w, "float64") for w in model.get_weights())
    features = np.concatenate([x_t, when[t], which[label]], axis=-1)
    return np.tanh(features @ W + b) @ V + c


def draws(count, seed, timesteps=T):
    """Timesteps, noise and chances that a SeedGenerator of that seed gives in turn."""
    generator = keras.random.SeedGenerator(seed)
    numbers = keras.ops.convert_to_numpy
    start = float(keras.random.uniform((), seed=generator))
    e = numbers(keras.random.normal((count, 3), seed=generator))
    chance = numbers(keras.random.uniform((count,), seed=generator))
    t = 1 + np.floor((np.arange(count) / count + start) % 1 * timesteps).astype(int)
    return t, e, chance


def expected_loss(model, x, labels, seed, unlabelled):
    t, e, chance = draws(len(x), seed)
    kept = kept_variance("cosine", T)
    a, b = np.sqrt(kept[t])[:, None], np.sqrt(1 - kept[t])[:, None]
    labels = np.where(chance < unlabelled, CLASSES, labels)
    answer = answer_of(model.denoiser, a * x + b * e, t, labels)
    return np.square(answer - (a * e - b * x)).mean(-1)


def _of_model(cls):
    """The loss of a batch, half of whose labels are hidden."""
    x, labels = array(40, 3, seed=1), np.arange(40) % CLASSES
    weight = np.linspace(0, 2, 40).astype("float32")
    model = cls(denoiser(), CLASSES, T, unlabelled=0.5)
    model.seed = keras.random.SeedGenerator(5)
    inputs, target, given = model._noisy((x, labels, weight), training=True)
    loss = model.compute_loss(inputs, target, model(inputs), given)
    expected = expected_loss(model, x, labels, 5, 0.5)
    return _error(loss, np.mean(weight * expected))


def _of_sampling(cls):
    """Samples of all steps, guided, out of given noise."""
    noise, labels = array(5, 3, seed=2), np.arange(5) % CLASSES
    network, w = denoiser(), 0.75
    layer = cls(network, CLASSES, 4, w, T, "cosine", "velocity", RANGE)
    x, kept = np.asarray(noise, "float64"), kept_variance("cosine", T)
    for t, s in ((12, 9), (9, 6), (6, 3), (3, 0)):
        times = np.full(5, t)
        asked, none = (
            answer_of(network, x, times, label)
            for label in (labels, np.full(5, CLASSES))
        )
        predicted = (1 + w) * asked - w * none
        x_0, e = cleaned(kept, x, predicted, t, "velocity", RANGE)
        x = ddim(kept, x, x_0, e, t, s, 0.0, 0.0)
    return _error(layer([noise, labels.astype("int32")]), x)


ERRORS = {
    "DiffusionModel": _of_model,
    "_Process": _of_process,
    "_Sampling": _of_sampling,
}
