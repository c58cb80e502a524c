"""Circle loss, for a batch of embeddings with their labels."""

import keras
from keras import ops

from ..common.checks import minus_infinity, python_number
from ..common.private_keras import set_mask
from ..common.types import Config, DType
from .base import _Loss, _tensor, _wide
from .labels import _is_same, _of_samples, _off_diagonal


@keras.saving.register_keras_serializable(package="keras_cookbook")
def circle(
    y_true,
    y_pred,
    ref_labels=None,
    ref_embeddings=None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
    mask=None,
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
    is_unlike = ops.logical_not(is_same)
    if mask is not None:  # a masked sample is in no pair
        mask = _of_samples(mask, y_pred)
        columns = mask if ref_embeddings is None else ops.ones_like(is_same[0])
        is_like = ops.logical_and(is_like, columns)
        is_unlike = ops.logical_and(is_unlike, columns)
    like = -gamma * ops.relu(1 + margin - s) * (s - 1 + margin)
    unlike = gamma * ops.relu(s + margin) * (s - margin)
    none = ops.full_like(s, minus_infinity(s.dtype))
    like = ops.logsumexp(ops.where(is_like, like, none), axis=1)
    unlike = ops.logsumexp(ops.where(is_unlike, unlike, none), axis=1)
    loss = ops.cast(ops.softplus(like + unlike), y_pred.dtype)
    is_counted = loss > 0
    set_mask(loss, is_counted if mask is None else ops.logical_and(is_counted, mask))
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
    Differs from Keras: a row that is alone in its class has finite gradients. Labels
    are compared as integers, of 64 bits if they have them. A masked sample is in no
    pair; Keras leaves out its row only.

    >>> round(float(Circle()([0, 1, 0], [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])), 4)
    94.4

    Paper: Sun et al., "Circle loss: a unified perspective of pair similarity
    optimization", 2020. https://arxiv.org/abs/2002.10857
    """

    uses_mask = True

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
        self.gamma = python_number(gamma)
        self.margin = python_number(margin)
        self.remove_diagonal = remove_diagonal

    def call(self, y_true, y_pred, mask=None):
        return circle(
            y_true,
            y_pred,
            remove_diagonal=self.remove_diagonal,
            gamma=self.gamma,
            margin=self.margin,
            mask=mask,
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "margin": self.margin,
            "remove_diagonal": self.remove_diagonal,
        }
