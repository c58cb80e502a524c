"""Many small networks that are trained at the same time, each at its own rate."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops

from cookbook.lab.descent import descend
from cookbook.lab.digits import Part


class Networks:
    """Networks with one hidden layer, trained at once, one for each learning rate.

    h = relu(x W1 + b1), z = h W2 + b2. The first axis of every weight numbers the
    N = copies * rates networks.

    Args:
        optimizer: makes an optimizer from learning rates. Its formula must work
            element by element, or the networks would influence each other.
        rates: learning rates.
        sizes: numbers of inputs, hidden units and classes.
        copies: networks for each rate, with different start weights.
        seed: random seed of the start weights.
    """

    def __init__(
        self,
        optimizer: Callable[..., keras.optimizers.Optimizer],
        rates: Sequence[float] | np.ndarray,
        sizes: tuple[int, int, int],
        copies: int = 1,
        seed: int = 0,
    ):
        rate = np.tile(np.array(rates, "float32"), copies)
        self.optimizer = optimizer(lambda: rate[:, None, None])  # (N, 1, 1)
        self.shape = copies, len(rates)

        rng = np.random.default_rng(seed)
        inputs, units, classes = sizes
        self.weights = [
            *self._layer(inputs, units, rng),
            *self._layer(units, classes, rng),
        ]

    def _layer(
        self, inputs: int, units: int, rng: np.random.Generator
    ) -> tuple[keras.Variable, keras.Variable]:
        """W and b of one layer in all networks; a copy is the same for every rate."""
        copies, rates = self.shape
        deviation = np.sqrt(2 / inputs)
        W = rng.normal(scale=deviation, size=(copies, inputs, units))
        b = np.zeros((copies, 1, units))

        # (copies, ...) -> (N, ...)
        W = np.repeat(W, rates, 0)
        b = np.repeat(b, rates, 0)
        return keras.Variable(W, dtype="float32"), keras.Variable(b, dtype="float32")

    def train(
        self, x: np.ndarray, y: np.ndarray, rows: np.ndarray, watch: Sequence[Part] = ()
    ) -> np.ndarray:
        """Takes one step on the examples rows[i] for each i, and returns the losses.

        A loss is that of the step's own examples before the step. With `watch`, a list
        of (x, y), what `evaluate` says of each of these is returned instead.

        Returns:
            Losses, (steps, copies, rates); or (steps, len(watch), 2, copies, rates).
        """
        x = ops.convert_to_tensor(x)
        y = ops.convert_to_tensor(y)
        rows = ops.convert_to_tensor(rows)

        def loss(i):
            batch = rows[i]
            losses, _ = self._losses(ops.take(x, batch, 0), ops.take(y, batch))
            return losses

        def watched():
            figures = [ops.stack(self._figures(*part)) for part in watch]
            return ops.stack(figures)

        keep = watched if watch else None
        history = descend(self.optimizer, self.weights, loss, len(rows), keep)
        history = history.astype("float64")
        if watch:
            # (steps, parts, 2, N) -> (steps, parts, 2, copies, rates)
            return history.reshape(-1, len(watch), 2, *self.shape)
        # (steps, N) -> (steps, copies, rates)
        return history.reshape(-1, *self.shape)

    def evaluate(self, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
        """[loss, accuracy] over all of x and y, each of shape (copies, rates)."""
        figures = []
        for figure in self._figures(x, y):
            figure = ops.convert_to_numpy(figure).astype("float64")
            figures.append(figure.reshape(self.shape))
        return figures

    def _figures(self, x, y):
        """(loss, accuracy) over all of x and y, each of shape (N,)."""
        losses, answers = self._losses(x, y)
        is_right = ops.equal(answers, ops.cast(y, answers.dtype))
        is_right = ops.cast(is_right, losses.dtype)
        return losses, ops.mean(is_right, -1)

    def _losses(self, x, y):
        """(mean of -log softmax(z)[y] over the examples, (N,); answers, (N, B))"""
        W1, b1, W2, b2 = self.weights

        h = ops.relu(ops.matmul(x, W1) + b1)  # (N, B, H)
        z = ops.matmul(h, W2) + b2  # (N, B, C)

        # -log softmax(z)[y] = log(sum(exp(z))) - z[y]
        classes = z.shape[-1]
        true = ops.sum(z * ops.one_hot(y, classes), -1)
        losses = ops.logsumexp(z, -1) - true
        return ops.mean(losses, -1), ops.argmax(z, -1)
