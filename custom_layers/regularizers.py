"""Regularizers: penalties on a weight, added to the loss."""

import math

import keras
from keras import ops


def _strength(value, name):
    """A penalty's factor as a float, or a ValueError that says what it should be."""
    if (
        not isinstance(value, (float, int))
        or not math.isfinite(value)
        or value < 0
        or isinstance(value, bool)
    ):
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float, "
            f"such as 0.01. Received: {name}={value}"
        )
    return float(value)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class L2(keras.regularizers.Regularizer):
    """Ridge penalty: pulls every weight towards zero in proportion to its size.

    penalty = l2 * sum(w^2), so its gradient is 2 * l2 * w

    Args:
        l2: strength, a finite number >= 0; None means 0.01.

    Call: w of any shape -> scalar.
    Raises: ValueError for a strength that is negative, infinite or no number.

    >>> float(L2(0.5)(keras.ops.array([1.0, 2.0])))
    2.5

    Paper: Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal
    problems", 1970. https://doi.org/10.1080/00401706.1970.10488634
    """

    def __init__(self, l2=0.01):
        self.l2 = _strength(0.01 if l2 is None else l2, "l2")

    def __call__(self, w):
        return ops.cast(self.l2, w.dtype) * ops.sum(ops.square(w))

    def get_config(self):
        return {"l2": self.l2}
