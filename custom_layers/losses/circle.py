"""Circle loss, for a batch of embeddings with their labels."""

import keras
from keras import ops

from ..common.checks import minus_infinity
from ..common.private_keras import set_mask
from ..common.types import Config, DType
from .base import _Loss, _tensor, _wide
from .labels import _is_same, _off_diagonal


@keras.saving.register_keras_serializable(package="keras_cookbook")
def circle(
    y_true,
    y_pred,
    ref_labels=None,
    ref_embeddings=None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
):
    """Circle loss of each row against the batch or a reference set, as in `Circle`.

    >>> loss = circle([0, 1, 0], [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    >>> [round(float(x), 4) for x in loss]
    [54.4, 0.0, 134.4]
    """
    y_pred = _tensor(y_pred, "y_pred")
    refs = y_pred if ref_embeddings is None else _tensor(ref_embeddings, "refs")
    is_same = _is_same(y_true, y_pred, ref_labels)
    is_like = _off_diagonal(is_same) if remove_diagonal else is_same
    s = ops.minimum(_wide(ops.matmul(y_pred, ops.transpose(refs))), 1)
    like = -gamma * ops.relu(1 + margin - s) * (s - 1 + margin)
    unlike = gamma * ops.relu(s + margin) * (s - margin)
    none = ops.full_like(s, minus_infinity(s.dtype))
    like = ops.logsumexp(ops.where(is_like, like, none), axis=1)
    unlike = ops.logsumexp(ops.where(is_same, none, unlike), axis=1)
    loss = ops.cast(ops.softplus(like + unlike), y_pred.dtype)
    set_mask(loss, loss > 0)
    return loss


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Circle(_Loss):
    """Circle loss: each pair weighs as much as its similarity is far from its goal.

    loss = log(1 + sum(exp(like)) * sum(exp(unlike)))
    like = -gamma * max(0, 1 + margin - s) * (s - 1 + margin)
    unlike = gamma * max(0, s + margin) * (s - margin)
    s = cosines between the row's embedding and the others

    The first sum runs over the samples of the row's class, the second over the rest.

    Args:
        gamma: scale of the exponents.
        margin: a number in [0, 1]. The goal is s > 1 - margin for pairs of one class
            and s < margin for other pairs.
        remove_diagonal: whether to leave out the pair of a sample with itself.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true (B,) or (B, 1) of integer labels, y_pred (B, D) of embeddings of
        length 1 -> scalar, or (B,) with reduction None. As in Keras, rows whose loss is
        0 are left out of the mean, and the weights of the pairs have a gradient too.
    Raises: ValueError for other shapes.
    Differs from Keras: a row that is alone in its class has finite gradients.

    >>> round(float(Circle()([0, 1, 0], [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])), 4)
    94.4

    Paper: Sun et al., "Circle loss: a unified perspective of pair similarity
    optimization", 2020. https://arxiv.org/abs/2002.10857
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "circle",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal

    def call(self, y_true, y_pred):
        return circle(
            y_true,
            y_pred,
            remove_diagonal=self.remove_diagonal,
            gamma=self.gamma,
            margin=self.margin,
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "margin": self.margin,
            "remove_diagonal": self.remove_diagonal,
        }
