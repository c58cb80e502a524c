"""What metrics of classes share: which places count, and how much."""

from typing import Any

import keras
from keras import ops

from ..common.private_keras import mask_of
from ..common.types import Config, Shape
from ..losses.base import _per_value


def _weights(y_pred, sample_weight, places, dtype):
    """The weight of each place of that shape: the sample weight, 0 where masked."""
    weight = ops.ones(places, dtype)
    mask = mask_of(y_pred)
    for factor in (mask, sample_weight):
        if factor is not None:
            factor = ops.cast(ops.convert_to_tensor(factor), dtype)
            weight = weight * _per_value(factor, weight)
    return weight


def _classes_of(y, is_label: bool):
    """(N,) of integer classes, from labels or from scores on the last axis."""
    y = ops.convert_to_tensor(y)
    if not is_label:
        y = ops.argmax(y, axis=-1)
    return ops.reshape(ops.cast(y, "int32"), (-1,))


class _OfConfusion(keras.metrics.Metric):
    """A metric that is a function of the confusion matrix, (true, predicted) classes.

    A label outside 0 ... num_classes - 1 does not count.
    """

    def __init__(self, num_classes: int, name: str, dtype: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_classes = num_classes
        self.confusion = self.add_variable(
            shape=(num_classes, num_classes), initializer="zeros", name="confusion"
        )

    def count(self, y, prediction, weight) -> None:
        """Adds classes and weights, each (N,), to the matrix."""
        true = ops.one_hot(y, self.num_classes, dtype=self.dtype)  # N, C
        predicted = ops.one_hot(prediction, self.num_classes, dtype=self.dtype)
        weighted = predicted * ops.expand_dims(ops.reshape(weight, (-1,)), 1)
        self.confusion.assign_add(ops.matmul(ops.transpose(true), weighted))

    def get_config(self) -> Config:
        return {
            "num_classes": self.num_classes,
            "name": self.name,
            "dtype": self.dtype,
        }


def _two_dimensional(y_true, y_pred, owner: str) -> Shape:
    """The shape that both have, (B, C).

    Raises: ValueError where they have another rank, or differ.
    """
    shapes = tuple(y_true.shape), tuple(y_pred.shape)
    if len(shapes[0]) != 2 or len(shapes[1]) != 2 or shapes[0][1] != shapes[1][1]:
        raise ValueError(
            f"{owner} expects y_true and y_pred of one shape (batch size, outputs). "
            f"Received: y_true.shape={shapes[0]}, y_pred.shape={shapes[1]}"
        )
    return shapes[1]


def _sum_over(values, weight):
    """(C,): the sum of the values (B, C), each row times its weight."""
    return ops.sum(values * ops.reshape(weight, (-1, 1)), axis=0)
