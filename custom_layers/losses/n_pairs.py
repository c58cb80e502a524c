"""N-pairs loss, a softmax over the similarities of a batch."""

import keras
from keras import ops

from ..common.types import DType
from .base import _Loss, _tensor
from .labels import _is_same


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
        -> scalar, or (B,) with reduction None.
    Raises: ValueError for other shapes.
    Differs from Keras: Keras has no such loss; it is TensorFlow Addons' NpairsLoss. The
    paper's penalty on the length of the embeddings is left to an activity regularizer.

    >>> round(float(NPairs()([0, 1], [[0.0, 0.0], [0.0, 0.0]])), 4)
    0.6931

    Paper: Sohn, "Improved deep metric learning with multi-class N-pair loss objective",
    2016. https://papers.nips.cc/paper/6200
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "n_pairs",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true, y_pred):
        s = _tensor(y_pred, "y_pred")
        like = ops.cast(_is_same(y_true, s), s.dtype)
        like = like / ops.sum(like, axis=1, keepdims=True)
        return ops.logsumexp(s, axis=1) - ops.sum(like * s, axis=1)
