"""Mean and variance in two passes: the squares are taken after the mean is subtracted.

E[x^2] - E[x]^2 would need one pass only, but loses all digits where the mean is large.
"""

import math

import keras
from keras import ops


def _moments(x, axes: list[int], weights=None):
    """Mean and variance of x over `axes`, of the places whose weight is 1."""
    if weights is None:
        mean = ops.mean(x, axis=axes, keepdims=True)
        variance = ops.mean(ops.square(x - mean), axis=axes, keepdims=True)
        return mean, variance

    n = _count(x, axes, weights)
    is_shown = weights > 0
    x = ops.where(is_shown, x, 0.0)
    mean = ops.sum(x, axis=axes, keepdims=True) / n
    squares = ops.square(x - mean)
    squares = ops.where(is_shown, squares, 0.0)
    variance = ops.sum(squares, axis=axes, keepdims=True) / n
    return mean, variance


def _count(x, axes: list[int], weights=None):
    """How many places the moments over `axes` are taken of."""
    if weights is not None:
        n = ops.sum(weights, axis=axes, keepdims=True)
        return n + keras.config.epsilon()  # where the mask hides all places, n is 0
    shape = ops.shape(x)
    lengths = [shape[a] for a in axes]
    return ops.cast(math.prod(lengths), x.dtype)


def _is_empty(x, axes: list[int]):
    """Whether x is empty along `axes`, so that its mean would be NaN.

    It is a Python bool, or a tensor where a size is unknown until the program runs.
    """
    lengths = [x.shape[a] for a in axes]
    if None not in lengths:
        return 0 in lengths
    shape = ops.shape(x)
    return ops.equal(math.prod(shape[a] for a in axes), 0)


def _in_float32(x):
    """x in float32, or float64: half precision would spoil the moments."""
    dtype = keras.backend.result_type(x.dtype, "float32")
    return ops.cast(x, dtype)
