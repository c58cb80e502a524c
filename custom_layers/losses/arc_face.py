"""ArcFace, a softmax over angles with a margin."""

import math

import keras
from keras import ops

from ..common.checks import python_number
from ..common.types import Config, DType
from .base import _integers, _Loss, _refuse_shapes, _tensor, _wide


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ArcFace(_Loss):
    """ArcFace: cross-entropy of cosines, in which the true angle is made wider.

    loss = log(sum over classes c of exp(z[c])) - z[y]
    z[c] = scale * cos[c] for c != y
    z[y] = scale * cos(angle + margin), cos(angle) = cos[y]

    Where angle + margin exceeds pi, z[y] = scale * (cos[y] - margin * sin(margin)),
    which falls on as the angle grows, as in the authors' code.

    Args:
        margin: what is added to the true angle, in radians, from 0 to below pi.
        scale: the length that embeddings have in the softmax, a number > 0.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true (B, ...) or (B, ..., 1) of integer labels, y_pred (B, ..., C), the
        cosines of an embedding and the vector of each class: the output of a Dense
        layer without bias, whose input and whose columns have length 1 -> scalar, or
        (B, ...) with reduction None.
    Raises: ValueError for other shapes and for an argument outside its range.
    Differs from Keras: Keras has no such loss.

    >>> round(float(ArcFace(margin=0.5, scale=1.0)([0], [[1.0, 0.0]])), 4)
    0.3477

    Paper: Deng, Guo, Xue and Zafeiriou, "ArcFace: additive angular margin loss for deep
    face recognition", 2018. https://arxiv.org/abs/1801.07698
    """

    def __init__(
        self,
        margin: float = 0.5,
        scale: float = 64.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "arc_face",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        if not 0 <= margin < math.pi:
            raise ValueError(
                "`margin` must be an angle of at least 0 and below pi. "
                f"Received: margin={margin}"
            )
        if scale <= 0:
            raise ValueError(f"`scale` must be above 0. Received: scale={scale}")
        self.margin = python_number(margin)
        self.scale = python_number(scale)

    def call(self, y_true, y_pred):
        cos = _tensor(y_pred, "y_pred")
        cos = _wide(cos)
        y = _integers(y_true, "y_true")
        if len(y.shape) == len(cos.shape) and y.shape[-1] == 1:
            y = ops.squeeze(y, -1)
        if len(y.shape) != len(cos.shape) - 1:
            _refuse_shapes(y, cos, "must have the shapes (B, ...) and (B, ..., C)")
        C = cos.shape[-1]
        is_truth = ops.one_hot(y, C, dtype="bool")
        wider = self._with_margin(cos)
        z = self.scale * ops.where(is_truth, wider, cos)
        nothing = ops.zeros_like(z)
        of_truth = ops.where(is_truth, z, nothing)
        of_truth = ops.sum(of_truth, axis=-1)
        loss = ops.logsumexp(z, axis=-1) - of_truth
        return ops.cast(loss, self.dtype)

    def _with_margin(self, cos):
        """cos(angle + margin); the slope stays finite where the sine is 0."""
        m = self.margin
        square = 1 - ops.square(cos)
        square = ops.maximum(square, keras.config.epsilon())
        sin = ops.sqrt(square)
        wider = cos * math.cos(m) - sin * math.sin(m)
        is_below_pi = cos > math.cos(math.pi - m)
        beyond = cos - m * math.sin(m)
        return ops.where(is_below_pi, wider, beyond)

    def get_config(self) -> Config:
        return {**super().get_config(), "margin": self.margin, "scale": self.scale}
