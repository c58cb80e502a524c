"""Contrastive loss, for pairs of embeddings."""

import keras
from keras import ops

from ..common.checks import python_number
from ..common.types import Config, DType
from .base import _Loss, _pair


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Contrastive(_Loss):
    """Contrastive loss: it pulls similar pairs together and pushes other pairs apart.

    loss = y_true * y_pred^2 + (1 - y_true) * max(0, margin - y_pred)^2

    Args:
        margin: distance from which a dissimilar pair costs nothing, a number > 0.
        reduction: "sum_over_batch_size" (the mean), "mean", "sum",
            "mean_with_sample_weight" or None.
        name: name of the loss.
        dtype: dtype of the computation; None means Keras's default.

    Shapes: y_true, 1 for a similar and 0 for a dissimilar pair, and y_pred, the
        distances within the pairs, (B, ...) -> scalar, or (B, ...) with reduction None.
    Raises: ValueError where the shapes differ or margin is not above 0.
    Differs from Keras: Keras has no such loss. It is TensorFlow Addons'
    ContrastiveLoss, which is twice the loss of the paper.

    >>> float(Contrastive()([1.0, 0.0], [0.5, 0.5]))
    0.25

    Paper: Hadsell, Chopra and LeCun, "Dimensionality reduction by learning an invariant
    mapping", 2006. https://doi.org/10.1109/CVPR.2006.100
    """

    def __init__(
        self,
        margin: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "contrastive",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        if margin <= 0:
            raise ValueError(f"`margin` must be above 0. Received: margin={margin}")
        self.margin = python_number(margin)

    def call(self, y_true, y_pred):
        y_true, y_pred = _pair(y_true, y_pred)
        too_near = ops.maximum(self.margin - y_pred, 0)
        return y_true * ops.square(y_pred) + (1 - y_true) * ops.square(too_near)

    def get_config(self) -> Config:
        return {**super().get_config(), "margin": self.margin}
