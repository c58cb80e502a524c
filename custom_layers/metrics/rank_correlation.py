"""Correlations of ranks, from a table of counts that any number of batches can fill."""

import keras
import numpy as np
from keras import ops

from ..common.checks import positive_integer, python_number
from ..common.types import Config, DType
from .base import _weights


class _OfRanks(keras.metrics.Metric):
    """A correlation of ranks, of values that are sorted into classes.

    The true and the predicted values are each divided by evenly spaced cut points.
    Values between the same two points count as equal, so that the result is exact once
    the points separate all values, and an approximation otherwise.
    """

    def __init__(
        self,
        actual_min: float,
        actual_max: float,
        preds_min: float,
        preds_max: float,
        actual_cutpoints: int,
        preds_cutpoints: int,
        name: str,
        dtype: DType,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.actual_min = python_number(actual_min)
        self.actual_max = python_number(actual_max)
        self.preds_min = python_number(preds_min)
        self.preds_max = python_number(preds_max)
        self.actual_cutpoints = positive_integer(actual_cutpoints, "actual_cutpoints")
        self.preds_cutpoints = positive_integer(preds_cutpoints, "preds_cutpoints")
        for low, high, what in (
            (actual_min, actual_max, "actual"),
            (preds_min, preds_max, "preds"),
        ):
            if low >= high:
                raise ValueError(
                    f"`{what}_min` must be below `{what}_max`. Received: "
                    f"{what}_min={low}, {what}_max={high}"
                )
        rows, columns = self.actual_cutpoints + 1, self.preds_cutpoints + 1
        self.table = self.add_variable(
            shape=(rows, columns), initializer="zeros", name="table"
        )

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        y = ops.convert_to_tensor(y_true, dtype=self.dtype)
        p = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        weight = _weights(y_pred, sample_weight, ops.shape(p), self.dtype)
        rows = self._classes(y, self.actual_min, self.actual_max, self.actual_cutpoints)
        columns = self._classes(p, self.preds_min, self.preds_max, self.preds_cutpoints)
        weighted = columns * ops.reshape(weight, (-1, 1))
        self.table.assign_add(ops.matmul(ops.transpose(rows), weighted))

    def _classes(self, x, low, high, points):
        """(N, points + 1): one-hot, how many of the cut points lie at or below x."""
        cuts = ops.convert_to_tensor(np.linspace(low, high, points), dtype=self.dtype)
        below = ops.expand_dims(ops.reshape(x, (-1,)), 1) >= cuts
        place = ops.sum(ops.cast(below, "int32"), axis=1)
        return ops.one_hot(place, points + 1, dtype=self.dtype)

    def get_config(self) -> Config:
        return {
            "actual_min": self.actual_min,
            "actual_max": self.actual_max,
            "preds_min": self.preds_min,
            "preds_max": self.preds_max,
            "actual_cutpoints": self.actual_cutpoints,
            "preds_cutpoints": self.preds_cutpoints,
            "name": self.name,
            "dtype": self.dtype,
        }


def _before(n, axis: int):
    """Sums of all entries before each one along an axis."""
    return ops.cumsum(n, axis=axis) - n


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SpearmansRank(_OfRanks):
    """Spearman's rank correlation: how well one order predicts another.

    rho = Pearson's correlation of the ranks of y_true and of y_pred

    Equal values share the mean of their ranks.

    Args:
        actual_min, actual_max: range of the cut points of y_true.
        preds_min, preds_max: range of the cut points of y_pred.
        actual_cutpoints, preds_cutpoints: their number.
        name, dtype: as in every metric.

    Call arguments of `update_state`: y_true and y_pred of one shape; sample_weight
        (B,). What the mask of y_pred hides does not count. Values between the same two
        cut points count as equal.
    Result: scalar from -1 to 1; 0 before the first update, and where all are equal.
    Raises: ValueError for a range that is empty and for less than one cut point.
    Differs from Keras: Keras has no such metric; it is TensorFlow Addons'
    SpearmansRank.

    >>> metric = SpearmansRank(0.0, 4.0, 0.0, 4.0, 20, 20)
    >>> metric.update_state([1.0, 2.0, 3.0], [1.0, 3.0, 2.0])
    >>> round(float(metric.result()), 4)
    0.5

    Paper: Xiao, "Novel online algorithms for nonparametric correlations with
    application to analyze sensor data", 2019. https://arxiv.org/abs/1712.01521
    """

    def __init__(
        self,
        actual_min: float = 0.0,
        actual_max: float = 1.0,
        preds_min: float = 0.0,
        preds_max: float = 1.0,
        actual_cutpoints: int = 100,
        preds_cutpoints: int = 100,
        name: str = "spearmans_rank",
        dtype: DType = None,
    ) -> None:
        super().__init__(
            actual_min,
            actual_max,
            preds_min,
            preds_max,
            actual_cutpoints,
            preds_cutpoints,
            name,
            dtype,
        )

    def result(self):
        n = ops.convert_to_tensor(self.table)
        rows, columns = ops.sum(n, axis=1), ops.sum(n, axis=0)
        total = ops.sum(rows)
        # Ranks around their mean: so many before, minus so many after, half of it.
        a = _before(rows, 0) + rows / 2 - total / 2
        b = _before(columns, 0) + columns / 2 - total / 2
        a, b = ops.divide_no_nan(a, total), ops.divide_no_nan(b, total)
        shared = ops.sum(n * ops.expand_dims(a, 1) * b)
        own = ops.sum(rows * ops.square(a)) * ops.sum(columns * ops.square(b))
        return ops.divide_no_nan(shared, ops.sqrt(own))


class _Kendall(_OfRanks):
    """What both of Kendall's correlations share: pairs in one order, and in two."""

    def excess(self, n):
        """Pairs that both orders agree on, minus those that they do not."""
        above = _before(n, 0)  # those with a smaller true value
        agreeing = _before(above, 1)
        crossing = ops.sum(above, axis=1, keepdims=True) - agreeing - above
        return ops.sum(n * (agreeing - crossing))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class KendallsTauB(_Kendall):
    """Kendall's tau-b: the pairs in one order minus those in two, but for ties.

    tau = (P - Q) / sqrt((pairs - ties of y_true) * (pairs - ties of y_pred))
    P, Q = number of pairs that y_true and y_pred put in the same, in the other order

    Args, call arguments and errors: as in `SpearmansRank`.

    Result: scalar from -1 to 1; 0 before the first update, and where all are equal.
    Differs from Keras: Keras has no such metric; it is TensorFlow Addons' KendallsTauB.

    >>> metric = KendallsTauB(0.0, 4.0, 0.0, 4.0, 20, 20)
    >>> metric.update_state([1.0, 2.0, 3.0], [1.0, 3.0, 2.0])
    >>> round(float(metric.result()), 4)
    0.3333

    Paper: Kendall, "The treatment of ties in ranking problems", 1945.
    https://doi.org/10.2307/2332303
    """

    def __init__(
        self,
        actual_min: float = 0.0,
        actual_max: float = 1.0,
        preds_min: float = 0.0,
        preds_max: float = 1.0,
        actual_cutpoints: int = 100,
        preds_cutpoints: int = 100,
        name: str = "kendalls_tau_b",
        dtype: DType = None,
    ) -> None:
        super().__init__(
            actual_min,
            actual_max,
            preds_min,
            preds_max,
            actual_cutpoints,
            preds_cutpoints,
            name,
            dtype,
        )

    def result(self):
        n = ops.convert_to_tensor(self.table)
        total = ops.square(ops.sum(n))
        apart = [total - ops.sum(ops.square(ops.sum(n, axis=axis))) for axis in (0, 1)]
        # Each is twice the number of pairs that are not tied.
        below = ops.sqrt(apart[0]) * ops.sqrt(apart[1])
        return ops.divide_no_nan(2 * self.excess(n), below)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class KendallsTauC(_Kendall):
    """Kendall's tau-c, also Stuart's: tau for scales of different lengths.

    tau = 2 * (P - Q) / (n^2 * (m - 1) / m)
    P, Q = number of pairs that y_true and y_pred put in the same, in the other order
    n = number of samples, m = number of different values of the scale that has fewer

    Args, call arguments and errors: as in `SpearmansRank`.

    Result: scalar from -1 to 1; 0 before the first update, and where all are equal.
    Differs from Keras: Keras has no such metric; it is TensorFlow Addons' KendallsTauC.

    >>> metric = KendallsTauC(0.0, 4.0, 0.0, 4.0, 20, 20)
    >>> metric.update_state([1.0, 2.0, 3.0], [1.0, 3.0, 2.0])
    >>> round(float(metric.result()), 4)
    0.3333

    Paper: Stuart, "The estimation and comparison of strengths of association in
    contingency tables", 1953. https://doi.org/10.2307/2333101
    """

    def __init__(
        self,
        actual_min: float = 0.0,
        actual_max: float = 1.0,
        preds_min: float = 0.0,
        preds_max: float = 1.0,
        actual_cutpoints: int = 100,
        preds_cutpoints: int = 100,
        name: str = "kendalls_tau_c",
        dtype: DType = None,
    ) -> None:
        super().__init__(
            actual_min,
            actual_max,
            preds_min,
            preds_max,
            actual_cutpoints,
            preds_cutpoints,
            name,
            dtype,
        )

    def result(self):
        n = ops.convert_to_tensor(self.table)
        values = [
            ops.sum(ops.cast(ops.sum(n, axis=axis) > 0, n.dtype)) for axis in (0, 1)
        ]
        m = ops.minimum(*values)
        below = ops.square(ops.sum(n)) * ops.divide_no_nan(m - 1, m)
        return ops.divide_no_nan(2 * self.excess(n), below)
