"""Metrics of samples that have several labels at once."""

import keras
from keras import ops

from ..common.checks import one_of, positive_integer, python_number
from ..common.types import Config, DType
from .base import _sum_over, _two_dimensional, _weights


def _chosen(y_pred, threshold: float | None):
    """Whether each score of (..., C) is above the threshold, or its row's highest.

    Without a threshold, a row of zeros chooses nothing.
    """
    if threshold is not None:
        return y_pred > threshold
    highest = ops.max(y_pred, axis=-1, keepdims=True)
    return ops.logical_and(y_pred >= highest, ops.abs(y_pred) > 1e-9)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class HammingLoss(keras.metrics.Metric):
    """Hamming loss: the share of wrong labels.

    multilabel: loss = number of labels that differ / number of labels
    multiclass: loss = number of samples with a wrong class / number of samples

    Args:
        mode: "multiclass" or "multilabel".
        threshold: a score above it counts as a label; None takes the highest score.
        name, dtype: as in every metric.

    Call arguments of `update_state`: y_true of 0 and 1, and y_pred, scores,
        (B, ..., C); sample_weight (B,). What the mask of y_pred hides does not count.
    Result: scalar from 0 to 1, over all batches; 0 before the first update.
    Raises: ValueError for an unknown mode.
    Differs from Keras: Keras has no such metric; it is TensorFlow Addons' HammingLoss.

    >>> metric = HammingLoss("multilabel", threshold=0.8)
    >>> metric.update_state([[1, 0, 1], [0, 1, 0]], [[0.9, 0.5, 0.9], [0.0, 1.0, 0.9]])
    >>> round(float(metric.result()), 4)
    0.1667

    Paper: Schapire and Singer, "Improved boosting algorithms using confidence-rated
    predictions", 1999. https://doi.org/10.1023/A:1007614523901
    """

    def __init__(
        self,
        mode: str,
        threshold: float | None = None,
        name: str = "hamming_loss",
        dtype: DType = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.mode = one_of(mode, ("multiclass", "multilabel"), "mode")
        self.threshold = python_number(threshold)
        self.wrong = self.add_variable(shape=(), initializer="zeros", name="wrong")
        self.total = self.add_variable(shape=(), initializer="zeros", name="total")

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        y = ops.convert_to_tensor(y_true, dtype=self.dtype)
        p = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        chosen = ops.cast(_chosen(p, self.threshold), self.dtype)
        if self.mode == "multilabel":
            differs = ops.cast(ops.not_equal(y, chosen), self.dtype)
            wrong = ops.mean(differs, axis=-1)
        else:
            wrong = 1 - ops.cast(ops.any(y * chosen != 0, axis=-1), self.dtype)
        weight = _weights(y_pred, sample_weight, ops.shape(wrong), self.dtype)
        self.wrong.assign_add(ops.sum(weight * wrong))
        self.total.assign_add(ops.sum(weight))

    def result(self):
        return ops.divide_no_nan(self.wrong, self.total)

    def get_config(self) -> Config:
        return {
            "mode": self.mode,
            "threshold": self.threshold,
            "name": self.name,
            "dtype": self.dtype,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MultiLabelConfusionMatrix(keras.metrics.Metric):
    """Confusion matrices of samples with several labels, a 2 x 2 matrix for each label.

    matrix of a label = [[true negatives, false positives],
                         [false negatives, true positives]]

    Args:
        num_classes: number of labels.
        name, dtype: as in every metric.

    Call arguments of `update_state`: y_true and y_pred (B, C) of 0 and 1; a prediction
        above 0.5 counts as 1. sample_weight (B,). What the mask of y_pred hides does
        not count.
    Result: (C, 2, 2), the counts over all batches.
    Raises: ValueError for other shapes.
    Differs from Keras: Keras has no such metric; it is TensorFlow Addons'
    MultiLabelConfusionMatrix.

    >>> metric = MultiLabelConfusionMatrix(num_classes=2)
    >>> metric.update_state([[1, 0], [0, 1]], [[1, 1], [0, 1]])
    >>> metric.result().numpy().astype(int).tolist()
    [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]

    Paper: Fawcett, "An introduction to ROC analysis", 2006.
    https://doi.org/10.1016/j.patrec.2005.10.010
    """

    def __init__(
        self,
        num_classes: int,
        name: str = "multilabel_confusion_matrix",
        dtype: DType = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_classes = positive_integer(num_classes, "num_classes")
        self.counts = self.add_variable(
            shape=(self.num_classes, 2, 2), initializer="zeros", name="counts"
        )

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        y, p = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        _, C = _two_dimensional(y, p, "MultiLabelConfusionMatrix")
        if self.num_classes != C:
            raise ValueError(
                f"MultiLabelConfusionMatrix({self.num_classes}) expects "
                f"{self.num_classes} labels. Received: y_pred.shape={tuple(p.shape)}"
            )
        weight = _weights(y_pred, sample_weight, ops.shape(p)[:1], self.dtype)
        y = ops.cast(ops.cast(y, self.dtype) > 0.5, self.dtype)
        p = ops.cast(ops.cast(p, self.dtype) > 0.5, self.dtype)
        cells = [
            _sum_over(true * predicted, weight)
            for true in (1 - y, y)
            for predicted in (1 - p, p)
        ]
        matrix = ops.reshape(ops.stack(cells, axis=1), (C, 2, 2))
        self.counts.assign_add(matrix)

    def result(self):
        return ops.convert_to_tensor(self.counts)

    def get_config(self) -> Config:
        return {
            "num_classes": self.num_classes,
            "name": self.name,
            "dtype": self.dtype,
        }
