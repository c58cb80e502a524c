"""Gradient descent on any function, with any optimizer."""

import functools
from collections.abc import Callable, Sequence

import keras
import numpy as np

from cookbook.lab.gradients import value_and_gradients


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
    optimizer.build(weights)
    loops = {"jax": _jax_loop, "tensorflow": _tensorflow_loop, "torch": _torch_loop}
    loop = loops[keras.backend.backend()]
    return loop(optimizer, weights, loss, steps, keep)


def _tensorflow_loop(optimizer, weights, loss, steps, keep):
    import tensorflow as tf

    def step(_, i):
        value, gradients = value_and_gradients(lambda: loss(i), weights)
        measured = tf.identity(keep() if keep else value)
        with tf.control_dependencies([measured]):
            optimizer.apply(gradients, weights)
        return measured

    start = tf.zeros_like(keep() if keep else loss(0))
    loop = tf.function(lambda: tf.scan(step, tf.range(steps), start), autograph=False)
    # Called directly, the function would warn that each experiment traces it anew.
    return loop.get_concrete_function()().numpy()


def _jax_loop(optimizer, weights, loss, steps, keep):
    import jax

    state = [*weights, *optimizer.variables]

    def step(values, i):
        with keras.StatelessScope(state_mapping=list(zip(state, values))) as scope:
            value, gradients = value_and_gradients(lambda: loss(i), weights)
            measured = keep() if keep else value
            optimizer.apply(gradients, weights)
        return [scope.get_current_value(v) for v in state], measured

    first = [v.value for v in state]
    last, history = jax.lax.scan(step, first, jax.numpy.arange(steps))
    for variable, value in zip(state, last):
        variable.assign(value)
    return np.array(history)


def _torch_loop(optimizer, weights, loss, steps, keep):
    import torch

    history = []
    for i in range(steps):
        now = functools.partial(loss, i)
        value, gradients = value_and_gradients(now, weights)
        with torch.no_grad():
            measured = keep() if keep else value
            history.append(keras.ops.convert_to_numpy(measured).copy())
            optimizer.apply(list(gradients), weights)
    return np.array(history)


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
    return [keras.ops.convert_to_numpy(w) for w in weights]
