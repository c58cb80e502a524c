"""Normalization in a training step on TensorFlow: two programs that XLA compiles.

One computes y, the other the gradient in closed form, as `fast_normalization` derives
it. Both see x as (B, P, C): samples, places and channels. A sum over the channels is a
product with a column of ones, which XLA computes on all cores without storing what it
sums: it takes half the time of `reduce_sum`. Means over the batch are means of the
samples' means: so they run on all cores, and keep more digits.
"""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops

from ...common.fused import can_fuse, fused

# A normalization of fewer values takes no longer without a program, and to compile one
# takes 0.2 seconds. An unknown size counts as 100.
FUSED_VALUES = 100_000
FUSED_CHANNELS = 16  # XLA sums fewer of them slowly


def _fuses_normalization(training: bool | None, x: Any, axes: Sequence[int]) -> bool:
    """Whether to fuse what normalizes x, whose last axes `axes` have gamma and beta."""
    rank = len(x.shape)
    sizes = [x.shape[a] for a in axes]
    last = range(rank - len(axes), rank)
    if 0 in axes or list(axes) != list(last):
        return False
    if None in sizes:
        return False
    if math.prod(sizes) < FUSED_CHANNELS:
        return False
    values = math.prod(100 if size is None else size for size in x.shape)
    return values >= FUSED_VALUES and can_fuse(training, x)


def _normalize_channels(x, gamma, *beta, axes: Sequence[int], epsilon: float):
    """x normalized over its last axes; without beta, by its root mean square."""
    flat = [ops.reshape(weight, (-1,)) for weight in (gamma, *beta)]
    piece = fused(
        _channels,
        _channels_gradient,
        epsilon=epsilon,
    )
    (y,) = piece(_in_places(x, axes), *flat)
    return ops.reshape(y, ops.shape(x))


def _in_places(x, axes: Sequence[int]):
    """x as (B, P, C), where C counts the values along the last axes."""
    shape = ops.shape(x)
    places = math.prod(shape[1 : axes[0]])
    channels = math.prod(shape[axes[0] :])
    return ops.reshape(
        x,
        (shape[0], places, channels),
    )


def _channels(x, gamma, *beta, epsilon: float) -> tuple:
    """y = (x - mean) * inverse * gamma + beta, with inverse = 1 / deviation."""
    import tensorflow as tf

    n = x.shape[-1]
    rows = tf.reshape(x, (-1, n))
    column = tf.ones((n, 1)) / n
    mean = tf.zeros((1, 1))
    if beta:
        mean = rows @ column
    centered = rows - mean
    variance = tf.square(centered) @ column
    inverse = tf.math.rsqrt(variance + epsilon)
    y = centered * inverse * gamma
    if beta:
        y = y + beta[0]
    y = tf.reshape(y, tf.shape(x))
    return (y,), (mean, inverse)


def _channels_gradient(inputs, saved, upstream, epsilon: float) -> tuple:
    """dx = (g - mean(g) - x_hat * mean(g * x_hat)) * inverse, with g = dy * gamma.

    Without beta, mean(g) drops out.
    """
    import tensorflow as tf

    x, gamma, *beta = inputs
    mean, inverse = saved
    shape = tf.shape(x)
    n = x.shape[-1]
    rows = tf.reshape(x, (-1, n))
    dy = tf.reshape(upstream[0], (-1, n))
    centered = rows - mean
    product = dy * centered

    column = gamma[:, None] / n
    slope = product @ column
    slope = slope * tf.square(inverse)
    dx = dy * gamma - centered * slope
    if beta:
        dx = dx - dy @ column
    dx = dx * inverse

    along_x_hat = tf.reshape(product * inverse, shape)
    dgamma = _sum_over_samples(along_x_hat)
    dbeta = [_sum_over_samples(upstream[0]) for _ in beta]
    dx = tf.reshape(dx, shape)
    return (dx, dgamma, *dbeta)


def _sum_over_samples(x):
    """The sum of x (B, P, C) for each channel: P times the sum of samples' means."""
    import tensorflow as tf

    places = tf.cast(tf.shape(x)[1], x.dtype)
    means = tf.reduce_mean(x, 1)
    return tf.reduce_sum(means, 0) * places


def _normalize_places(x, gamma, beta, groups: int | None, epsilon: float) -> tuple:
    """(y, mean, variance) of x (B, ..., C), normalized over its places.

    With groups, each sample has a mean and a variance for each group of its channels;
    with None, each channel has them for the whole batch.
    """
    flat = [ops.reshape(weight, (-1,)) for weight in (gamma, beta)]
    piece = fused(
        _places,
        _places_gradient,
        groups=groups,
        epsilon=epsilon,
    )
    y, mean, variance = piece(_in_places(x, [len(x.shape) - 1]), *flat)
    return ops.reshape(y, ops.shape(x)), mean, variance


def _places(x, gamma, beta, groups: int | None, epsilon: float) -> tuple:
    """y = (x - mean) * inverse * gamma + beta, with inverse = 1 / deviation."""
    import tensorflow as tf

    mean = _of_places(x)
    mean = _pooled(mean, groups)  # B or 1, 1, C
    centered = x - mean
    variance = _of_places(tf.square(centered))
    variance = _pooled(variance, groups)
    inverse = tf.math.rsqrt(variance + epsilon)
    y = centered * (inverse * gamma) + beta
    return (y, mean, variance), (mean, inverse)


def _places_gradient(inputs, saved, upstream, groups: int | None, epsilon) -> tuple:
    """dx = (g - mean(g) - x_hat * mean(g * x_hat)) * inverse, with g = dy * gamma.

    It goes through the mean and the variance, which have no gradient of their own.
    """
    import tensorflow as tf

    x, gamma, _ = inputs
    mean, inverse = saved
    dy, *_ = upstream
    centered = x - mean
    mean_dy = _of_places(dy)  # B, 1, C
    mean_product = _of_places(dy * centered)
    mean_g = _pooled(gamma * mean_dy, groups)
    slope = _pooled(gamma * mean_product, groups)
    slope = slope * tf.square(inverse)
    dx = dy * gamma
    dx = dx - mean_g
    dx = dx - centered * slope
    dx = dx * inverse

    places = tf.cast(tf.shape(x)[1], x.dtype)
    dgamma = tf.reduce_sum(mean_product * inverse, (0, 1))
    dbeta = tf.reduce_sum(mean_dy, (0, 1))
    return (
        dx,
        dgamma * places,
        dbeta * places,
    )


def _of_places(x):
    """The mean of x (B, P, C) over the places (B, 1, C)."""
    import tensorflow as tf

    return tf.reduce_mean(x, 1, keepdims=True)


def _pooled(means, groups: int | None):
    """For each channel, the mean of the means (B, 1, C) of its group, or of the batch.

    XLA would make one sum of a sum of sums, which runs on one core and is less exact.
    """
    import tensorflow as tf

    if groups is None:
        return tf.reduce_mean(means, 0, keepdims=True)
    channels = means.shape[-1]
    size = channels // groups
    grouped = tf.reshape(means, (-1, 1, groups, size))
    of_groups = tf.reduce_mean(grouped, -1)
    return tf.repeat(of_groups, size, axis=-1)
