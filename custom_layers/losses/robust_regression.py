"""Regression losses that outliers move little, and the quantile loss."""

import math

import keras
from keras import ops

from ..common.checks import python_number
from ..common.types import Config, DType
from .base import _Loss, _pair


@keras.saving.register_keras_serializable(package="keras_cookbook")
def huber(y_true, y_pred, delta: float = 1.0):
    """Squared error near 0, absolute error beyond `delta`, as in `Huber`.

    >>> float(huber([0.0], [3.0]))
    2.5
    """
    y_true, y_pred = _pair(y_true, y_pred)
    error = y_pred - y_true
    size = ops.abs(error)
    parabola, line = 0.5 * ops.square(error), delta * (size - 0.5 * delta)
    return ops.mean(ops.where(size <= delta, parabola, line), axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Huber(_Loss):
    """Huber loss: squared error near 0, and absolute error far away.

    error = y_pred - y_true,  size = |error|
    loss = mean(error^2 / 2 where size <= delta, else delta * (size - delta / 2))

    It is smooth at 0, and an outlier pulls no harder than any error of size delta.

    Args:
        delta: size of the error where the parabola becomes a line, a number > 0.
        reduction, name, dtype, shapes and errors: as in `MeanSquaredError`.

    Raises: ValueError for a delta of 0 or less.
    Differs from Keras: it refuses shapes that Keras would broadcast; its configuration
    keeps a delta that is not the default; what a mask hides does not count even if it
    is NaN.

    >>> float(Huber()([[0.0]], [[3.0]]))
    2.5

    Paper: Huber, "Robust estimation of a location parameter", 1964.
    https://doi.org/10.1214/aoms/1177703732
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        if delta <= 0:
            raise ValueError(f"`delta` must be above 0. Received: delta={delta}")
        self.delta = python_number(delta)

    def call(self, y_true, y_pred):
        return huber(y_true, y_pred, self.delta)

    def get_config(self) -> Config:
        config = super().get_config()
        return config if self.delta == 1.0 else {**config, "delta": self.delta}


@keras.saving.register_keras_serializable(package="keras_cookbook")
def log_cosh(y_true, y_pred):
    """mean(log(cosh(y_pred - y_true))) over the last axis, as in `LogCosh`.

    >>> round(float(log_cosh([0.0], [0.1])), 4), round(float(log_cosh([0.0], [9.0])), 4)
    (0.005, 8.3069)
    """
    y_true, y_pred = _pair(y_true, y_pred)
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(-2 * error) - math.log(2), axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LogCosh(_Loss):
    """Log-cosh loss, a smooth Huber: error^2 / 2 near 0, |error| - log(2) far away.

    loss = mean(log(cosh(error))),  error = y_pred - y_true
         = mean(error + log(1 + exp(-2 * error)) - log(2)), without overflow

    Args, shapes and errors: as in `MeanSquaredError`.
    Differs from Keras: it refuses shapes that Keras would broadcast, and what a mask
    hides does not count even if it is NaN.

    >>> loss = LogCosh()  # d^2 / 2 for a small difference, |d| - log(2) for a large one
    >>> round(float(loss([0.0], [0.1])), 4), round(float(loss([0.0], [9.0])), 4)
    (0.005, 8.3069)

    Paper: Green, "Bayesian reconstructions from emission tomography data using a
    modified EM algorithm", 1990. https://doi.org/10.1109/42.52985
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "log_cosh",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return log_cosh(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Quantile(_Loss):
    """Quantile loss (pinball loss), which makes a model predict a quantile.

    error = y_true - y_pred
    loss = mean(max(quantile * error, (quantile - 1) * error))

    Of all constant predictions, that quantile of the targets has the smallest loss; a
    quantile of 0.5 is the median.

    Args:
        quantile: share of the targets below the prediction, in (0, 1).
        reduction, name, dtype, shapes and errors: as in `MeanSquaredError`.

    Raises: ValueError for a quantile outside (0, 1).
    Differs from Keras: Keras has no such loss; it is TensorFlow Addons' PinballLoss.

    >>> float(Quantile(0.75)([[4.0]], [[0.0]]))
    3.0

    Paper: Koenker and Bassett, "Regression quantiles", 1978.
    https://doi.org/10.2307/1913643
    """

    def __init__(
        self,
        quantile: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "quantile",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        if not 0 < quantile < 1:
            raise ValueError(
                f"`quantile` must lie in (0, 1). Received: quantile={quantile}"
            )
        self.quantile = python_number(quantile)

    def call(self, y_true, y_pred):
        y_true, y_pred = _pair(y_true, y_pred)
        error = y_true - y_pred
        above, below = self.quantile * error, (self.quantile - 1) * error
        return ops.mean(ops.maximum(above, below), axis=-1)

    def get_config(self) -> Config:
        return {**super().get_config(), "quantile": self.quantile}
