"""Losses for targets of the right shape, without masks and weights."""

from typing import Any

import keras
from keras import ops

from custom_layers.common.private_keras import set_mask
from custom_layers.losses.crossentropy import _class_scores


def _tensor(x: Any, name: str, dtype: str | None = None) -> Any:
    """x as a tensor, of `dtype` if that is given."""
    x = ops.convert_to_tensor(x)
    return ops.cast(x, dtype) if dtype else x


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Both as tensors of one shape, so that (B,) beside (B, 1) does not broadcast."""
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    return ops.reshape(y_true, ops.shape(y_pred)), y_pred


def _integers(x: Any, name: str) -> Any:
    """x as a tensor of integers."""
    return ops.cast(x, "int32")


def _logits_of(y_pred: Any, from_logits: bool) -> tuple[Any, bool]:
    """(y_pred, whether it holds logits)."""
    return y_pred, from_logits


class SparseCategoricalCrossentropy(keras.losses.Loss):
    """Cross-entropy between predicted classes and integer labels.

    loss = -log(p[y_true]),  p = y_pred / sum(y_pred)
    from logits z:  log(sum(exp(z))) - z[y_true],
    whose gradient is softmax(z) - onehot(y_true)
    """

    def __init__(
        self, from_logits: bool = False, ignore_class: int | None = None
    ) -> None:
        super().__init__("sparse_categorical_crossentropy")
        self.from_logits = from_logits
        self.ignore_class = ignore_class

    def call(self, y_true, y_pred):
        labels = ops.reshape(ops.cast(y_true, "int32"), ops.shape(y_pred)[:-1])
        score, log_total = _class_scores(y_pred, self.from_logits, axis=-1)
        onehot = ops.one_hot(labels, y_pred.shape[-1], dtype=score.dtype)
        loss = log_total - ops.sum(onehot * score, axis=-1, keepdims=True)
        loss = ops.squeeze(loss, -1)
        if self.ignore_class is not None:
            is_counted = labels != self.ignore_class
            loss = ops.where(is_counted, loss, 0.0)
            set_mask(loss, is_counted)
        return loss
