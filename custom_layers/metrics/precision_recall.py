"""Precision and recall, at one threshold or at several."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ..common.checks import positive_integer, python_number
from ..common.types import Config, DType
from .base import _weights

LOWEST = -1e10  # the threshold that every score of the best k exceeds


class _AtThresholds(keras.metrics.Metric):
    """Counts of positives at each threshold: true ones, and a second kind."""

    second_name: str

    def __init__(
        self,
        thresholds: float | Sequence[float] | None,
        top_k: int | None,
        class_id: int | None,
        name: str | None,
        dtype: DType,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.thresholds = python_number(thresholds)
        self.top_k = None if top_k is None else positive_integer(top_k, "top_k")
        self.class_id = python_number(class_id)
        if thresholds is None:
            thresholds = LOWEST if top_k else 0.5
        is_one = isinstance(thresholds, int | float)
        levels: Any = [thresholds] if is_one else thresholds
        self._levels: list[float] = list(python_number(levels))
        outside = [x for x in self._levels if not 0 <= x <= 1 and x != LOWEST]
        if outside:
            raise ValueError(
                "`thresholds` must be numbers from 0 to 1. "
                f"Received: thresholds={self.thresholds}"
            )
        shape = (len(self._levels),)
        self.true_positives = self.add_variable(
            shape=shape, initializer="zeros", name="true_positives"
        )
        self.second = self.add_variable(
            shape=shape, initializer="zeros", name=self.second_name
        )

    def second_kind(self, is_true, is_positive):
        """What is counted beside the true positives."""
        raise NotImplementedError

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        p = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        y = ops.convert_to_tensor(y_true, dtype=self.dtype)
        weight = _weights(y_pred, sample_weight, ops.shape(p), self.dtype)
        if self.top_k is not None:
            _, best = ops.top_k(p, self.top_k)
            is_best = ops.any(ops.one_hot(best, p.shape[-1], dtype="bool"), axis=-2)
            p = ops.where(is_best, p, LOWEST)
        y = ops.reshape(y, ops.shape(p))
        if self.class_id is not None:
            y, p, weight = (x[..., self.class_id] for x in (y, p, weight))
        y, p, weight = (ops.reshape(x, (1, -1)) for x in (y, p, weight))

        levels = ops.convert_to_tensor(self._levels, dtype=self.dtype)
        is_positive = p > ops.expand_dims(levels, 1)  # levels, N
        is_true = ops.broadcast_to(y > 0, ops.shape(is_positive))
        both = ops.logical_and(is_true, is_positive)
        second = self.second_kind(is_true, is_positive)
        for count, places in ((self.true_positives, both), (self.second, second)):
            count.assign_add(ops.sum(weight * ops.cast(places, self.dtype), axis=1))

    def result(self):
        tp = ops.convert_to_tensor(self.true_positives)
        share = ops.divide_no_nan(tp, tp + self.second)
        return share[0] if len(self._levels) == 1 else share

    def get_config(self) -> Config:
        return {
            "thresholds": self.thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
            "name": self.name,
            "dtype": self.dtype,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Precision(_AtThresholds):
    """Precision: the share of the predicted positives that are true.

    precision = tp / (tp + fp)

    Args:
        thresholds: a number from 0 to 1, or several; a score above it is positive. None
            means 0.5, or no threshold if top_k is given.
        top_k: only the k highest scores of a row can be positive; None means all.
        class_id: the class to look at; None means all of them.
        name, dtype: as in every metric.

    Call arguments of `update_state`: y_true of 0 and 1 and y_pred, probabilities, of
        one shape (B, ...); sample_weight (B,). What the mask of y_pred hides does not
        count.
    Result: scalar, or one number per threshold if there are several; 0 where nothing
        is positive.
    Raises: ValueError for an argument outside its range.
    Differs from Keras: a masked place does not count.

    >>> metric = Precision()
    >>> metric.update_state([0, 1, 1, 1], [0.9, 0.1, 0.8, 0.7])
    >>> round(float(metric.result()), 4)
    0.6667

    Paper: Kent et al., "Machine literature searching VIII: operational criteria for
    designing information retrieval systems", 1955.
    https://doi.org/10.1002/asi.5090060209
    """

    second_name = "false_positives"

    @property
    def false_positives(self) -> keras.Variable:
        """The number of predicted positives that are not true, at each threshold."""
        return self.second

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(thresholds, top_k, class_id, name, dtype)

    def second_kind(self, is_true, is_positive):
        return ops.logical_and(is_positive, ops.logical_not(is_true))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Recall(_AtThresholds):
    """Recall: the share of the true ones that are predicted as positive.

    recall = tp / (tp + fn)

    Args, call arguments, result and errors: as in `Precision`.
    Differs from Keras: a masked place does not count.

    >>> metric = Recall()
    >>> metric.update_state([1, 1, 1, 0], [0.9, 0.1, 0.8, 0.7])
    >>> round(float(metric.result()), 4)
    0.6667

    Paper: Kent et al., "Machine literature searching VIII: operational criteria for
    designing information retrieval systems", 1955.
    https://doi.org/10.1002/asi.5090060209
    """

    second_name = "false_negatives"

    @property
    def false_negatives(self) -> keras.Variable:
        """The number of true ones that are not predicted, at each threshold."""
        return self.second

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(thresholds, top_k, class_id, name, dtype)

    def second_kind(self, is_true, is_positive):
        return ops.logical_and(is_true, ops.logical_not(is_positive))
