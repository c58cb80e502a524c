"""Rotary positions in a training step on TensorFlow: one program that XLA compiles."""

import math
from typing import Any

from ..common.fused import can_fuse, fused

# A rotation of fewer values takes no longer without a program, and to compile one takes
# 0.2 seconds. An unknown size counts as 100.
VALUES = 100_000


def _fuses(training: bool | None, x: Any, features: int) -> bool:
    """Whether to fuse the rotation of x, whose pairs lie along the axis `features`."""
    values = math.prod(100 if size is None else size for size in x.shape)
    is_last = features == len(x.shape) - 1
    return is_last and values >= VALUES and can_fuse(training, x)


def _turned_at_once(x, cos, sin):
    """x with its pairs of features, (x_i, x_(i + D/2)), turned by an angle each."""
    (y,) = fused(_turn, _turn_back)(x, cos, sin)
    return y


def _turn(x, cos, sin) -> tuple:
    import tensorflow as tf

    first, second = tf.split(x, 2, axis=-1)
    turned = first * cos - second * sin, second * cos + first * sin
    return (tf.concat(turned, axis=-1),), ()


def _turn_back(inputs, saved, upstream) -> tuple:
    """The gradient is turned by the opposite angle."""
    _, cos, sin = inputs
    (dx,), _ = _turn(upstream[0], cos, -sin)
    return dx, None, None
