"""Hinge losses: an answer that is right by a margin of 1 or more costs nothing."""

import keras
from keras import ops

from ..common.types import DType
from .base import _Loss, _pair


def _shortfall(y_true, y_pred):
    """max(0, 1 - y_true * y_pred), where labels 0 and 1 count as -1 and 1."""
    y_true, y_pred = _pair(y_true, y_pred)
    is_binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    y_true = ops.cond(is_binary, lambda: 2 * y_true - 1, lambda: y_true)
    return ops.maximum(1 - y_true * y_pred, 0)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def hinge(y_true, y_pred):
    """mean(max(0, 1 - y_true * y_pred)) over the last axis, as in `Hinge`.

    >>> float(hinge([1.0, -1.0], [0.5, -2.0]))
    0.25
    """
    return ops.mean(_shortfall(y_true, y_pred), axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Hinge(_Loss):
    """Hinge loss, the loss of the support vector machine for two classes.

    loss = mean(max(0, 1 - y_true * y_pred))

    Args:
        reduction: "sum_over_batch_size" (the mean), "mean", "sum",
            "mean_with_sample_weight" or None.
        name: name of the loss.
        dtype: dtype of the computation; None means Keras's default.

    Shapes: y_true, either of -1 and 1 or of 0 and 1, and y_pred (B, ..., D) -> scalar,
        or (B, ...) with reduction None. (B,) beside (B, 1) counts as (B, 1).
    Raises: ValueError where the shapes differ.
    Differs from Keras: it refuses shapes that Keras would broadcast, and what a mask
    hides does not count even if it is NaN.

    >>> float(Hinge()([[1.0, -1.0]], [[0.5, -2.0]]))
    0.25

    Paper: Cortes and Vapnik, "Support-vector networks", 1995.
    https://doi.org/10.1007/BF00994018
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "hinge",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return hinge(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def squared_hinge(y_true, y_pred):
    """mean(max(0, 1 - y_true * y_pred)^2) over the last axis, as in `SquaredHinge`.

    >>> float(squared_hinge([1.0, -1.0], [0.5, -2.0]))
    0.125
    """
    return ops.mean(ops.square(_shortfall(y_true, y_pred)), axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SquaredHinge(_Loss):
    """Squared hinge loss, which has no corner and punishes large violations more.

    loss = mean(max(0, 1 - y_true * y_pred)^2)

    Args, shapes and errors: as in `Hinge`.
    Differs from Keras: it refuses shapes that Keras would broadcast, and what a mask
    hides does not count even if it is NaN.

    >>> float(SquaredHinge()([[1.0, -1.0]], [[0.5, -2.0]]))
    0.125

    Paper: Lee and Mangasarian, "SSVM: a smooth support vector machine for
    classification", 2001. https://doi.org/10.1023/A:1011215321374
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "squared_hinge",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return squared_hinge(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def categorical_hinge(y_true, y_pred):
    """max(0, 1 + best wrong score - score of the truth), as in `CategoricalHinge`.

    >>> float(categorical_hinge([0.0, 1.0], [0.5, 1.0]))
    0.5
    """
    y_true, y_pred = _pair(y_true, y_pred)
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1 - y_true) * y_pred, axis=-1)
    return ops.maximum(1 + wrong - right, 0)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CategoricalHinge(_Loss):
    """Hinge loss for many classes: the truth must beat the best other class by 1.

    loss = max(0, 1 + max((1 - y_true) * y_pred) - sum(y_true * y_pred))

    Args: as in `Hinge`.
    Shapes: y_true, one-hot, and y_pred (B, ..., C) -> scalar, or (B, ...) with
        reduction None.
    Raises: ValueError where the shapes differ.
    As in Keras, the score of the best other class counts as 0 if it is negative.
    Differs from Keras: what a mask hides does not count even if it is NaN.

    >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.0]]))
    0.5

    Paper: Crammer and Singer, "On the algorithmic implementation of multiclass
    kernel-based vector machines", 2001. https://www.jmlr.org/papers/v2/crammer01a.html
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_hinge",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return categorical_hinge(y_true, y_pred)
