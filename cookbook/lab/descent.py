"""Gradient descent on any function, with any optimizer."""

from collections.abc import Callable, Sequence

import keras
import numpy as np


def descend(
    optimizer: keras.optimizers.Optimizer,
    weights: Sequence[keras.Variable],
    loss: Callable,
    steps: int,
    keep: Callable | None = None,
) -> np.ndarray:
    """Takes `steps` gradient steps, and returns what was measured before each of them.

    Args:
        optimizer: the optimizer that updates the weights.
        weights: the variables that it updates in place.
        loss: maps the number of the step, from 0, to the loss that it lowers.
        steps: how many steps to take.
        keep: returns what to measure before a step; without it, that is the loss.

    Returns:
        An array of shape (steps, ...).
    """
    import tensorflow as tf

    optimizer.build(weights)

    def step(_, i):
        with tf.GradientTape() as tape:
            value = loss(i)
        measured = tf.identity(keep() if keep else value)
        with tf.control_dependencies([measured]):
            optimizer.apply(tape.gradient(value, weights), weights)
        return measured

    start = tf.zeros_like(keep() if keep else loss(0))
    loop = tf.function(lambda: tf.scan(step, tf.range(steps), start), autograph=False)
    # Called directly, the function would warn that each experiment traces it anew.
    return loop.get_concrete_function()().numpy()


def minimize(
    optimizer: keras.optimizers.Optimizer,
    start: Sequence[np.ndarray] | np.ndarray,
    loss: Callable,
    steps: int,
) -> list[np.ndarray]:
    """The arrays for which loss(*arrays) is smallest, found by descent from `start`.

    If the loss is an array, each of its numbers is minimized; that needs weights which
    no two of these numbers share.
    """
    weights = [keras.Variable(array, dtype="float32") for array in start]
    descend(optimizer, weights, lambda _: loss(*weights), steps)
    return [np.array(w) for w in weights]
