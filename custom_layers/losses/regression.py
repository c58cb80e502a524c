"""Regression losses: squared, absolute, relative and logarithmic errors.

`robust_regression.py` holds losses that outliers move little, and `cosine_similarity`
the one that compares directions.
"""

import keras
from keras import ops

from ..common.types import DType
from .base import _Loss, _pair


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
    """Mean squared error, which large errors dominate.

    loss = mean((y_true - y_pred)^2)

    Of all constant predictions, the mean of the targets has the smallest loss.

    Args:
        reduction: "sum_over_batch_size" (the mean), "mean", "sum",
            "mean_with_sample_weight" or None.
        name: name of the loss.
        dtype: dtype of the computation; None means Keras's default.

    Shapes: y_true and y_pred (B, ..., D) -> scalar, or (B, ...) with reduction None.
        (B,) beside (B, 1) counts as (B, 1).
    Raises: ValueError where the shapes differ.
    Differs from Keras: it refuses shapes that Keras would broadcast, and what a mask
    hides does not count even if it is NaN.

    >>> float(MeanSquaredError()([[1.0, 2.0]], [[3.0, 2.0]]))
    2.0

    Paper: Gauss, "Theoria combinationis observationum erroribus minimis obnoxiae",
    1823. https://doi.org/10.1137/1.9781611971248
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_error",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return mean_squared_error(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RootMeanSquaredError(_Loss):
    """Root of the mean squared error of each sample, in the unit of the target.

    loss = sqrt(mean((y_true - y_pred)^2)), whose gradient at 0 is 0

    Args, shapes and errors: as in `MeanSquaredError`.
    Differs from Keras: Keras has it only as a metric, which takes the root of the mean
    over the whole data set.

    >>> float(RootMeanSquaredError()([[0.0, 0.0]], [[3.0, 3.0]]))
    3.0

    Paper: Hyndman and Koehler, "Another look at measures of forecast accuracy", 2006.
    https://doi.org/10.1016/j.ijforecast.2006.03.001
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "root_mean_squared_error",
        dtype: DType = None,
    ) -> None:
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
    """Mean absolute error, which outliers move little.

    loss = mean(|y_true - y_pred|)

    Of all constant predictions, the median of the targets has the smallest loss.

    Args, shapes and errors: as in `MeanSquaredError`.
    Differs from Keras: it refuses shapes that Keras would broadcast, and what a mask
    hides does not count even if it is NaN.

    >>> float(MeanAbsoluteError()([[1.0, 2.0]], [[3.0, 2.0]]))
    1.0

    Paper: Bloomfield and Steiger, "Least absolute deviations", 1983.
    https://doi.org/10.1007/978-1-4684-8574-5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: DType = None,
    ) -> None:
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
    """Mean absolute error as a percentage of the target.

    loss = 100 * mean(|y_true - y_pred| / max(|y_true|, epsilon))

    The epsilon is `keras.config.epsilon()`. A target near 0 makes the loss huge.

    Args, shapes and errors: as in `MeanSquaredError`.
    Differs from Keras: it refuses shapes that Keras would broadcast, and what a mask
    hides does not count even if it is NaN.

    >>> float(MeanAbsolutePercentageError()([[4.0]], [[3.0]]))
    25.0

    Paper: Makridakis, "Accuracy measures: theoretical and practical concerns", 1993.
    https://doi.org/10.1016/0169-2070(93)90079-3
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_percentage_error",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return mean_absolute_percentage_error(y_true, y_pred)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def mean_squared_logarithmic_error(y_true, y_pred):
    """mean((log(1 + y_true) - log(1 + y_pred))^2), for targets >= 0.

    >>> round(float(mean_squared_logarithmic_error([1.0], [3.0])), 4)
    0.4805
    >>> round(float(mean_squared_logarithmic_error([99.0], [199.0])), 4)
    0.4805
    """
    y_true, y_pred = _pair(y_true, y_pred)
    epsilon = keras.config.epsilon()
    log_true = ops.log(1 + ops.maximum(y_true, epsilon))
    log_pred = ops.log(1 + ops.maximum(y_pred, epsilon))
    return ops.mean(ops.square(log_true - log_pred), axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MeanSquaredLogarithmicError(_Loss):
    """Mean squared error of logarithms, so that relative errors count.

    loss = mean((log(1 + max(y_true, epsilon)) - log(1 + max(y_pred, epsilon)))^2)

    The epsilon is `keras.config.epsilon()`. A prediction below it gets no gradient.

    Args, shapes and errors: as in `MeanSquaredError`.
    Differs from Keras: it refuses shapes that Keras would broadcast, and what a mask
    hides does not count even if it is NaN.

    >>> loss = MeanSquaredLogarithmicError()
    >>> for y_true, y_pred in ([1.0], [3.0]), ([99.0], [199.0]):
    ...     print(round(float(loss(y_true, y_pred)), 4))  # log(2)^2: the ratio counts
    0.4805
    0.4805

    Paper: Tofallis, "A better measure of relative prediction accuracy", 2015.
    https://doi.org/10.1057/jors.2014.103
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_logarithmic_error",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        return mean_squared_logarithmic_error(y_true, y_pred)
