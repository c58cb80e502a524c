"""R squared, the share of the variance that a regression explains."""

import keras
from keras import ops

from ..common.checks import one_of, python_number
from ..common.types import Config, DType
from .base import _sum_over, _two_dimensional, _weights


@keras.saving.register_keras_serializable(package="keras_cookbook")
class R2Score(keras.metrics.Metric):
    """R squared: the share of the variance of y_true that the predictions explain.

    R2 = 1 - sum(w * (y_true - y_pred)^2) / sum(w * (y_true - mean)^2)
    adjusted R2 = 1 - (1 - R2) * (n - 1) / (n - p - 1)

    Args:
        class_aggregation: "uniform_average", "variance_weighted_average", or None for
            the R squared of each output.
        num_regressors: p, the number of inputs of the regression; above 0, the result
            is the adjusted R squared.
        name, dtype: as in every metric.

    Call arguments of `update_state`: y_true and y_pred (B, D); sample_weight (B,), w.
    Result: (D,) without aggregation, else a scalar; 0 before the first update and of
        outputs that are constant.
    Raises: ValueError for other shapes and for an argument outside its range.
    Differs from Keras: the variance is added up around the mean so far. Keras subtracts
    two large sums, so that its result is wrong where the mean is far from 0: for 1000
    years from 2000 to 2010 it says 0.842 where 0.870 is right. What the mask of y_pred
    hides does not count.
    n is the number of samples; Keras counts the values of several outputs, and samples
    of weight 0. Where n <= p + 1, the result is not adjusted, as in Keras, which warns.

    >>> metric = R2Score()
    >>> metric.update_state([[1.0], [2.0], [3.0]], [[1.0], [2.0], [2.0]])
    >>> round(float(metric.result()), 4)
    0.5

    Paper: Wright, "Correlation and causation", 1921; sums around a moving mean: Chan,
    Golub and LeVeque, "Algorithms for computing the sample variance", 1983.
    https://doi.org/10.1080/00031305.1983.10483115
    """

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: DType = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        kinds = (None, "uniform_average", "variance_weighted_average")
        if num_regressors < 0:
            raise ValueError(
                "`num_regressors` must be at least 0. "
                f"Received: num_regressors={num_regressors}"
            )
        self.class_aggregation = one_of(class_aggregation, kinds, "class_aggregation")
        self.num_regressors = python_number(num_regressors)

    def build(self, outputs: int | None) -> None:
        """Makes the sums, which need the number of outputs."""
        self.built = True

        def add(name: str, shape: tuple = (outputs,)) -> keras.Variable:
            return self.add_variable(shape=shape, initializer="zeros", name=name)

        self.mean = add("mean")
        self.scatter = add("scatter")
        self.residual = add("residual")
        self.count = add("count", ())
        self.samples = add("samples", ())

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        y = ops.convert_to_tensor(y_true, dtype=self.dtype)
        p = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        _, D = _two_dimensional(y, p, "R2Score")
        if not getattr(self, "built", False):
            self.build(D)
        places = ops.shape(p)[:1]
        weight = _weights(y_pred, sample_weight, places, self.dtype)
        is_kept = weight > 0
        is_row = ops.expand_dims(is_kept, 1)
        nothing = ops.zeros_like(y)
        square = ops.square(y - p)
        square = ops.where(is_row, square, nothing)
        y = ops.where(is_row, y, nothing)

        count = ops.sum(weight)
        mean = ops.divide_no_nan(_sum_over(y, weight), count)
        scatter = ops.square(y - mean)
        scatter = _sum_over(scatter, weight)
        # Two sets of values around their means, joined around the mean of both.
        total = self.count + count
        step = mean - self.mean
        share = ops.divide_no_nan(count, total)
        between = ops.square(step) * self.count * share
        self.scatter.assign_add(scatter + between)
        self.mean.assign_add(step * share)
        self.count.assign(total)
        residual = _sum_over(square, weight)
        self.residual.assign_add(residual)
        is_kept = ops.cast(is_kept, self.dtype)
        self.samples.assign_add(ops.sum(is_kept))

    def result(self):
        if not getattr(self, "built", False):
            return ops.zeros((), self.dtype)
        variance = ops.convert_to_tensor(self.scatter)
        unexplained = ops.divide_no_nan(self.residual, variance)
        nothing = ops.zeros_like(variance)
        r2 = ops.where(variance > 0, 1 - unexplained, nothing)
        if self.class_aggregation == "uniform_average":
            r2 = ops.mean(r2)
        if self.class_aggregation == "variance_weighted_average":
            total = ops.sum(variance * r2)
            r2 = ops.divide_no_nan(total, ops.sum(variance))
        if self.num_regressors == 0:
            return r2
        n = self.samples
        p = self.num_regressors
        freedom = n - p - 1
        rest = (1 - r2) * (n - 1)
        adjusted = 1 - ops.divide_no_nan(rest, freedom)
        return ops.where(freedom > 0, adjusted, r2)

    def get_config(self) -> Config:
        return {
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
            "name": self.name,
            "dtype": self.dtype,
        }
