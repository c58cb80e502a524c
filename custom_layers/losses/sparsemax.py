"""Sparsemax loss, the cross-entropy of a sparse distribution."""

import keras
from keras import ops

from ..activations.sparse import sparsemax
from ..common.types import DType
from .base import _Loss, _pair, _wide


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SparsemaxLoss(_Loss):
    """Sparsemax loss: it is exactly 0 once the truth leads every other class by 1.

    loss = sum(p * z) - |p|^2 / 2 - sum(q * z) + |q|^2 / 2
    z = y_pred,  q = y_true,  p = sparsemax(z)
    gradient to z: p - q

    It is to `sparsemax` what the cross-entropy is to softmax. The paper writes the
    first two terms as (sum over the entries with p > 0 of z^2 - tau^2) / 2 + 1 / 2,
    which is the same number.

    Args:
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true, one-hot or any distribution, and y_pred, scores, (B, ..., C) ->
        scalar, or (B, ...) with reduction None.
    Raises: ValueError where the shapes differ.
    Differs from Keras: Keras has no such loss. It is TensorFlow Addons' SparsemaxLoss,
    without its argument `from_logits`, which must be True there.

    >>> loss = SparsemaxLoss(reduction=None)([[1.0, 0.0]] * 2, [[2.0, 1.0], [0.0, 0.0]])
    >>> [float(x) for x in loss]
    [0.0, 0.25]

    Paper: Martins and Astudillo, "From softmax to sparsemax: a sparse model of
    attention and multi-label classification", 2016. https://arxiv.org/abs/1602.02068
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "sparsemax_loss",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        q, z = _pair(y_true, y_pred)
        q, z = _wide(q), _wide(z)
        # Differences to the largest score, so that large scores lose no digits.
        z = z - ops.stop_gradient(ops.max(z, axis=-1, keepdims=True))
        # p maximizes the first two terms, so its own change adds nothing to the slope.
        p = ops.stop_gradient(sparsemax(z))
        best = ops.sum(p * z, axis=-1) - ops.sum(ops.square(p), axis=-1) / 2
        of_truth = ops.sum(q * z, axis=-1) - ops.sum(ops.square(q), axis=-1) / 2
        return ops.cast(best - of_truth, self.dtype)
