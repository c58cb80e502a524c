"""Mean intersection over union of a segmentation."""

import keras
from keras import ops

from ..common.checks import positive_integer, python_number
from ..common.types import Config, DType
from .base import _OfConfusion, _weights


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MeanIoU(_OfConfusion):
    """Mean IoU of a segmentation: how much true and predicted areas overlap.

    IoU of a class = true positives / (true positives + false positives + misses)
    result = mean over the classes that are true or predicted somewhere

    Args:
        num_classes: number of classes.
        name, dtype: as in every metric.
        ignore_class: a true class whose places do not count, such as 255 for borders;
            None counts all.
        sparse_y_true, sparse_y_pred: whether each argument holds integer classes;
            otherwise it holds one-hot classes, or scores, along `axis`.
        axis: axis of the classes of an argument that is not sparse.

    Call arguments of `update_state`: y_true and y_pred (B, ...), with an axis for the
        classes where they are not sparse; sample_weight of their first axes. What the
        mask of y_pred hides does not count.
    Result: scalar from 0 to 1, over all batches; 0 before the first update.
    Raises: ValueError for a number of classes that is not a positive integer.
    Differs from Keras: a masked place does not count, and neither does a class outside
    0 ... num_classes - 1. The dtype is that of the counts, and Keras's default for it
    is an integer, which rounds weights down.

    >>> metric = MeanIoU(num_classes=2)
    >>> metric.update_state([0, 0, 1, 1], [0, 1, 0, 1])
    >>> round(float(metric.result()), 4)
    0.3333

    Paper: Everingham et al., "The Pascal visual object classes (VOC) challenge", 2010.
    https://doi.org/10.1007/s11263-009-0275-4
    """

    def __init__(
        self,
        num_classes: int,
        name: str = "mean_io_u",
        dtype: DType = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(positive_integer(num_classes, "num_classes"), name, dtype)
        self.ignore_class = python_number(ignore_class)
        self.sparse_y_true = python_number(sparse_y_true)
        self.sparse_y_pred = python_number(sparse_y_pred)
        self.axis = python_number(axis)

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        y, p = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if not self.sparse_y_true:
            y = ops.argmax(y, axis=self.axis)
        if not self.sparse_y_pred:
            p = ops.argmax(p, axis=self.axis)
        weight = _weights(y_pred, sample_weight, ops.shape(p), self.dtype)
        y = ops.reshape(ops.cast(y, "int32"), (-1,))
        weight = ops.reshape(weight, (-1,))
        if self.ignore_class is not None:
            counts = ops.not_equal(y, self.ignore_class)
            weight = weight * ops.cast(counts, self.dtype)
        self.count(y, ops.reshape(ops.cast(p, "int32"), (-1,)), weight)

    def result(self):
        n = ops.cast(self.confusion, keras.config.floatx())
        both = ops.diagonal(n)
        either = ops.sum(n, axis=0) + ops.sum(n, axis=1) - both
        iou = ops.divide_no_nan(both, either)
        classes = ops.sum(ops.cast(either > 0, n.dtype))
        return ops.divide_no_nan(ops.sum(iou), classes)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "ignore_class": self.ignore_class,
            "sparse_y_true": self.sparse_y_true,
            "sparse_y_pred": self.sparse_y_pred,
            "axis": self.axis,
        }
