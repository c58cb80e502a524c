"""Lifted structured loss, which compares every pair of a batch with all negatives."""

import keras
from keras import ops

from ..common.checks import minus_infinity, python_number
from ..common.private_keras import set_mask
from ..common.types import Config, DType
from .base import _Loss, _tensor
from .labels import _classes_of_pairs, _off_diagonal, _shares_of_anchors
from .triplet import _distances


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LiftedStruct(_Loss):
    """Lifted structured loss: each pair of one class, against all of other classes.

    loss = mean over pairs (i, j) of one class of max(0, J)^2 / 2
    J = log(sum of exp(margin - d(i, k)) + sum of exp(margin - d(j, l))) + d(i, j)

    k runs over the samples of another class than i's, and l over those of another class
    than j's. d is the Euclidean distance.

    Args:
        margin: distance at which a sample of another class begins to matter.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true (B,) or (B, 1) of integer labels, y_pred (B, D) of embeddings ->
        scalar, or (B,) with reduction None: each sample's share, scaled so that the
        mean over the batch is the mean over the pairs. Masked samples are left out.
    Raises: ValueError for other shapes.
    Differs from Keras: Keras has no such loss; it is TensorFlow Addons'
    LiftedStructLoss. A batch of one class costs 0.

    >>> round(float(LiftedStruct()([0, 0, 1], [[0.0], [1.0], [3.0]])), 4)
    0.0491

    Paper: Song, Xiang, Jegelka and Savarese, "Deep metric learning via lifted
    structured feature embedding", 2016. https://arxiv.org/abs/1511.06452
    """

    uses_mask = True

    def __init__(
        self,
        margin: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "lifted_struct",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.margin = python_number(margin)

    def call(self, y_true, y_pred, mask=None):
        y_pred = _tensor(y_pred, "y_pred")
        is_same, is_other = _classes_of_pairs(y_true, y_pred, mask)
        is_pair = _off_diagonal(is_same)
        d = _distances(y_pred, "L2")
        none = ops.full_like(d, minus_infinity(d.dtype))
        near = ops.logsumexp(ops.where(is_other, self.margin - d, none), axis=1)
        J = ops.logaddexp(ops.expand_dims(near, 1), ops.expand_dims(near, 0)) + d
        cost = ops.square(ops.relu(J)) / 2
        loss = _shares_of_anchors(cost, is_pair, mask)
        set_mask(loss, mask)
        return loss

    def get_config(self) -> Config:
        return {**super().get_config(), "margin": self.margin}
