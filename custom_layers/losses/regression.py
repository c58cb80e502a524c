"""Regression losses: how far a number is from the number that it should be."""

import math

import keras
from keras import ops

from .base import _Loss, _pair, _unit


@keras.saving.register_keras_serializable(package="keras_cookbook")
def mean_squared_error(y_true, y_pred):
    """mean((y_true - y_pred)^2) over the last axis, as in `MeanSquaredError`.

    >>> float(mean_squared_error([1.0, 2.0], [3.0, 2.0]))
    2.0
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MeanSquaredError(_Loss):
    """Squared error: the mean is its best constant answer, large errors rule it.

    loss = mean((y_true - y_pred)^2)

    Args:
        reduction: "sum_over_batch_size" (the mean), "mean", "sum",
            "mean_with_sample_weight" or None.
        name, dtype: as in every loss.

    Shapes: y_true and y_pred (B, ..., D) -> scalar, or (B, ...) with reduction None.
        (B,) beside (B, 1) counts as (B, 1).
    Raises: ValueError where the shapes differ.
    Differs from Keras: shapes that would only broadcast are refused.

    >>> float(MeanSquaredError()([[1.0, 2.0]], [[3.0, 2.0]]))
    2.0

    Paper: Gauss, "Theoria combinationis observationum erroribus minimis obnoxiae",
    1823. https://doi.org/10.1137/1.9781611971248
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None
    ):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return mean_squared_error(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RootMeanSquaredError(_Loss):
    """Root of the squared error: in the unit of the target, per sample.

    loss = sqrt(mean((y_true - y_pred)^2)), whose gradient at 0 is 0

    Args, shapes and errors: as in `MeanSquaredError`. Keras has it as a metric only,
    which takes the root of the mean over the whole data set instead.

    >>> float(RootMeanSquaredError()([[0.0, 0.0]], [[3.0, 3.0]]))
    3.0

    Paper: Hyndman and Koehler, "Another look at measures of forecast accuracy", 2006.
    https://doi.org/10.1016/j.ijforecast.2006.03.001
    """

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name="root_mean_squared_error",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        square = mean_squared_error(y_true, y_pred)
        is_zero = ops.equal(square, 0)  # where the root has no slope
        root = ops.sqrt(ops.where(is_zero, ops.ones_like(square), square))
        return ops.where(is_zero, ops.zeros_like(square), root)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def mean_absolute_error(y_true, y_pred):
    """mean(|y_true - y_pred|) over the last axis, as in `MeanAbsoluteError`.

    >>> float(mean_absolute_error([1.0, 2.0], [3.0, 2.0]))
    1.0
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MeanAbsoluteError(_Loss):
    """Absolute error: the median is its best constant answer, outliers pull little.

    loss = mean(|y_true - y_pred|)

    Args, shapes and errors: as in `MeanSquaredError`.
    Differs from Keras: shapes that would only broadcast are refused.

    >>> float(MeanAbsoluteError()([[1.0, 2.0]], [[3.0, 2.0]]))
    1.0

    Paper: Bloomfield and Steiger, "Least absolute deviations", 1983.
    https://doi.org/10.1007/978-1-4684-8574-5
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None
    ):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return mean_absolute_error(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def mean_absolute_percentage_error(y_true, y_pred):
    """100 * mean(|1 - y_pred / y_true|), as in `MeanAbsolutePercentageError`.

    >>> float(mean_absolute_percentage_error([4.0], [3.0]))
    25.0
    """
    y_true, y_pred = _pair(y_true, y_pred)
    size = ops.maximum(ops.abs(y_true), keras.config.epsilon())
    return 100 * ops.mean(ops.abs(y_true - y_pred) / size, axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MeanAbsolutePercentageError(_Loss):
    """Absolute error as a percentage of the target.

    loss = 100 * mean(|y_true - y_pred| / max(|y_true|, epsilon))

    Args, shapes and errors: as in `MeanSquaredError`; epsilon is
    `keras.config.epsilon()`. A target near 0 makes it explode.
    Differs from Keras: shapes that would only broadcast are refused.

    >>> float(MeanAbsolutePercentageError()([[4.0]], [[3.0]]))
    25.0

    Paper: Makridakis, "Accuracy measures: theoretical and practical concerns", 1993.
    https://doi.org/10.1016/0169-2070(93)90079-3
    """

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name="mean_absolute_percentage_error",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return mean_absolute_percentage_error(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def mean_squared_logarithmic_error(y_true, y_pred):
    """mean((log(1 + y_true) - log(1 + y_pred))^2), for targets >= 0.

    >>> float(mean_squared_logarithmic_error([1.0], [1.0]))
    0.0
    """
    y_true, y_pred = _pair(y_true, y_pred)
    epsilon = keras.config.epsilon()
    log_true = ops.log(1 + ops.maximum(y_true, epsilon))
    log_pred = ops.log(1 + ops.maximum(y_pred, epsilon))
    return ops.mean(ops.square(log_true - log_pred), axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MeanSquaredLogarithmicError(_Loss):
    """Squared error on a logarithmic scale, so that relative errors count.

    loss = mean((log(1 + max(y_true, epsilon)) - log(1 + max(y_pred, epsilon)))^2)

    Args, shapes and errors: as in `MeanSquaredError`; epsilon is
    `keras.config.epsilon()`, below which predictions get no gradient.
    Differs from Keras: shapes that would only broadcast are refused.

    >>> float(MeanSquaredLogarithmicError()([[1.0]], [[1.0]]))
    0.0

    Paper: Tofallis, "A better measure of relative prediction accuracy", 2015.
    https://doi.org/10.1057/jors.2014.103
    """

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name="mean_squared_logarithmic_error",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return mean_squared_logarithmic_error(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def huber(y_true, y_pred, delta=1.0):
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
    """Squared error near 0, absolute error beyond: smooth, and deaf to outliers.

    error = y_pred - y_true,  size = |error|
    loss = mean(error^2 / 2 where size <= delta, else delta * (size - delta / 2))

    Args:
        delta: where the parabola turns into a line, above 0.
        reduction, name, dtype, shapes and errors: as in `MeanSquaredError`.

    Raises: ValueError for a delta of 0 or less.
    Differs from Keras: shapes that would only broadcast are refused; a delta that is
    not the default is saved.

    >>> float(Huber()([[0.0]], [[3.0]]))
    2.5

    Paper: Huber, "Robust estimation of a location parameter", 1964.
    https://doi.org/10.1214/aoms/1177703732
    """

    def __init__(
        self,
        delta=1.0,
        reduction="sum_over_batch_size",
        name="huber_loss",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        if delta <= 0:
            raise ValueError(f"`delta` must be above 0. Received: delta={delta}")
        self.delta = delta

    def call(self, y_true, y_pred):
        return huber(y_true, y_pred, self.delta)

    def get_config(self):
        config = super().get_config()
        return config if self.delta == 1.0 else {**config, "delta": self.delta}


@keras.saving.register_keras_serializable(package="keras_cookbook")
def log_cosh(y_true, y_pred):
    """mean(log(cosh(y_pred - y_true))) over the last axis, as in `LogCosh`.

    >>> float(log_cosh([1.0], [1.0]))
    0.0
    """
    y_true, y_pred = _pair(y_true, y_pred)
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(-2 * error) - math.log(2), axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LogCosh(_Loss):
    """A smooth Huber: error^2 / 2 near 0, |error| - log(2) far away.

    loss = mean(log(cosh(error))),  error = y_pred - y_true
         = mean(error + log(1 + exp(-2 * error)) - log(2)), without overflow

    Args, shapes and errors: as in `MeanSquaredError`.
    Differs from Keras: shapes that would only broadcast are refused.

    >>> float(LogCosh()([[1.0]], [[1.0]]))
    0.0

    Paper: Green, "Bayesian reconstructions from emission tomography data using a
    modified EM algorithm", 1990. https://doi.org/10.1109/42.52985
    """

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return log_cosh(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Quantile(_Loss):
    """Pinball loss: a quantile is its best constant answer, 0.5 being the median.

    error = y_true - y_pred
    loss = mean(max(quantile * error, (quantile - 1) * error))

    Args:
        quantile: share of targets that shall lie below the prediction, in (0, 1).
        reduction, name, dtype, shapes and errors: as in `MeanSquaredError`.

    Raises: ValueError for a quantile outside (0, 1).
    Keras has none; TensorFlow Addons had it as PinballLoss.

    >>> float(Quantile(0.75)([[4.0]], [[0.0]]))
    3.0

    Paper: Koenker and Bassett, "Regression quantiles", 1978.
    https://doi.org/10.2307/1913643
    """

    def __init__(
        self,
        quantile=0.5,
        reduction="sum_over_batch_size",
        name="quantile",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        if not 0 < quantile < 1:
            raise ValueError(
                f"`quantile` must lie in (0, 1). Received: quantile={quantile}"
            )
        self.quantile = quantile

    def call(self, y_true, y_pred):
        y_true, y_pred = _pair(y_true, y_pred)
        error = y_true - y_pred
        above, below = self.quantile * error, (self.quantile - 1) * error
        return ops.mean(ops.maximum(above, below), axis=-1)

    def get_config(self):
        return {**super().get_config(), "quantile": self.quantile}


@keras.saving.register_keras_serializable(package="keras_cookbook")
def cosine_similarity(y_true, y_pred, axis=-1):
    """Minus the cosine of the angle between the vectors, as in `CosineSimilarity`.

    >>> round(float(cosine_similarity([1.0, 0.0], [1.0, 1.0])), 4)
    -0.7071
    """
    y_true, y_pred = _pair(y_true, y_pred)
    return -ops.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis=axis)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CosineSimilarity(_Loss):
    """Minus the cosine of the angle: -1 for one direction, 1 for opposite ones.

    loss = -sum(y_true / |y_true| * y_pred / |y_pred|), 0 for a vector of 0

    Args:
        axis: the axis of the vectors.
        reduction, name, dtype: as in `MeanSquaredError`.

    Shapes: y_true and y_pred (B, ..., D) -> scalar, or (B, ...) with reduction None.
    Raises: ValueError where the shapes differ.
    Differs from Keras: shapes that would only broadcast are refused; an axis that is
    not the default is saved.

    >>> round(float(CosineSimilarity()([[1.0, 0.0]], [[1.0, 1.0]])), 4)
    -0.7071

    Paper: Salton, Wong and Yang, "A vector space model for automatic indexing", 1975.
    https://doi.org/10.1145/361219.361220
    """

    def __init__(
        self,
        axis=-1,
        reduction="sum_over_batch_size",
        name="cosine_similarity",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true, y_pred):
        return cosine_similarity(y_true, y_pred, self.axis)

    def get_config(self):
        config = super().get_config()
        return config if self.axis == -1 else {**config, "axis": self.axis}
