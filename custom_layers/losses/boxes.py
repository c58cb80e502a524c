"""Generalized intersection over union, a loss of boxes around objects."""

import keras
from keras import ops

from ..common.checks import one_of
from ..common.types import Config, DType
from .base import _Loss, _pair, _refuse_shapes


def _area(low, high):
    """(...) of boxes from low (..., 2) to high; one with high below low is empty."""
    sides = ops.maximum(high - low, 0)
    return ops.prod(sides, axis=-1)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GIoU(_Loss):
    """Generalized intersection over union: boxes that do not meet attract each other.

    loss = 1 - |A and B| / |A or B| + (|C| - |A or B|) / |C|

    A and B are the areas of the true and of the predicted box, C is the smallest box
    around both. Boxes that do not overlap have the same IoU, 0, wherever they lie; C
    gives them a gradient towards each other.

    Args:
        mode: "giou", or "iou" for the loss without its last term.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true and y_pred (B, ..., 4), each box (y_min, x_min, y_max, x_max) or
        (x_min, y_min, x_max, y_max) -> scalar, or (B, ...) with reduction None.
    Raises: ValueError for an unknown mode, for shapes that differ, and for a last axis
        that does not hold four numbers.
    Differs from Keras: Keras has no such loss; it is TensorFlow Addons' GIoULoss. Two
    boxes without an area cost 1, as there.

    >>> loss = GIoU(reduction=None)([[4.0, 3.0, 7.0, 5.0]], [[3.0, 4.0, 6.0, 8.0]])
    >>> [round(float(x), 4) for x in loss]
    [1.075]

    Paper: Rezatofighi et al., "Generalized intersection over union: a metric and a loss
    for bounding box regression", 2019. https://arxiv.org/abs/1902.09630
    """

    def __init__(
        self,
        mode: str = "giou",
        reduction: str | None = "sum_over_batch_size",
        name: str = "giou",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.mode = one_of(mode, ("giou", "iou"), "mode")

    def call(self, y_true, y_pred):
        y_true, y_pred = _pair(y_true, y_pred)
        if y_pred.shape[-1] != 4:
            _refuse_shapes(y_true, y_pred, "must have the shape (B, ..., 4)")
        a_low, a_high = ops.split(y_true, 2, axis=-1)
        b_low, b_high = ops.split(y_pred, 2, axis=-1)
        low = ops.maximum(a_low, b_low)
        high = ops.minimum(a_high, b_high)
        both = _area(low, high)
        either = _area(a_low, a_high) + _area(b_low, b_high) - both
        loss = 1 - ops.divide_no_nan(both, either)
        if self.mode == "iou":
            return loss

        low = ops.minimum(a_low, b_low)
        high = ops.maximum(a_high, b_high)
        around = _area(low, high)
        return loss + ops.divide_no_nan(around - either, around)

    def get_config(self) -> Config:
        return {**super().get_config(), "mode": self.mode}
