"""What a plain script of the lab needs: digits, gradients, descents, pictures."""

import itertools
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import Variable, ops
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def small_digits(seed: int = 0) -> list[tuple]:
    """(x, y) to train, to validate and to test on; x are 8x8 pixels from 0 to 1."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")

    order = np.random.default_rng(seed).permutation(len(x))
    parts = np.split(order, [1317, 1437])
    return [(x[rows], y[rows]) for rows in parts]


def flat_digits() -> tuple:
    """(x, y) to train on and (x, y) to test on; x are 784 pixels from 0 to 1."""
    x, y = load_digits(return_X_y=True)
    x = np.kron(x.reshape(-1, 8, 8) / 16, np.ones((1, 3, 3)))
    x = np.pad(x, ((0, 0), (2, 2), (2, 2)))  # 28 x 28
    x, x_test, y, y_test = train_test_split(
        x.reshape(-1, 784), y, test_size=360, random_state=0
    )
    return (x, y), (x_test, y_test)


def mislabel(y, share: float, rng: np.random.Generator) -> np.ndarray:
    """The labels, of which about `share` are replaced by a wrong digit."""
    shift = rng.integers(1, 10, len(y))  # never 0: the label would stay right
    is_wrong = rng.random(len(y)) < share
    return np.where(is_wrong, (y + shift) % 10, y)


def shuffled(count: int, size: int, steps: int, seed: int = 0) -> np.ndarray:
    """Rows of `count` examples, (steps, size): every example once per pass."""
    rng = np.random.default_rng(seed)
    needed = steps * size
    passes = -(-needed // count)

    rows = np.concatenate([rng.permutation(count) for _ in range(passes)])
    return rows[:needed].reshape(steps, size)


def take_steps(model, x, y, steps: int, batch_size=None, seed: int = 0) -> None:
    """Takes gradient steps, each on a random batch, or else on all examples."""
    if batch_size is None:
        batch_size = len(x)
        rows = np.tile(np.arange(batch_size), steps)
    else:
        rng = np.random.default_rng(seed)
        rows = rng.integers(len(x), size=steps * batch_size)
    model.fit(x[rows], y[rows], batch_size, shuffle=False, verbose=0)


def accuracy_of(model, x, y) -> float:
    logits = np.array(model(x))
    is_right = logits.argmax(-1) == y
    return is_right.mean()


def loss_and_accuracy(model, x, y, loss: Callable) -> tuple[float, float]:
    logits = np.array(model(x))
    classes = y if y.ndim == 1 else y.argmax(-1)

    is_right = logits.argmax(-1) == classes
    return float(loss(y, logits)), is_right.mean()


def kernel_gradients(model, x, y) -> list[np.ndarray]:
    """Gradient of a compiled model's loss for every kernel, from the first layer up."""
    kernels = [v.value for v in model.trainable_variables if v.name == "kernel"]
    with tf.GradientTape() as tape:
        logits = model(x, training=True)
        loss = model.compute_loss(x, y, logits)

    gradients = tape.gradient(loss, kernels)
    return [np.array(gradient) for gradient in gradients]


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
    h = x
    sums = []
    up = []
    for i, W in enumerate(weights):
        z = h @ W
        if inputs is not None:
            z += inputs[i]
        sums.append(z)
        h = np.array(f(z))
        up.append(np.sqrt(np.mean(h * h)))

    slopes = slope(f, np.array(sums))
    down = []
    for df, W in zip(slopes[::-1], weights[::-1]):
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
    weights = [Variable(array, dtype="float32") for array in start]

    descend(optimizer, weights, lambda _: loss(*weights), steps)
    return [np.array(w) for w in weights]


class Networks:
    """Networks with one hidden layer, trained at once: `copies` for each rate."""

    def __init__(
        self, optimizer: Callable, rates: Any, sizes: tuple, copies: int, seed: int
    ) -> None:
        self.shape = copies, len(rates)
        rate = np.tile(np.array(rates, "float32"), copies)
        self.optimizer = optimizer(lambda: rate[:, None, None])

        self.weights = []
        rng = np.random.default_rng(seed)
        for inputs, outputs in itertools.pairwise(sizes):
            scale = np.sqrt(2 / inputs)
            W = rng.normal(scale=scale, size=(copies, inputs, outputs))
            b = np.zeros((copies, 1, outputs))
            self.weights += [self.repeated(W), self.repeated(b)]

    def repeated(self, w):
        """Weights of all copies, the same for each rate."""
        _, rates = self.shape
        return Variable(np.repeat(w, rates, axis=0), dtype="float32")

    def answer(self, x, y):
        """(the mean of -log softmax(z)[y], the share of right answers) of each."""
        W1, b1, W2, b2 = self.weights
        h = ops.relu(ops.matmul(x, W1) + b1)
        z = ops.matmul(h, W2) + b2

        truth = ops.one_hot(y, z.shape[-1])
        losses = ops.logsumexp(z, -1) - ops.sum(z * truth, -1)
        is_right = ops.argmax(z, -1) == ops.cast(y, "int32")
        is_right = ops.cast(is_right, "float32")
        return ops.stack([ops.mean(losses, -1), ops.mean(is_right, -1)])

    def train(self, x, y, rows, watch: Any = ()):
        """Losses before each step, or the answers to each (x, y) in `watch`."""
        x, y, rows = map(ops.convert_to_tensor, (x, y, rows))

        def loss(i):
            batch = ops.take(x, rows[i], 0)
            losses, _ = self.answer(batch, ops.take(y, rows[i]))
            return losses

        def answers():
            return ops.stack([self.answer(*part) for part in watch])

        keep = answers if watch else None
        found = descend(self.optimizer, self.weights, loss, len(rows), keep)
        found = found.astype("float64")
        return found.reshape(*found.shape[:-1], *self.shape)

    def evaluate(self, x, y):
        figures = np.array(self.answer(x, y), "float64")
        return figures.reshape(2, *self.shape)


def moving_average(values: np.ndarray, count: int) -> np.ndarray:
    weights = np.ones(count) / count
    return np.convolve(values, weights, "valid")


def adding_problem(count: int, length: int, rng: np.random.Generator) -> tuple:
    """Numbers, two of which are marked, (count, length, 2), and these two's sum."""
    numbers = rng.random((count, length))
    marks = np.zeros((count, length))
    row = np.arange(count)
    half = length // 2
    marks[row, rng.integers(0, half, count)] = 1
    marks[row, rng.integers(half, length, count)] = 1

    x = np.stack([numbers, marks], -1).astype("float32")
    return x, (numbers * marks).sum(1, keepdims=True)


def copy_task(
    count: int, length: int, rng: np.random.Generator, symbols: int, kinds: int
) -> tuple:
    """One-hot symbols, `length` blanks, and signs that ask for the symbols again."""
    y = rng.integers(kinds, size=(count, symbols))

    blanks = np.full((count, length), kinds)
    signs = np.full((count, symbols), kinds + 1)

    numbers = np.concatenate([y, blanks, signs], axis=1)
    return np.eye(kinds + 2, dtype="float32")[numbers], y


def draw_paths(surfaces: dict, paths: dict, title: str, name: str, frames: int) -> None:
    """The paths {heading: {label: (steps, 2)}} over the surfaces' contour lines."""
    figure, places = plt.subplots(1, len(surfaces), figsize=(4 * len(surfaces), 4))
    levels = np.geomspace(0.01, 1000, 11)
    for axes, (heading, (f, (width, height))) in zip(places, surfaces.items()):
        x = np.linspace(-width, width, 200)
        y = np.linspace(-height, height, 200)
        heights = f(*np.meshgrid(x, y))
        axes.contour(x, y, heights, levels, colors="#BBBBBB")

        for label, path in paths[heading].items():
            axes.plot(*path.T, "o-", markevery=[-1], label=label)
        axes.set(title=heading)
        axes.legend(fontsize=7)

    figure.suptitle(title)
    figure.savefig(f"{name}.png")
