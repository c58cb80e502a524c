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
        return mean, ops.mean(ops.square(x - mean), axis=axes, keepdims=True)
    n = _count(x, axes, weights)
    shown = ops.where(weights > 0, x, 0.0)
    mean = ops.sum(shown, axis=axes, keepdims=True) / n
    square = ops.where(weights > 0, ops.square(x - mean), 0.0)
    return mean, ops.sum(square, axis=axes, keepdims=True) / n


def _count(x, axes: list[int], weights=None):
    """How many places the moments over `axes` are taken of."""
    if weights is not None:
        return ops.sum(weights, axis=axes, keepdims=True) + keras.config.epsilon()
    shape = ops.shape(x)
    return ops.cast(math.prod(shape[a] for a in axes), x.dtype)


def _in_float32(x):
    """x in float32, or float64: half precision would spoil the moments."""
    return ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
