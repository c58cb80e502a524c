"""The gradient of a function, on whichever backend runs."""

from collections.abc import Callable

import keras

from .rows import dense


def gradient(function: Callable, x):
    """d function(x) / d x, for a function that returns a scalar."""
    compute = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    return compute[keras.backend.backend()](function, x)


def _tensorflow(function, x):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return dense(tape.gradient(value, x))


def _jax(function, x):
    import jax

    return jax.grad(function)(x)


def _torch(function, x):
    import torch

    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(function(x), x)
    return slope
