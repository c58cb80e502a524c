"""What a plain script of the lab needs: digits, gradients, descents, pictures."""

import itertools
from collections.abc import Callable
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import ops
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def small_digits(seed: int = 0) -> list[tuple]:
    """(x, y) to train, to validate and to test on; x are 8x8 pixels from 0 to 1."""
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(x))
    parts = np.split(order, [1317, 1437])
    return [((x[rows] / 16).astype("float32"), y[rows]) for rows in parts]


def flat_digits() -> tuple:
    """(x, y) to train on and (x, y) to test on; x are 784 pixels from 0 to 1."""
    x, y = load_digits(return_X_y=True)
    x = np.kron(x.reshape(-1, 8, 8) / 16, np.ones((1, 3, 3)))
    x = np.pad(x, ((0, 0), (2, 2), (2, 2))).reshape(-1, 784)
    x, x_test, y, y_test = train_test_split(x, y, test_size=360, random_state=0)
    return (x, y), (x_test, y_test)


def mislabel(y, share: float, rng: np.random.Generator) -> np.ndarray:
    """The labels, of which about `share` are replaced by a wrong digit."""
    wrong = (y + rng.integers(1, 10, len(y))) % 10
    return np.where(rng.random(len(y)) < share, wrong, y)


def shuffled(count: int, size: int, steps: int, seed: int = 0) -> np.ndarray:
    """Rows of `count` examples, (steps, size): every example once per pass."""
    rng = np.random.default_rng(seed)
    passes = -(-steps * size // count)
    rows = np.concatenate([rng.permutation(count) for _ in range(passes)])
    return rows[: steps * size].reshape(steps, size)


def take_steps(model, x, y, steps: int, batch_size: int | None = None, seed: int = 0):
    """Takes gradient steps, each on a random batch, or else on all examples."""
    rows = np.tile(np.arange(len(x)), steps)
    if batch_size:
        rows = np.random.default_rng(seed).integers(len(x), size=steps * batch_size)
    model.fit(x[rows], y[rows], batch_size or len(x), shuffle=False, verbose=0)


def accuracy_of(model: keras.Model, x, y) -> float:
    return np.mean(np.array(model(x)).argmax(-1) == y)


def loss_and_accuracy(model: keras.Model, x, y, loss) -> tuple[float, float]:
    logits = np.array(model(x))
    classes = y if y.ndim == 1 else y.argmax(-1)
    return float(loss(y, logits)), np.mean(logits.argmax(-1) == classes)


def kernel_gradients(model: keras.Model, x, y) -> list[np.ndarray]:
    """Gradient of a compiled model's loss for every kernel, from the first layer up."""
    kernels = [v.value for v in model.trainable_variables if v.name == "kernel"]
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True))
    return [np.array(gradient) for gradient in tape.gradient(loss, kernels)]


def gradient_norms(model: keras.Model, x, y) -> list:
    """Norm of the gradient for every kernel, from the first layer up."""
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True))
    kernels = [v.value for v in model.trainable_variables if v.name == "kernel"]
    return [np.linalg.norm(g) for g in tape.gradient(loss, kernels)]


def numeric_gradient(f: Callable, w: np.ndarray, h: float = 1e-6) -> np.ndarray:
    """df/dw = (f(w + h) - f(w - h)) / (2 h), element by element of w."""
    gradient = np.zeros_like(w)
    for place in np.ndindex(w.shape):
        for sign in (1, -1):
            w[place] += sign * h
            gradient[place] += sign * f() / (2 * h)
            w[place] -= sign * h
    return gradient


def slope(f: Callable, x: np.ndarray) -> np.ndarray:
    """df/dx, element by element of x."""
    x = tf.convert_to_tensor(x, "float64")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x).numpy()


def flow(x, weights, f: Callable, gradient, inputs=None) -> tuple:
    """Sizes (RMS) of the signal on its way up, and of its gradient on its way down."""
    h, sums, up, down = x, [], [], []
    for i, W in enumerate(weights):
        sums.append(h @ W + (0 if inputs is None else inputs[i]))
        h = np.array(f(sums[-1]))
        up.append(np.sqrt(np.mean(h * h)))
    for df, W in zip(slope(f, np.array(sums))[::-1], weights[::-1]):
        dz = gradient * df
        down.append(np.sqrt(np.mean(dz * dz)))
        gradient = dz @ np.swapaxes(W, -1, -2)
    return np.array(up), np.array(down[::-1])


def descend(optimizer, weights, loss: Callable, steps: int, keep=None) -> np.ndarray:
    """Takes gradient steps; returns what `keep`, or else the loss, is before each."""
    optimizer.build(weights)

    @tf.function(autograph=False)
    def step(i):
        with tf.GradientTape() as tape:
            value = loss(i)
        measured = keep() if keep else value
        optimizer.apply(tape.gradient(value, weights), weights)
        return measured

    return np.array([step(tf.constant(i)) for i in range(steps)])


def minimize(optimizer, start, loss: Callable, steps: int) -> list[np.ndarray]:
    """The arrays for which loss(*arrays) is smallest, by descent from `start`."""
    weights = [keras.Variable(array, dtype="float32") for array in start]
    descend(optimizer, weights, lambda _: loss(*weights), steps)
    return [np.array(w) for w in weights]


class Networks:
    """Networks with one hidden layer, trained at once: `copies` for each rate."""

    def __init__(
        self, optimizer: Callable, rates: Any, sizes: tuple, copies: int, seed: int
    ) -> None:
        self.shape = copies, len(rates)
        rate = np.tile(np.array(rates, "float32"), copies)[:, None, None]
        self.optimizer = optimizer(lambda: rate)
        rng = np.random.default_rng(seed)
        self.weights = []
        for inputs, outputs in itertools.pairwise(sizes):
            shape = copies, inputs, outputs
            W = rng.normal(scale=np.sqrt(2 / inputs), size=shape)
            for w in (W, np.zeros((copies, 1, outputs))):
                w = np.repeat(w, len(rates), 0)
                self.weights.append(keras.Variable(w, dtype="float32"))

    def answer(self, x, y):
        """(the mean of -log softmax(z)[y], the share of right answers) of each."""
        W1, b1, W2, b2 = self.weights
        z = ops.matmul(ops.relu(ops.matmul(x, W1) + b1), W2) + b2
        losses = ops.logsumexp(z, -1) - ops.sum(z * ops.one_hot(y, z.shape[-1]), -1)
        is_right = ops.cast(ops.argmax(z, -1) == ops.cast(y, "int32"), "float32")
        return ops.stack([ops.mean(losses, -1), ops.mean(is_right, -1)])

    def train(self, x, y, rows, watch: Any = ()):
        """Losses before each step, or the answers to each (x, y) in `watch`."""
        x, y, rows = (ops.convert_to_tensor(a) for a in (x, y, rows))

        def loss(i):
            return self.answer(ops.take(x, rows[i], 0), ops.take(y, rows[i]))[0]

        keep = (lambda: ops.stack([self.answer(*w) for w in watch])) if watch else None
        found = descend(self.optimizer, self.weights, loss, len(rows), keep)
        return found.reshape(*found.shape[:-1], *self.shape).astype("float64")

    def evaluate(self, x, y):
        return np.array(self.answer(x, y)).reshape(2, *self.shape).astype("float64")


def moving_average(values: np.ndarray, count: int) -> np.ndarray:
    return np.convolve(values, np.ones(count) / count, "valid")


def adding_problem(count: int, length: int, rng: np.random.Generator) -> tuple:
    """Numbers, two of which are marked, (count, length, 2), and these two's sum."""
    x = np.stack([rng.random((count, length)), np.zeros((count, length))], -1)
    row, half = np.arange(count), length // 2
    x[row, rng.integers(0, half, count), 1] = 1
    x[row, rng.integers(half, length, count), 1] = 1
    return x.astype("float32"), x.prod(-1).sum(1, keepdims=True)


def copy_task(
    count: int, length: int, rng: np.random.Generator, symbols: int, kinds: int
) -> tuple:
    """One-hot symbols, `length` blanks, and signs that ask for the symbols again."""
    y = rng.integers(kinds, size=(count, symbols))
    blanks, signs = np.full((count, length), kinds), np.full_like(y, kinds + 1)
    numbers = np.concatenate([y, blanks, signs], 1)
    return np.eye(kinds + 2, dtype="float32")[numbers], y


def draw_paths(surfaces: dict, paths: dict, title: str, name: str, frames: int) -> None:
    """The paths {heading: {label: (steps, 2)}} over the surfaces' contour lines."""
    figure, places = plt.subplots(1, len(surfaces), figsize=(4 * len(surfaces), 4))
    for axes, (heading, (f, (width, height))) in zip(places, surfaces.items()):
        x, y = np.linspace(-width, width, 200), np.linspace(-height, height, 200)
        heights = f(*np.meshgrid(x, y))
        axes.contour(x, y, heights, np.geomspace(0.01, 1000, 11), colors="#BBBBBB")
        for label, path in paths[heading].items():
            axes.plot(*path.T, "o-", markevery=[-1], label=label)
        axes.set(title=heading)
        axes.legend(fontsize=7)
    figure.suptitle(title)
    figure.savefig(f"{name}.png")
