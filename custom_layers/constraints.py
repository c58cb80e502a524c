"""Constraints: projections of a weight, which Keras applies after each optimizer step.

`axis` names the axes that hold the inputs of one unit: 0 for a Dense kernel
(inputs, units), (0, 1, 2) for a Conv2D kernel (height, width, inputs, filters).
"""

import keras
from keras import ops

from .common.checks import plain
from .common.types import Axes, Config


def _norm(w, axis: Axes | None):
    """The length of each unit's weight vector."""
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


def _check_range(min_value: float, max_value: float) -> None:
    """Raises a ValueError unless 0 <= min_value <= max_value."""
    if not 0 <= min_value <= max_value:
        raise ValueError(
            "Invalid norms: expected 0 <= min_value <= max_value. "
            f"Received: min_value={min_value}, max_value={max_value}"
        )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MaxNorm(keras.constraints.Constraint):
    """Max-norm constraint: limits the length of each unit's weight vector.

    w = w * min(|w|, max_value) / (|w| + epsilon), epsilon = keras.config.epsilon()

    Args:
        max_value: largest length, a number >= 0.
        axis: axis or axes of one weight vector; None means the whole weight.

    Call: w of any shape -> its projection, the same shape.
    Raises: ValueError for a negative max_value.
    Differs from Keras: Keras accepts a negative max_value and then makes all weights 0.

    >>> w = MaxNorm(1.0)(keras.ops.array([[3.0], [4.0]]))
    >>> [round(float(x), 4) for x in w[:, 0]]
    [0.6, 0.8]

    Paper: Srebro and Shraibman, "Rank, trace-norm and max-norm", 2005.
    https://doi.org/10.1007/11503415_37
    """

    def __init__(self, max_value: float = 2, axis: Axes | None = 0) -> None:
        _check_range(0, max_value)
        self.max_value = plain(max_value)
        self.axis = plain(axis)

    def __call__(self, w):
        w = ops.convert_to_tensor(w)
        norm = _norm(w, self.axis)
        desired = ops.minimum(norm, self.max_value)
        return w * (desired / (norm + keras.config.epsilon()))

    def get_config(self) -> Config:
        return {"max_value": self.max_value, "axis": self.axis}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class NonNeg(keras.constraints.Constraint):
    """Non-negativity constraint: sets negative weights to 0.

    w = max(w, 0)

    Call: w of any shape -> its projection, the same shape.

    >>> [float(x) for x in NonNeg()(keras.ops.array([-1.0, 2.0]))]
    [0.0, 2.0]

    Paper: Lee and Seung, "Learning the parts of objects by non-negative matrix
    factorization", 1999. https://doi.org/10.1038/44565
    """

    def __call__(self, w):
        return ops.relu(w)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class UnitNorm(keras.constraints.Constraint):
    """Unit-norm constraint: gives each unit's weight vector the length 1.

    w = w / (|w| + epsilon), epsilon = keras.config.epsilon()

    Args:
        axis: axis or axes of one weight vector; None means the whole weight.

    Call: w of any shape -> its projection, the same shape.

    >>> w = UnitNorm()(keras.ops.array([[3.0], [4.0]]))
    >>> [round(float(x), 4) for x in w[:, 0]]
    [0.6, 0.8]

    Paper: Coates and Ng, "Learning feature representations with k-means", 2012.
    https://doi.org/10.1007/978-3-642-35289-8_30
    """

    def __init__(self, axis: Axes | None = 0) -> None:
        self.axis = plain(axis)

    def __call__(self, w):
        w = ops.convert_to_tensor(w)
        return w / (_norm(w, self.axis) + keras.config.epsilon())

    def get_config(self) -> Config:
        return {"axis": self.axis}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MinMaxNorm(keras.constraints.Constraint):
    """Min-max-norm constraint: moves the length of each weight vector into an interval.

    desired = rate * clip(|w|, min_value, max_value) + (1 - rate) * |w|
    w = w * desired / (|w| + epsilon), epsilon = keras.config.epsilon()

    Args:
        min_value: smallest length, a number >= 0.
        max_value: largest length, at least min_value.
        rate: share of the way into the interval that one step goes, in [0, 1].
        axis: axis or axes of one weight vector; None means the whole weight.

    Call: w of any shape -> its projection, the same shape.
    Raises: ValueError for an empty or negative interval or a rate outside [0, 1].
    Differs from Keras: Keras does not check these arguments.

    >>> w = MinMaxNorm(2.0, 3.0, rate=0.5)(keras.ops.array([[0.6], [0.8]]))
    >>> [round(float(x), 4) for x in w[:, 0]]
    [0.9, 1.2]

    Paper: Srebro and Shraibman, "Rank, trace-norm and max-norm", 2005.
    https://doi.org/10.1007/11503415_37
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: Axes | None = 0,
    ) -> None:
        _check_range(min_value, max_value)
        if not 0 <= rate <= 1:
            raise ValueError(f"Expected a `rate` from 0 to 1. Received: rate={rate}")
        self.min_value = plain(min_value)
        self.max_value = plain(max_value)
        self.rate = plain(rate)
        self.axis = plain(axis)

    def __call__(self, w):
        w = ops.convert_to_tensor(w)
        norm = _norm(w, self.axis)
        clipped = ops.clip(norm, self.min_value, self.max_value)
        desired = self.rate * clipped + (1 - self.rate) * norm
        return w * (desired / (norm + keras.config.epsilon()))

    def get_config(self) -> Config:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }
