"""Area under the ROC curve, and under the curve of precision and recall."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ..common.checks import one_of, positive_integer, python_number
from ..common.types import Config, DType
from .base import _weights


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AUC(keras.metrics.Metric):
    """Area under the curve: the chance that a positive scores above a negative.

    ROC: the sum over thresholds of (step of the false positive rate) * (mean of the
        true positive rates at both ends)
    PR: the area under precision over recall, with the points between two thresholds
        as Davis and Goadrich interpolate them

    Args:
        num_thresholds: number of thresholds, evenly spaced from 0 to 1, at least 2.
        curve: "ROC" or "PR".
        summation_method: "interpolation", the trapezoids above; "minoring" or
            "majoring", which take the lower or the upper end of each step.
        name, dtype: as in every metric.
        thresholds: thresholds from 0 to 1 in place of evenly spaced ones.
        multi_label, num_labels, label_weights: Keras's arguments for a curve for each
            label, which must be off.
        from_logits: whether y_pred holds logits.

    Call arguments of `update_state`: y_true of 0 and 1 and y_pred, probabilities, of
        one shape; sample_weight of their first axes. What the mask of y_pred hides does
        not count.
    Result: scalar from 0 to 1, over all batches; 0 before the first update.
    Raises: ValueError for an argument outside its range.
    Differs from Keras: a masked place does not count. There is one curve for all
    labels; with a curve for each, make an AUC for each.

    >>> metric = AUC(num_thresholds=3)
    >>> metric.update_state([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])
    >>> float(metric.result())
    0.75

    Paper: Davis and Goadrich, "The relationship between precision-recall and ROC
    curves", 2006. https://doi.org/10.1145/1143844.1143874
    """

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: DType = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if multi_label or num_labels is not None or label_weights is not None:
            raise ValueError(
                "AUC has one curve for all labels, so that multi_label must be False, "
                "and num_labels and label_weights None. Received: "
                f"multi_label={multi_label}, num_labels={num_labels}, "
                f"label_weights={label_weights}. Use an AUC for each label."
            )
        ways = ("interpolation", "minoring", "majoring")
        self.curve = one_of(curve, ("ROC", "PR"), "curve")
        self.summation_method = one_of(summation_method, ways, "summation_method")
        self.from_logits = python_number(from_logits)
        self.thresholds = None if thresholds is None else _sorted(thresholds)
        inner = self.thresholds
        if inner is None:
            count = positive_integer(num_thresholds, "num_thresholds")
            if count < 2:
                raise ValueError(
                    "`num_thresholds` must be at least 2. "
                    f"Received: num_thresholds={num_thresholds}"
                )
            inner = np.linspace(0, 1, count)[1:-1].tolist()
        self.num_thresholds = len(inner) + 2
        # Everything is above the first threshold, and nothing above the last.
        epsilon = keras.config.epsilon()
        self._levels = [0 - epsilon, *inner, 1 + epsilon]
        shape = (len(self._levels),)
        self.positives = self.add_variable(
            shape=shape, initializer="zeros", name="true_positives"
        )
        self.false_positives = self.add_variable(
            shape=shape, initializer="zeros", name="false_positives"
        )

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        p = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        weight = _weights(y_pred, sample_weight, ops.shape(p), self.dtype)
        if self.from_logits:
            p = ops.sigmoid(p)
        y = ops.convert_to_tensor(y_true, dtype=self.dtype)
        y, p, weight = (ops.reshape(x, (1, -1)) for x in (y, p, weight))
        levels = ops.convert_to_tensor(self._levels, dtype=self.dtype)
        levels = ops.expand_dims(levels, 1)
        is_above = ops.cast(p > levels, self.dtype)  # levels, N
        is_true = ops.cast(y > 0, self.dtype)
        is_false = 1 - is_true
        above = weight * is_above
        tp = ops.sum(is_true * above, axis=1)
        self.positives.assign_add(tp)
        fp = ops.sum(is_false * above, axis=1)
        self.false_positives.assign_add(fp)

    def result(self):
        tp = ops.convert_to_tensor(self.positives)
        fp = ops.convert_to_tensor(self.false_positives)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _area_of_precision(tp, fp)
        recall = ops.divide_no_nan(tp, tp[0])  # above the first threshold lies all
        if self.curve == "ROC":
            x = ops.divide_no_nan(fp, fp[0])
            y = recall
        else:
            x = recall
            y = ops.divide_no_nan(tp, tp + fp)
        width = x[:-1] - x[1:]
        start = y[:-1]
        end = y[1:]
        heights = {
            "interpolation": (start + end) / 2,
            "minoring": ops.minimum(start, end),
            "majoring": ops.maximum(start, end),
        }
        height = heights[self.summation_method]
        return ops.sum(width * height)

    def get_config(self) -> Config:
        return {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "name": self.name,
            "dtype": self.dtype,
            "thresholds": self.thresholds,
            "from_logits": self.from_logits,
        }


def _sorted(thresholds: Any) -> list[float]:
    """The thresholds in order, without the ends 0 and 1, which are always there."""
    values = sorted(float(x) for x in thresholds)
    if not values or values[0] < 0 or values[-1] > 1:
        raise ValueError(
            "`thresholds` must be numbers from 0 to 1. "
            f"Received: thresholds={list(thresholds)}"
        )
    return [x for x in values if 0 < x < 1]


def _area_of_precision(tp, fp):
    """Between two thresholds, fp grows in a straight line with tp, as in the paper.

    With p = tp + fp, tp = slope * p + start, and the area under precision tp / p over
    recall is the integral of slope * (1 + start / (slope * p)) over p.
    """
    p = tp + fp
    low, high = p[1:], p[:-1]
    dtp = tp[:-1] - tp[1:]
    dp = high - low
    slope = ops.divide_no_nan(dtp, dp)
    start = tp[1:] - slope * low
    is_open = ops.logical_and(high > 0, low > 0)
    ratio = ops.divide_no_nan(high, low)
    ratio = ops.where(is_open, ratio, ops.ones_like(dp))
    area = slope * (dtp + start * ops.log(ratio))
    area = ops.sum(area)
    return ops.divide_no_nan(area, tp[0])
