"""Top-k accuracy: the truth is among the k highest scores."""

import keras
from keras import ops

from ..common.checks import positive_integer
from ..common.types import Config, DType
from .base import _weights


class _TopK(keras.metrics.Metric):
    """Share of the samples whose class is among the k highest scores."""

    def __init__(self, k: int, name: str, dtype: DType) -> None:
        super().__init__(name=name, dtype=dtype)
        self.k = positive_integer(k, "k")
        self.right = self.add_variable(shape=(), initializer="zeros", name="right")
        self.total = self.add_variable(shape=(), initializer="zeros", name="total")

    def count(self, y, y_pred, sample_weight) -> None:
        """Adds a batch of classes y (B, ...) and of scores (B, ..., C)."""
        p = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        y = ops.cast(y, "int32")
        weight = _weights(y_pred, sample_weight, ops.shape(y), self.dtype)
        C = p.shape[-1]
        place = ops.expand_dims(ops.clip(y, 0, C - 1), -1)
        score = ops.take_along_axis(p, place, axis=-1)
        is_higher = p > score
        rank = ops.sum(ops.cast(is_higher, "float32"), axis=-1)
        is_class = ops.logical_and(y >= 0, y < C)
        is_right = ops.logical_and(is_class, rank < self.k)
        is_number = ops.isfinite(score[..., 0])
        is_right = ops.logical_and(is_right, is_number)
        is_right = ops.cast(is_right, self.dtype)
        self.right.assign_add(ops.sum(weight * is_right))
        self.total.assign_add(ops.sum(weight))

    def result(self):
        return ops.divide_no_nan(self.right, self.total)

    def get_config(self) -> Config:
        return {"k": self.k, "name": self.name, "dtype": self.dtype}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TopKCategoricalAccuracy(_TopK):
    """Top-k accuracy of one-hot classes: the truth is among the k highest scores.

    accuracy = number of samples with fewer than k scores above that of their class
        / number of samples

    Args:
        k: how many answers the model may give.
        name, dtype: as in every metric.

    Call arguments of `update_state`: y_true, one-hot, and y_pred, scores, (B, ..., C);
        sample_weight of their first axes. What the mask of y_pred hides does not count.
    Result: scalar from 0 to 1, over all batches; 0 before the first update.
    Raises: ValueError for a k that is not a positive integer.
    Differs from Keras: a masked place does not count. A class whose score ties with the
    k-th highest counts as among them, and one whose score is NaN does not. Scores of
    minus infinity for other classes change nothing; with Keras on TensorFlow, a row
    that holds one is never right.

    >>> metric = TopKCategoricalAccuracy(k=2)
    >>> metric.update_state([[1, 0, 0], [0, 0, 1]], [[0.3, 0.6, 0.1], [0.5, 0.4, 0.1]])
    >>> float(metric.result())
    0.5

    Paper: Russakovsky et al., "ImageNet large scale visual recognition challenge",
    2014. https://arxiv.org/abs/1409.0575
    """

    def __init__(
        self,
        k: int = 5,
        name: str = "top_k_categorical_accuracy",
        dtype: DType = None,
    ) -> None:
        super().__init__(k, name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        y = ops.argmax(ops.convert_to_tensor(y_true), axis=-1)
        self.count(y, y_pred, sample_weight)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SparseTopKCategoricalAccuracy(_TopK):
    """Top-k accuracy of integer classes: the truth is among the k highest scores.

    Args:
        k: how many answers the model may give.
        from_sorted_ids: whether y_pred holds classes, sorted by their scores, the best
            first, in place of scores.
        name, dtype: as in every metric.

    Call arguments of `update_state`: y_true, integer classes (B, ...) or (B, ..., 1),
        and y_pred (B, ..., C). Else as in `TopKCategoricalAccuracy`.
    Differs from Keras: as `TopKCategoricalAccuracy` does. A class outside 0 ... C - 1
    is never right.

    >>> metric = SparseTopKCategoricalAccuracy(k=2)
    >>> metric.update_state([0, 2], [[0.3, 0.6, 0.1], [0.5, 0.4, 0.1]])
    >>> float(metric.result())
    0.5

    Paper: as of `TopKCategoricalAccuracy`, https://arxiv.org/abs/1409.0575
    """

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: DType = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(k, name, dtype)
        self.from_sorted_ids = bool(from_sorted_ids)

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        y = ops.convert_to_tensor(y_true)
        p = ops.convert_to_tensor(y_pred)
        if len(y.shape) == len(p.shape):
            y = ops.squeeze(y, -1)
        if not self.from_sorted_ids:
            self.count(y, y_pred, sample_weight)
            return
        y = ops.cast(ops.expand_dims(y, -1), p.dtype)
        is_right = ops.any(ops.equal(p[..., : self.k], y), axis=-1)
        is_right = ops.cast(is_right, self.dtype)
        weight = _weights(y_pred, sample_weight, ops.shape(is_right), self.dtype)
        self.right.assign_add(ops.sum(weight * is_right))
        self.total.assign_add(ops.sum(weight))

    def get_config(self) -> Config:
        return {**super().get_config(), "from_sorted_ids": self.from_sorted_ids}
