"""F-scores, the harmonic mean of precision and recall."""

import keras
from keras import ops

from ..common.checks import one_of, python_number
from ..common.types import Config, DType
from .base import _sum_over, _two_dimensional, _weights
from .multi_label import _chosen


@keras.saving.register_keras_serializable(package="keras_cookbook")
class FBetaScore(keras.metrics.Metric):
    """F-beta score: the mean of precision and recall, which weighs recall beta times.

    F = (1 + beta^2) * tp / ((1 + beta^2) * tp + beta^2 * fn + fp)

    tp, fp and fn count true positives, false positives and false negatives.

    Args:
        average: None for the score of each class; "micro" for the score of all counts
            together; "macro" for the mean over the classes; "weighted" for their mean,
            weighed by how often a class is true.
        beta: a number > 0; above 1, recall matters more than precision.
        threshold: a score above it counts as positive, a number in (0, 1]; None takes
            the highest score of a row.
        name, dtype: as in every metric.

    Call arguments of `update_state`: y_true of 0 and 1, and y_pred, scores, (B, C);
        sample_weight (B,).
    Result: (C,) with average None, else a scalar; 0 where nothing is positive.
    Raises: ValueError for other shapes and for an argument outside its range.
    Differs from Keras: what the mask of y_pred hides does not count. Keras adds its
    epsilon four times to the formula. Before the first update the result is 0.

    >>> metric = FBetaScore(beta=2.0, threshold=0.5)
    >>> y_pred = [[0.2, 0.6], [0.8, 0.4], [0.9, 0.8]]
    >>> metric.update_state([[1, 1], [1, 0], [1, 1]], y_pred)
    >>> [round(float(x), 4) for x in metric.result()]
    [0.7143, 1.0]

    Paper: van Rijsbergen, "Information retrieval", 1979.
    http://www.dcs.gla.ac.uk/Keith/Preface.html
    """

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
        dtype: DType = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        kinds = (None, "micro", "macro", "weighted")
        if beta <= 0:
            raise ValueError(f"`beta` must be above 0. Received: beta={beta}")
        if threshold is not None and not 0 < threshold <= 1:
            raise ValueError(
                "`threshold` must be above 0 and at most 1. "
                f"Received: threshold={threshold}"
            )
        self.average = one_of(average, kinds, "average")
        self.beta = python_number(beta)
        self.threshold = python_number(threshold)

    def build(self, classes: int | None) -> None:
        """Makes the counts, which need the number of classes."""
        self.built = True
        names = ("true_positives", "false_positives", "false_negatives")
        self._counts = [
            self.add_variable(shape=(classes,), initializer="zeros", name=name)
            for name in names
        ]

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        y = ops.convert_to_tensor(y_true, dtype=self.dtype)
        p = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        _, C = _two_dimensional(y, p, type(self).__name__)
        if not getattr(self, "built", False):
            self.build(C)
        weight = _weights(y_pred, sample_weight, ops.shape(p)[:1], self.dtype)
        p = ops.cast(_chosen(p, self.threshold), self.dtype)
        tp, fp, fn = self._counts
        tp.assign_add(_sum_over(p * y, weight))
        fp.assign_add(_sum_over(p * (1 - y), weight))
        fn.assign_add(_sum_over((1 - p) * y, weight))

    def result(self):
        if not getattr(self, "built", False):
            return ops.zeros((), self.dtype)
        tp, fp, fn = (ops.convert_to_tensor(count) for count in self._counts)
        if self.average == "micro":
            tp, fp, fn = ops.sum(tp), ops.sum(fp), ops.sum(fn)
        square = self.beta**2
        below = (1 + square) * tp + square * fn + fp
        score = ops.divide_no_nan((1 + square) * tp, below)
        if self.average == "macro":
            return ops.mean(score)
        if self.average == "weighted":
            share = ops.divide_no_nan(tp + fn, ops.sum(tp + fn))
            return ops.sum(share * score)
        return score

    def get_config(self) -> Config:
        return {
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
            "name": self.name,
            "dtype": self.dtype,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class F1Score(FBetaScore):
    """F1 score: the harmonic mean of precision and recall.

    F1 = 2 * tp / (2 * tp + fn + fp)

    Args:
        average, threshold, name, dtype: as in `FBetaScore`.

    Call arguments, result and errors: as in `FBetaScore`.
    Differs from Keras: as `FBetaScore` does.

    >>> metric = F1Score(average="micro", threshold=0.5)
    >>> y_pred = [[0.2, 0.6], [0.8, 0.4], [0.9, 0.8]]
    >>> metric.update_state([[1, 1], [1, 0], [1, 1]], y_pred)
    >>> round(float(metric.result()), 4)
    0.8889

    Paper: van Rijsbergen, "Information retrieval", 1979.
    http://www.dcs.gla.ac.uk/Keith/Preface.html
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: DType = None,
    ) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> Config:
        config = super().get_config()
        del config["beta"]
        return config
