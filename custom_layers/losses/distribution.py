"""Losses between distributions: Poisson loss and Kullback-Leibler divergence."""

import keras
from keras import ops

from ..common.types import DType
from .base import _Loss, _pair


@keras.saving.register_keras_serializable(package="keras_cookbook")
def poisson(y_true, y_pred):
    """mean(y_pred - y_true * log(y_pred)) over the last axis, as in `Poisson`.

    >>> round(float(poisson([3.0], [1.0])), 4)
    1.0
    """
    y_true, y_pred = _pair(y_true, y_pred)
    log_pred = ops.log(y_pred + keras.config.epsilon())
    return ops.mean(y_pred - y_true * log_pred, axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Poisson(_Loss):
    """Poisson loss for counts: minus the log likelihood of a Poisson variable.

    loss = mean(y_pred - y_true * log(y_pred + epsilon))

    y_pred is the mean of the variable. The term that does not depend on it is left out.

    Args:
        reduction: "sum_over_batch_size" (the mean), "mean", "sum",
            "mean_with_sample_weight" or None.
        name: name of the loss.
        dtype: dtype of the computation; None means Keras's default.

    Shapes: y_true, counts, and y_pred, positive numbers such as the output of exp or
        softplus, (B, ..., D) -> scalar, or (B, ...) with reduction None. (B,) beside
        (B, 1) counts as (B, 1).
    Raises: ValueError where the shapes differ.
    Differs from Keras: it refuses shapes that Keras would broadcast, and what a mask
    hides does not count even if it is NaN.

    >>> round(float(Poisson()([[3.0]], [[1.0]])), 4)
    1.0

    Paper: Nelder and Wedderburn, "Generalized linear models", 1972.
    https://doi.org/10.2307/2344614
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "poisson",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return poisson(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def kl_divergence(y_true, y_pred):
    """sum(y_true * log(y_true / y_pred)) over the last axis, as in `KLDivergence`.

    >>> round(float(kl_divergence([0.5, 0.5], [0.25, 0.75])), 4)
    0.1438
    """
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = ops.clip(y_true, keras.config.epsilon(), 1)
    y_pred = ops.clip(y_pred, keras.config.epsilon(), 1)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class KLDivergence(_Loss):
    """Kullback-Leibler divergence of the predicted distribution from the true one.

    loss = sum(y_true * log(y_true / y_pred)), both clipped to [epsilon, 1]

    It is the cross-entropy minus the entropy of y_true, so equal distributions cost 0.

    Args: reduction, name, dtype: as in `Poisson`.
    Shapes: y_true and y_pred (B, ..., C), of distributions -> scalar, or (B, ...) with
        reduction None.
    Raises: ValueError where the shapes differ.
    Differs from Keras: it refuses shapes that Keras would broadcast, and what a mask
    hides does not count even if it is NaN.

    >>> round(float(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 4)
    0.1438

    Paper: Kullback and Leibler, "On information and sufficiency", 1951.
    https://doi.org/10.1214/aoms/1177729694
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "kl_divergence",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return kl_divergence(y_true, y_pred)
