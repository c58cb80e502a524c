"""Cosine similarity as a loss: it compares directions, not lengths."""

import keras
from keras import ops

from ..common.checks import python_number
from ..common.types import Config, DType
from .base import _Loss, _pair


@keras.saving.register_keras_serializable(package="keras_cookbook")
def cosine_similarity(y_true, y_pred, axis: int = -1):
    """Minus the cosine of the angle between the vectors, as in `CosineSimilarity`.

    >>> round(float(cosine_similarity([1.0, 0.0], [1.0, 1.0])), 4)
    -0.7071
    """
    y_true, y_pred = _pair(y_true, y_pred)
    cosine = ops.sum(y_true * y_pred, axis=axis)
    cosine = cosine * _inverse_length(y_true, axis) * _inverse_length(y_pred, axis)
    return -ops.clip(cosine, -1, 1)  # rounding makes 1.0000001 of a vector with itself


def _inverse_length(x, axis: int):
    """1 / |x|, and a finite number where x is 0."""
    square = ops.sum(ops.square(x), axis=axis)
    return ops.rsqrt(ops.maximum(square, keras.config.epsilon() ** 2))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CosineSimilarity(_Loss):
    """Minus the cosine of the angle between two vectors.

    loss = -sum(y_true * y_pred) / (|y_true| * |y_pred|)

    It is -1 for equal directions, 1 for opposite ones, and 0 for a vector of zeros.

    Args:
        axis: the axis of the vectors.
        reduction, name, dtype: as in `MeanSquaredError`.

    Shapes: y_true and y_pred (B, ..., D) -> scalar, or (B, ...) with reduction None.
    Raises: ValueError where the shapes differ.
    Differs from Keras: it refuses shapes that Keras would broadcast; its configuration
    keeps an axis that is not the default; rounding never takes it beyond -1 and 1,
    where its arc cosine would be NaN; a zero vector has a finite gradient; what a mask
    hides does not count even if it is NaN.

    >>> round(float(CosineSimilarity()([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    -0.7071

    Paper: Salton, Wong and Yang, "A vector space model for automatic indexing", 1975.
    https://doi.org/10.1145/361219.361220
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = python_number(axis)

    def call(self, y_true, y_pred):
        return cosine_similarity(y_true, y_pred, self.axis)

    def get_config(self) -> Config:
        config = super().get_config()
        return config if self.axis == -1 else {**config, "axis": self.axis}
