"""N-pairs loss, a softmax over the similarities of a batch."""

import keras
from keras import ops

from ..common.checks import minus_infinity
from ..common.private_keras import set_mask
from ..common.types import DType
from .base import _Loss, _refuse_shapes, _tensor
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
        like = ops.cast(_is_same(y_true, s), s.dtype)
        loss, _ = _surprise(like, s, mask)
        set_mask(loss, mask)
        return loss


def _surprise(like, s, mask):
    """(log(sum(exp(s))) - the mean of s weighed by `like`, whether a row has any like).

    A masked sample is neither an anchor nor a positive.
    """
    if mask is not None:
        mask = _of_samples(mask, s)
        like = ops.where(mask, like, ops.zeros_like(like))
        s = ops.where(mask, s, minus_infinity(s.dtype))
    total = ops.sum(like, axis=1, keepdims=True)
    like = ops.divide_no_nan(like, total)
    return ops.logsumexp(s, axis=1) - ops.sum(like * s, axis=1), total[:, 0] > 0


@keras.saving.register_keras_serializable(package="keras_cookbook")
class NPairsMultilabel(_Loss):
    """N-pairs loss of samples with several labels: positives share at least one.

    loss = log(sum(exp(s))) - mean of s over the columns, weighed by their likeness
    s = a row of y_pred
    likeness = number of labels that the anchor and the column have in common

    Args:
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true (B, L) of 0 and 1, which labels a sample has; y_pred (B, B), the
        similarities of anchors (rows) to positives (columns) -> scalar, or (B,) with
        reduction None. Samples without a label and masked samples are left out.
    Raises: ValueError for other shapes.
    Differs from Keras: Keras has no such loss; it is TensorFlow Addons'
    NpairsMultilabelLoss, which gives NaN for a sample without a label.

    >>> y_true = [[1, 1, 0], [0, 1, 0]]
    >>> round(float(NPairsMultilabel()(y_true, [[0.0, 0.0], [0.0, 0.0]])), 4)
    0.6931

    Paper: Sohn, "Improved deep metric learning with multi-class N-pair loss objective",
    2016. https://papers.nips.cc/paper/6200
    """

    uses_mask = True

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "n_pairs_multilabel",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred, mask=None):
        s = _tensor(y_pred, "y_pred")
        labels = _tensor(y_true, "y_true", s.dtype)
        if len(labels.shape) != 2 or len(s.shape) != 2:
            _refuse_shapes(labels, s, "must have the shapes (B, L) and (B, B)")
        if mask is not None:
            is_kept = ops.expand_dims(_of_samples(mask, s), 1)
            labels = ops.where(is_kept, labels, ops.zeros_like(labels))
        likeness = ops.matmul(labels, ops.transpose(labels))
        loss, has_like = _surprise(likeness, s, mask)
        loss = ops.where(has_like, loss, ops.zeros_like(loss))
        set_mask(loss, has_like)
        return loss
