"""Hinge losses: an answer is good enough once it is right by a margin of 1."""

import keras
from keras import ops

from .base import _Loss, _pair


def _shortfall(y_true, y_pred):
    """max(0, 1 - y_true * y_pred), labels 0 and 1 counting as -1 and 1."""
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
    """The support vector machine's loss for two classes.

    loss = mean(max(0, 1 - y_true * y_pred))

    Args:
        reduction: "sum_over_batch_size" (the mean), "mean", "sum",
            "mean_with_sample_weight" or None.
        name, dtype: as in every loss.

    Shapes: y_true, of -1 and 1 or else all 0 and 1, and y_pred (B, ..., D) -> scalar,
        or (B, ...) with reduction None. (B,) beside (B, 1) counts as (B, 1).
    Raises: ValueError where the shapes differ.
    Differs from Keras: shapes that would only broadcast are refused.

    >>> float(Hinge()([[1.0, -1.0]], [[0.5, -2.0]]))
    0.25

    Paper: Cortes and Vapnik, "Support-vector networks", 1995.
    https://doi.org/10.1007/BF00994018
    """

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
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
    """Hinge without a corner: large violations count more.

    loss = mean(max(0, 1 - y_true * y_pred)^2)

    Args, shapes and errors: as in `Hinge`.
    Differs from Keras: shapes that would only broadcast are refused.

    >>> float(SquaredHinge()([[1.0, -1.0]], [[0.5, -2.0]]))
    0.125

    Paper: Lee and Mangasarian, "SSVM: a smooth support vector machine for
    classification", 2001. https://doi.org/10.1023/A:1011215321374
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None
    ):
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
    """Hinge for many classes: the truth shall beat the best other class by 1.

    loss = max(0, 1 + max((1 - y_true) * y_pred) - sum(y_true * y_pred))

    Args: as in `Hinge`.
    Shapes: y_true, one-hot, and y_pred (B, ..., C) -> scalar, or (B, ...) with
        reduction None.
    Raises: ValueError where the shapes differ.
    As in Keras the best other class counts as 0 if its score is negative.

    >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.5, 1.0]]))
    0.5

    Paper: Crammer and Singer, "On the algorithmic implementation of multiclass
    kernel-based vector machines", 2001. https://www.jmlr.org/papers/v2/crammer01a.html
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None
    ):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return categorical_hinge(y_true, y_pred)
