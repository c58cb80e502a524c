"""N-pairs loss, a softmax over the similarities of a batch."""

import keras
from keras import ops

from ..common.checks import minus_infinity
from ..common.private_keras import set_mask
from ..common.types import DType
from .base import _Loss, _tensor
from .labels import _is_same, _of_samples


@keras.saving.register_keras_serializable(package="keras_cookbook")
class NPairs(_Loss):
    """N-pairs loss: among the batch, each anchor must find the sample of its class.

    loss = log(sum(exp(s))) - mean of s over the columns of the anchor's class
    s = a row of y_pred

    It is the cross-entropy of a softmax over the batch.

    Args:
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true (B,) or (B, 1) of integer labels, y_pred (B, B), the similarities of
        anchors (rows) to positives (columns), such as anchors @ positives.T
        -> scalar, or (B,) with reduction None. Masked samples are left out, as anchors
        and as positives.
    Raises: ValueError for other shapes.
    Differs from Keras: Keras has no such loss; it is TensorFlow Addons' NpairsLoss. The
    paper's penalty on the length of the embeddings is left to an activity regularizer.

    >>> round(float(NPairs()([0, 1], [[0.0, 0.0], [0.0, 0.0]])), 4)
    0.6931

    Paper: Sohn, "Improved deep metric learning with multi-class N-pair loss objective",
    2016. https://papers.nips.cc/paper/6200
    """

    uses_mask = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "n_pairs",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred, mask=None):
        s = _tensor(y_pred, "y_pred")
        is_like = _is_same(y_true, s)
        if mask is not None:  # a masked sample is neither an anchor nor a positive
            mask = _of_samples(mask, s)
            is_like = ops.logical_and(is_like, mask)
            s = ops.where(mask, s, minus_infinity(s.dtype))
        like = ops.cast(is_like, s.dtype)
        like = like / ops.maximum(ops.sum(like, axis=1, keepdims=True), 1)
        loss = ops.logsumexp(s, axis=1) - ops.sum(like * s, axis=1)
        set_mask(loss, mask)
        return loss
