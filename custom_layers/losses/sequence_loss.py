"""Sequence loss: the cross-entropy of tokens, weighted and summed as you choose."""

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import mask_of
from ..common.types import Config, DType
from .base import (
    _differ,
    _exact,
    _Loss,
    _per_value,
    _refuse_shapes,
    _tensor,
    _wide,
    _without_padding,
)
from .crossentropy import categorical_crossentropy, sparse_categorical_crossentropy


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SequenceLoss(_Loss):
    """Sequence loss: the cross-entropy of weighted tokens, in four kinds of sum.

    loss = sum(w * -log(p[y])) / n   over time, over the batch, over both or over none
    p = softmax(y_pred), w = sample_weight

    n = sum(w)          where the loss is averaged: heavy tokens count several times
    n = count(w != 0)   where it is summed: a mean over the tokens that count at all

    Args:
        average_across_timesteps, average_across_batch: whether time and the batch are
            averaged.
        sum_over_timesteps, sum_over_batch: whether they are summed, and the sum
            divided by the number of tokens with a weight.
        name: name of the loss.
        dtype: dtype of the computation; None means Keras's default.

    Shapes: y_true (B, T) of integer tokens, or (B, T, V) of probabilities; y_pred
        (B, T, V) of logits; sample_weight (B, T) or (B,), 1 by default -> scalar, or
        (T,) where the batch alone is summed or averaged, (B,) where time alone is, and
        (B, T) where neither is. Where no token has a weight, the loss is 0.
    Raises: ValueError for other shapes, and where one axis is both averaged and summed
        or one is averaged and the other summed.
    Differs from Keras: Keras has no such loss. It is TensorFlow Addons' SequenceLoss,
    without `softmax_loss_function`; what is masked has the weight 0; a token of V or
    more gives NaN. `TokenCrossentropy` is shorter where token 0 is padding.

    Padding has the weight 0. Averaged over time alone, every sentence has its own loss:

    >>> y_true, weight = [[1, 0], [1, 1]], [[1.0, 0.0], [1.0, 1.0]]
    >>> y_pred = [[[0.0, 0.0], [9.0, 0.0]], [[0.0, 9.0], [9.0, 0.0]]]
    >>> options = {"average_across_timesteps": True, "sum_over_timesteps": False}
    >>> loss = SequenceLoss(**options, sum_over_batch=False)(y_true, y_pred, weight)
    >>> print(keras.ops.convert_to_numpy(loss).round(4))
    [0.6931 4.5001]

    Paper: Sutskever, Vinyals, Le, "Sequence to sequence learning with neural
    networks", 2014. https://arxiv.org/abs/1409.3215
    """

    def __init__(
        self,
        average_across_timesteps: bool = False,
        average_across_batch: bool = False,
        sum_over_timesteps: bool = True,
        sum_over_batch: bool = True,
        name: str = "sequence_loss",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction=None, dtype=dtype)
        is_averaged = average_across_timesteps or average_across_batch
        if is_averaged and (sum_over_timesteps or sum_over_batch):
            raise ValueError(
                "A SequenceLoss either averages or sums. Switch `sum_over_timesteps` "
                "and `sum_over_batch` off, which are on by default, or do not average. "
                f"Received: average_across_timesteps={average_across_timesteps}, "
                f"average_across_batch={average_across_batch}, "
                f"sum_over_timesteps={sum_over_timesteps}, "
                f"sum_over_batch={sum_over_batch}"
            )
        self.average_across_timesteps = python_number(average_across_timesteps)
        self.average_across_batch = python_number(average_across_batch)
        self.sum_over_timesteps = python_number(sum_over_timesteps)
        self.sum_over_batch = python_number(sum_over_batch)

    def __call__(self, y_true, y_pred, sample_weight=None):
        mask = mask_of(y_pred)
        with keras.name_scope(self.name):
            z = ops.convert_to_tensor(y_pred, dtype=self.dtype)
            y = _exact(y_true, self.dtype)
            is_dense = len(y.shape) == 3
            expected = z.shape if is_dense else z.shape[:-1]
            if len(z.shape) != 3 or _differ(y.shape, expected):
                _refuse_shapes(y, z, "must have the shapes (B, T) and (B, T, V)")
            w = _weights(z, sample_weight, mask)  # B T
            # What does not count may be NaN, and must not reach a gradient.
            counts = w != 0
            z = _without_padding(z, counts)
            is_empty = tuple(z.shape[:1]) == (0,)
            losses = ops.sum(z, axis=-1) if is_empty else self.call(y, z)
            losses = ops.where(counts, losses, ops.zeros_like(losses))
            return self._summed(w * losses, w)

    def call(self, y_true, y_pred):
        z = _wide(_tensor(y_pred, "y_pred"))
        if len(y_true.shape) == 3:
            return categorical_crossentropy(y_true, z, from_logits=True)
        return sparse_categorical_crossentropy(y_true, z, from_logits=True)

    def _summed(self, losses, w):
        """Weighted losses (B, T), summed over the axes that were chosen, by n."""
        is_averaged = self.average_across_timesteps or self.average_across_batch
        over_batch = self.average_across_batch or self.sum_over_batch
        over_time = self.average_across_timesteps or self.sum_over_timesteps
        axes = [0] * bool(over_batch) + [1] * bool(over_time)
        if not axes:
            return losses
        if not is_averaged:
            w = ops.cast(w != 0, w.dtype)
        return ops.divide_no_nan(ops.sum(losses, axis=axes), ops.sum(w, axis=axes))

    def get_config(self) -> Config:
        config = super().get_config()
        del config["reduction"]
        return {
            **config,
            "average_across_timesteps": self.average_across_timesteps,
            "average_across_batch": self.average_across_batch,
            "sum_over_timesteps": self.sum_over_timesteps,
            "sum_over_batch": self.sum_over_batch,
        }


def _weights(z, sample_weight, mask):
    """The weight of every token (B, T) of z (B, T, V); 0 where it is masked."""
    w = ops.ones_like(_wide(z[..., 0]))
    if sample_weight is not None:
        given = _tensor(sample_weight, "sample_weight", w.dtype)
        w = w * _per_value(given, w)
    if mask is not None:
        w = ops.where(ops.cast(mask, "bool"), w, ops.zeros_like(w))
    return w
