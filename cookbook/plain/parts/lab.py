"""What a plain script of the lab needs: digits, gradients, descents, pictures."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import keras
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
    x = x.reshape(-1, 8, 8) / 16
    x = np.kron(x, np.ones((1, 3, 3)))  # 24 x 24
    x = np.pad(x, ((0, 0), (2, 2), (2, 2))).reshape(-1, 784)  # 28 x 28
    x, x_test, y, y_test = train_test_split(x, y, test_size=360, random_state=0)
    return (x, y), (x_test, y_test)


def mislabel(y, share: float, rng: np.random.Generator) -> np.ndarray:
    """The labels, of which about `share` are replaced by a wrong digit."""
    shift = rng.integers(1, 10, len(y))  # never 0: the label would stay right
    wrong = (y + shift) % 10
    is_wrong = rng.random(len(y)) < share
    return np.where(is_wrong, wrong, y)


def shuffled(count: int, size: int, steps: int, seed: int = 0) -> np.ndarray:
    """Rows of `count` examples, (steps, size): every example once per pass."""
    rng = np.random.default_rng(seed)
    needed = steps * size
    passes = -(-needed // count)  # rounded up
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


def start_anew(model, fresh) -> None:
    """Gives a model the weights and the optimizer's state of a new one like it."""
    pairs = list(zip(model.weights, fresh.weights))
    for each in (model, fresh):
        each.optimizer.build(each.trainable_variables)

    pairs += zip(model.optimizer.variables, fresh.optimizer.variables)
    for variable, other in pairs:
        variable.assign(other)


def timed_steps(model, x, y, batch_size: int, **options: Any) -> float:
    """Takes a gradient step on each batch; returns the processor's seconds per step."""
    began = time.process_time()
    model.fit(x, y, batch_size, shuffle=False, verbose=0, **options)
    return (time.process_time() - began) * batch_size / len(x)


def in_passes(part: tuple, batch_size: int, steps: int, seed: int) -> tuple:
    """(x, y) of so many steps: every example once per pass."""
    x, y = part
    rows = shuffled(len(x), batch_size, steps, seed)
    rows = rows.ravel()

    return x[rows], y[rows]


def trainings(build: Callable, examples: Callable, config: Any) -> Iterator[tuple]:
    """Yields (model, seconds per step) after a training with each seed."""
    model = build()
    x, y = examples(config.seed)
    few = 20 * config.batch_size
    timed_steps(model, x[:few], y[:few], config.batch_size)  # compiles the step

    for seed in range(config.seed, config.seed + config.repeats):
        x, y = examples(seed)
        keras.utils.set_random_seed(seed)
        start_anew(model, build())
        yield model, timed_steps(model, x, y, config.batch_size)


def accuracy_of(model, x, y) -> float:
    logits = np.array(model(x, training=False))
    is_right = logits.argmax(-1) == y

    return is_right.mean()


def loss_and_accuracy(model, x, y, loss: Callable) -> tuple[float, float]:
    """Of a classifier; the labels may be numbers or one-hot vectors."""
    logits = np.array(model(x))
    if y.ndim == 1:
        is_right = logits.argmax(-1) == y
    else:
        is_right = logits.argmax(-1) == y.argmax(-1)
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

    # Up the layers: h = f(z) with z = h W
    for i, W in enumerate(weights):
        z = h @ W
        if inputs is not None:
            z = z + inputs[i]
        sums.append(z)
        h = np.array(f(z))
        up.append(np.sqrt(np.mean(h * h)))

    # Down again: each layer multiplies the gradient by its slopes and weights.
    slopes = slope(f, np.array(sums))
    down = []
    for df, W in zip(slopes[::-1], weights[::-1]):
        dz = gradient * df
        down.append(np.sqrt(np.mean(dz * dz)))
        gradient = dz @ np.swapaxes(W, -1, -2)
    down.reverse()
    return np.array(up), np.array(down)


def descend(optimizer, weights, loss: Callable, steps: int, keep=None) -> np.ndarray:
    """Takes gradient steps; returns what `keep`, or else the loss, is before each."""
    optimizer.build(weights)

    @tf.function(autograph=False)
    def step(i):
        with tf.GradientTape() as tape:
            value = loss(i)
        measured = keep() if keep else value
        gradients = tape.gradient(value, weights)
        optimizer.apply(gradients, weights)
        return measured

    return np.array([step(tf.constant(i)) for i in range(steps)])


def minimize(optimizer, start, loss: Callable, steps: int) -> list[np.ndarray]:
    """The arrays for which loss(*arrays) is smallest, by descent from `start`."""
    weights = []
    for array in start:
        weights.append(Variable(array, dtype="float32"))

    def loss_now(step):
        return loss(*weights)

    descend(optimizer, weights, loss_now, steps)
    return [np.array(w) for w in weights]


class Networks:
    """Networks with one hidden layer, trained at once: `copies` for each rate.

    Their weights stand in arrays of shape (copies * rates, inputs, outputs), so one
    product of matrices answers for all, and the optimizer gets an array of rates.
    """

    def __init__(
        self,
        optimizer: Callable,
        rates: Any,
        sizes: tuple[int, ...],
        copies: int,
        seed: int,
    ) -> None:
        self.copies = copies
        self.rates = len(rates)

        rate = np.tile(rates, copies).astype("float32")
        rate = rate[:, None, None]  # to multiply gradients of shape (., in, out)
        self.optimizer = optimizer(lambda: rate)

        # The networks of a copy begin with the same weights at each rate.
        rng = np.random.default_rng(seed)
        self.weights = []

        for inputs, outputs in itertools.pairwise(sizes):
            scale = np.sqrt(2 / inputs)  # He's start, for ReLU
            W = rng.normal(scale=scale, size=(copies, inputs, outputs))
            b = np.zeros((copies, 1, outputs))

            for w in (W, b):
                w = np.repeat(w, self.rates, axis=0)
                self.weights.append(Variable(w, dtype="float32"))

    def answer(self, x, y):
        """(the mean of -log softmax(z)[y], the share of right answers) of each."""
        W1, b1, W2, b2 = self.weights

        # One network after another: (copies * rates, examples, classes)
        h = ops.matmul(x, W1) + b1
        h = ops.relu(h)
        z = ops.matmul(h, W2) + b2
        y = ops.broadcast_to(y, z.shape[:-1])

        losses = ops.sparse_categorical_crossentropy(y, z, from_logits=True)
        loss = ops.mean(losses, axis=-1)

        is_right = ops.argmax(z, axis=-1) == ops.cast(y, "int32")
        is_right = ops.cast(is_right, "float32")
        accuracy = ops.mean(is_right, axis=-1)

        return ops.stack([loss, accuracy])

    def train(self, x, y, rows, watch: Any = ()):
        """Losses before each step, or the answers to each (x, y) in `watch`."""
        # Tensors, so that a compiled step can take rows of them
        x = ops.convert_to_tensor(x)
        y = ops.convert_to_tensor(y)
        rows = ops.convert_to_tensor(rows)  # of the examples in each step

        def loss(i):
            batch = ops.take(x, rows[i], axis=0)
            labels = ops.take(y, rows[i])
            losses = self.answer(batch, labels)[0]

            return losses

        def answers():
            found = []
            for part in watch:
                found.append(self.answer(*part))

            return ops.stack(found)

        # Figures of every step: (steps, copies * rates), or with `watch`
        # (steps, parts, loss or share, copies * rates)
        keep = answers if watch else None
        found = descend(self.optimizer, self.weights, loss, len(rows), keep)

        return self.by_copy_and_rate(found)

    def evaluate(self, x, y):
        """(losses, shares of right answers), each of shape (copies, rates)."""
        return self.by_copy_and_rate(np.array(self.answer(x, y)))

    def by_copy_and_rate(self, figures: np.ndarray) -> np.ndarray:
        """The figures with an axis for copies and one for rates."""
        *shape, _ = figures.shape
        figures = figures.astype("float64")

        return figures.reshape(*shape, self.copies, self.rates)


def moving_average(values: np.ndarray, count: int) -> np.ndarray:
    weights = np.ones(count) / count
    return np.convolve(values, weights, "valid")


def adding_problem(count: int, length: int, rng: np.random.Generator) -> tuple:
    """Numbers, two of which are marked, (count, length, 2), and these two's sum."""
    numbers = rng.random((count, length))
    marks = np.zeros((count, length))

    row = np.arange(count)
    half = length // 2  # one number in each half is marked
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

    vectors = np.eye(kinds + 2, dtype="float32")
    return vectors[numbers], y


def draw_paths(surfaces: dict, paths: dict, title: str, name: str, frames: int) -> None:
    """The paths {heading: {label: (steps, 2)}} over the surfaces' contour lines."""
    count = len(surfaces)
    levels = np.geomspace(0.01, 1000, 11)
    figure, places = plt.subplots(1, count, figsize=(4 * count, 4))

    for axes, (heading, (f, (width, height))) in zip(places, surfaces.items()):
        x = np.linspace(-width, width, 200)
        y = np.linspace(-height, height, 200)
        grid = np.meshgrid(x, y)
        heights = f(*grid)
        axes.contour(x, y, heights, levels, colors="#BBBBBB")

        for label, path in paths[heading].items():
            axes.plot(*path.T, "o-", markevery=[-1], label=label)
        axes.set(title=heading)
        axes.legend(fontsize=7)

    figure.suptitle(title)
    figure.savefig(f"{name}.png")
