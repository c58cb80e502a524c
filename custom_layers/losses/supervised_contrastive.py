"""Supervised contrastive loss, a softmax over the batch with labels."""

import keras
from keras import ops

from ..common.checks import minus_infinity, python_number
from ..common.private_keras import set_mask
from ..common.types import Config, DType
from .base import _Loss, _tensor, _unit
from .labels import _classes_of_pairs, _off_diagonal


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SupervisedContrastive(_Loss):
    """Supervised contrastive loss: a sample must find all others of its class.

    loss = log(sum over the others k of exp(s[k])) - mean of s over those of its class
    s = cosines of the sample and the others of the batch / temperature

    It trains embeddings; a classifier on top of them is trained afterwards.

    Args:
        temperature: a number > 0; the smaller, the more the nearest samples matter.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true (B,) or (B, 1) of integer labels, y_pred (B, D) of embeddings ->
        scalar, or (B,) with reduction None. A sample that is alone in its class is
        left out of the mean, and so are masked samples.
    Raises: ValueError for other shapes and for a temperature that is not above 0.
    Differs from Keras: Keras has no such loss. It is L_out of the paper; the authors'
    code multiplies it by temperature / 0.07.

    >>> loss = SupervisedContrastive(temperature=1.0)
    >>> round(float(loss([0, 0, 1], [[2.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), 4)
    0.3133

    Paper: Khosla et al., "Supervised contrastive learning", 2020.
    https://arxiv.org/abs/2004.11362
    """

    uses_mask = True

    def __init__(
        self,
        temperature: float = 0.1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "supervised_contrastive",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        if temperature <= 0:
            raise ValueError(
                f"`temperature` must be above 0. Received: temperature={temperature}"
            )
        self.temperature = python_number(temperature)

    def call(self, y_true, y_pred, mask=None):
        z = _unit(_tensor(y_pred, "y_pred"), -1)
        is_same, is_other = _classes_of_pairs(y_true, z, mask)
        is_like = _off_diagonal(is_same)
        s = ops.matmul(z, ops.transpose(z)) / self.temperature

        none = ops.full_like(s, minus_infinity(s.dtype))
        others = ops.where(ops.logical_or(is_like, is_other), s, none)
        like = ops.cast(is_like, s.dtype)
        count = ops.sum(like, axis=1)
        mean = ops.divide_no_nan(ops.sum(like * s, axis=1), count)
        has_like = count > 0
        loss = ops.logsumexp(others, axis=1) - mean
        loss = ops.where(has_like, loss, ops.zeros_like(loss))
        set_mask(loss, has_like)
        return loss

    def get_config(self) -> Config:
        return {**super().get_config(), "temperature": self.temperature}
