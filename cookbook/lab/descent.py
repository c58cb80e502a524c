"""Descent: optimizers on any function; many small networks trained at once."""

import keras
import numpy as np
from keras import ops

from cookbook.data.images import load_images


def descend(optimizer, weights, loss, steps, keep=None):
    """`steps` updates of the list `weights`, each down the gradient of loss(i), i = 0..

    Returns: loss(i), or what keep() returns, before each update: (steps, ...).
    """
    import tensorflow as tf

    optimizer.build(weights)

    def step(_, i):
        with tf.GradientTape() as tape:
            value = loss(i)
        kept = tf.identity(keep() if keep else value)
        with tf.control_dependencies([kept]):
            optimizer.apply(tape.gradient(value, weights), weights)
        return kept

    start = tf.zeros_like(keep() if keep else loss(0))
    loop = tf.function(lambda: tf.scan(step, tf.range(steps), start), autograph=False)
    return loop.get_concrete_function()().numpy()  # called, TF warns of a new loop


def minimize(optimizer, start, loss, steps):
    """The arrays at which loss(*arrays) is least, reached from those of `start`.

    A loss of several numbers, each of weights of its own, makes each of them least.
    """
    weights = [keras.Variable(w, dtype="float32") for w in start]
    descend(optimizer, weights, lambda _: loss(*weights), steps)
    return list(map(np.array, weights))


class Networks:
    """One-hidden-layer networks trained at once, each with a learning rate of its own.

    h = relu(x W1 + b1), z = h W2 + b2; weights have the networks as leading axis.

    optimizer: makes an optimizer, one whose formula is elementwise, from learning rates
    rates: learning rates, each for `copies` networks of different start weights
    sizes: inputs, hidden units and classes
    """

    def __init__(self, optimizer, rates, sizes, copies=1, seed=0):
        rng = np.random.default_rng(seed)
        rate = np.tile(np.array(rates, "float32"), copies)[:, None, None]
        self.optimizer = optimizer(lambda: rate)
        self.shape = copies, len(rates)
        self.weights = []
        for n, m in (sizes[:2], sizes[1:]):
            W = rng.normal(scale=np.sqrt(2 / n), size=(copies, n, m))
            b = np.zeros((copies, 1, m))
            starts = (np.repeat(w, len(rates), 0) for w in (W, b))
            self.weights += [keras.Variable(w, dtype="float32") for w in starts]

    def _losses(self, x, y):
        """Mean of -log softmax(z)[y] over the examples, and the answers, by network."""
        W1, b1, W2, b2 = self.weights
        z = ops.matmul(ops.relu(ops.matmul(x, W1) + b1), W2) + b2
        true = ops.sum(z * ops.one_hot(y, z.shape[-1]), -1)
        return ops.mean(ops.logsumexp(z, -1) - true, -1), ops.argmax(z, -1)

    def train(self, x, y, rows, watch=()):
        """A step on the examples rows[i] for each i; the losses, (steps, copies, rates)

        A loss is that of the step's own examples, before the step. With `watch`, parts
        (x, y): what `evaluate` says of each, (steps, parts, 2, copies, rates), instead.
        """
        x, y, rows = map(ops.convert_to_tensor, (x, y, rows))

        def loss(i):
            return self._losses(ops.take(x, rows[i], 0), ops.take(y, rows[i]))[0]

        def watched():
            return ops.stack([ops.stack(self._figures(*part)) for part in watch])

        keep = watched if watch else None
        history = descend(self.optimizer, self.weights, loss, len(rows), keep)
        parts = (len(watch), 2) if watch else ()
        return history.astype("float64").reshape(-1, *parts, *self.shape)

    def _figures(self, x, y):
        """(loss, accuracy) over all of x and y, each with the networks as its axis."""
        losses, answers = self._losses(x, y)
        is_right = ops.equal(answers, ops.cast(y, answers.dtype))
        return losses, ops.mean(ops.cast(is_right, losses.dtype), -1)

    def evaluate(self, x, y):
        """(loss, accuracy) over all of x and y, each of shape (copies, rates)."""
        figures = map(np.array, self._figures(x, y))
        return [figure.astype("float64").reshape(self.shape) for figure in figures]


def shuffled(count, batch_size, steps, seed=0):
    """(steps, batch_size) rows of `count` examples; all come before one comes again."""
    rng = np.random.default_rng(seed)
    passes = -(-steps * batch_size // count)
    rows = np.concatenate([rng.permutation(count) for _ in range(passes)])
    return rows[: steps * batch_size].reshape(steps, batch_size)


def small_digits(seed=0):
    """(x, y) of train, validation, test: the digits at their own 8x8 pixels, 0 to 1."""
    digits = load_images("digits", "digits", seed=seed)
    parts = digits.train, digits.validation, digits.test
    middles = slice(3, 27, 3)  # a pixel was enlarged to 3x3 inside a margin of 2
    return [
        ((x[:, middles, middles, 0].reshape(-1, 64) / 255).astype("float32"), y)
        for x, y in parts
    ]
