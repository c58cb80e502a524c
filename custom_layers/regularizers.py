"""Regularizers: penalties on a weight, which Keras adds to the loss.

The penalty on a layer's output is `layers.ActivityRegularization`.
"""

import math
import numbers
from typing import Any

import keras
from keras import ops

from .common.types import Config


def _strength(value: Any, name: str) -> float:
    """The factor of a penalty as a float.

    Raises: ValueError for anything but a finite number >= 0.
    """
    is_number = isinstance(value, numbers.Real) and math.isfinite(value)
    if not is_number or value < 0:
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float, "
            f"such as 0.01. Received: {name}={value}"
        )
    return float(value)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class L1(keras.regularizers.Regularizer):
    """Lasso penalty, which makes many weights exactly 0.

    penalty = l1 * sum(|w|)

    Its gradient is l1 * sign(w): it pulls a small weight as hard as a large one.

    Args:
        l1: strength, a finite number >= 0; None means 0.01.

    Call: w of any shape -> scalar.
    Raises: ValueError for a strength that is negative, infinite or not a number.

    >>> float(L1(0.5)(keras.ops.array([1.0, -2.0])))
    1.5

    Paper: Tibshirani, "Regression shrinkage and selection via the lasso", 1996.
    https://doi.org/10.1111/j.2517-6161.1996.tb02080.x
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1 = _strength(0.01 if l1 is None else l1, "l1")

    def __call__(self, w):
        return self.l1 * ops.sum(ops.abs(w))

    def get_config(self) -> Config:
        return {"l1": self.l1}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class L2(keras.regularizers.Regularizer):
    """Ridge penalty, which pulls every weight towards 0 in proportion to its size.

    penalty = l2 * sum(w^2)

    Its gradient is 2 * l2 * w.

    Args:
        l2: strength, a finite number >= 0; None means 0.01.

    Call: w of any shape -> scalar.
    Raises: ValueError for a strength that is negative, infinite or not a number.

    >>> float(L2(0.5)(keras.ops.array([1.0, 2.0])))
    2.5

    Paper: Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal
    problems", 1970. https://doi.org/10.1080/00401706.1970.10488634
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2 = _strength(0.01 if l2 is None else l2, "l2")

    def __call__(self, w):
        return self.l2 * ops.sum(ops.square(w))

    def get_config(self) -> Config:
        return {"l2": self.l2}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class L1L2(keras.regularizers.Regularizer):
    """Elastic net: the sum of the lasso and the ridge penalty.

    penalty = l1 * sum(|w|) + l2 * sum(w^2)

    Many weights become exactly 0, but weights of correlated inputs stay together.

    Args:
        l1, l2: strengths, finite numbers >= 0; None means 0.

    Call: w of any shape -> scalar.
    Raises: ValueError for a strength that is negative, infinite or not a number.

    >>> float(L1L2(l1=0.5, l2=1.0)(keras.ops.array([1.0, -2.0])))
    6.5

    Paper: Zou and Hastie, "Regularization and variable selection via the elastic
    net", 2005. https://doi.org/10.1111/j.1467-9868.2005.00503.x
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1 = _strength(0.0 if l1 is None else l1, "l1")
        self.l2 = _strength(0.0 if l2 is None else l2, "l2")

    def __call__(self, w):
        penalty = ops.zeros((), dtype=w.dtype)
        if self.l1:
            penalty = penalty + self.l1 * ops.sum(ops.abs(w))
        if self.l2:
            penalty = penalty + self.l2 * ops.sum(ops.square(w))
        return penalty

    def get_config(self) -> Config:
        return {"l1": self.l1, "l2": self.l2}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class OrthogonalRegularizer(keras.regularizers.Regularizer):
    """Orthogonality penalty: the rows (or columns) of a matrix become perpendicular.

    penalty = factor * mean over pairs i < j of |cos(w_i, w_j)|
    cos(w_i, w_j) = <w_i, w_j> / (|w_i| * |w_j|)

    Args:
        factor: strength, a finite number >= 0.
        mode: "rows" or "columns", which says what the vectors w_i are.

    Call: w of shape (rows, columns) -> scalar.
    Raises: ValueError for a factor that is negative, infinite or not a number, for an
        unknown mode, and for a w that is not a matrix.
    Differs from Keras: a single vector, which forms no pair, costs 0 instead of nan. A
        pair with a vector of zeros costs 0, and its gradient is 0 instead of nan.

    >>> float(OrthogonalRegularizer(0.5)(keras.ops.array([[1.0, 0.0], [2.0, 0.0]])))
    0.5

    Paper: Brock, Lim, Ritchie, Weston, "Neural photo editing with introspective
    adversarial networks", 2016. https://arxiv.org/abs/1609.07093
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ValueError(
                'Invalid value for argument `mode`. Expected one of {"rows", '
                f'"columns"}}. Received: mode={mode}'
            )
        self.factor = _strength(factor, "factor")
        self.mode = mode

    def __call__(self, w):
        if len(w.shape) != 2:
            raise ValueError(
                "Inputs to OrthogonalRegularizer must have rank 2. Received: "
                f"inputs.shape={tuple(w.shape)}"
            )
        w = ops.convert_to_tensor(w)
        if self.mode == "columns":
            w = ops.transpose(w)
        square_norm = ops.sum(ops.square(w), axis=1, keepdims=True)
        w = w * ops.rsqrt(ops.maximum(square_norm, keras.config.epsilon() ** 2))
        cos = ops.matmul(w, ops.transpose(w))
        size = w.shape[0]
        off_diagonal = ops.abs(cos) * (1 - ops.eye(size, dtype=w.dtype))
        return self.factor * ops.sum(off_diagonal) / max(size * (size - 1), 1)

    def get_config(self) -> Config:
        return {"factor": self.factor, "mode": self.mode}
