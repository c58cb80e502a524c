"""Focal cross-entropies, in which well-classified samples count little."""

from collections.abc import Sequence

import keras
from keras import ops

from ..common.checks import python_number
from ..common.types import Config, DType
from .base import _Loss, _pair, _wide
from .crossentropy import (
    _binary_surprise,
    _class_scores,
    _logits_of,
    _share,
    _smooth,
    _smooth_classes,
)


def _focus(miss, gamma: float):
    """miss^gamma, where miss is 1 - p; its slope is finite for every gamma."""
    return ops.power(ops.maximum(miss, keras.config.epsilon()), gamma)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def binary_focal_crossentropy(
    y_true,
    y_pred,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
):
    """Mean of (1 - p_t)^gamma * -log(p_t), as in `BinaryFocalCrossentropy`.

    >>> round(float(binary_focal_crossentropy([1.0], [0.5])), 4)
    0.1733
    """
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = _smooth(_wide(y_true), label_smoothing, 2)
    p, is_logit = _logits_of(y_pred, from_logits)
    p = ops.sigmoid(p) if is_logit else p
    miss = y_true + p * (1 - 2 * y_true)  # 1 - p for yes, p for no
    loss = _focus(miss, gamma) * _binary_surprise(y_true, y_pred, from_logits)
    if apply_class_balancing:
        loss = loss * (y_true * alpha + (1 - y_true) * (1 - alpha))
    return ops.cast(ops.mean(loss, axis=axis), y_pred.dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class BinaryFocalCrossentropy(_Loss):
    """Focal binary cross-entropy: well-classified samples count little.

    loss = mean(weight * (1 - p_t)^gamma * -log(p_t))
    p_t = probability of the true answer
    weight = alpha for yes and 1 - alpha for no; without class balancing, 1

    Args:
        apply_class_balancing: whether yes and no have different weights.
        alpha: weight of yes.
        gamma: strength of the focus on hard samples; 0 is plain cross-entropy.
        from_logits, label_smoothing, axis, reduction, name, dtype, shapes and errors:
            as in `BinaryCrossentropy`.

    Differs from Keras: as `BinaryCrossentropy` does. From logits the loss can grow
    beyond 16, where Keras clips the probability and the gradient vanishes.

    >>> round(float(BinaryFocalCrossentropy()([[1.0]], [[0.5]])), 4)
    0.1733

    Paper: Lin, Goyal, Girshick, He and Dollar, "Focal loss for dense object
    detection", 2017. https://arxiv.org/abs/1708.02002
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing = python_number(apply_class_balancing)
        self.alpha = python_number(alpha)
        self.gamma = python_number(gamma)
        self.from_logits = python_number(from_logits)
        self.label_smoothing = _share(label_smoothing)
        self.axis = python_number(axis)

    def call(self, y_true, y_pred):
        return binary_focal_crossentropy(
            y_true,
            y_pred,
            self.apply_class_balancing,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
            self.axis,
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "apply_class_balancing": self.apply_class_balancing,
            "alpha": self.alpha,
            "gamma": self.gamma,
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
def categorical_focal_crossentropy(
    y_true,
    y_pred,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
):
    """sum(-alpha * y_true * (1 - p)^gamma * log(p)) over the class axis.

    >>> round(float(categorical_focal_crossentropy([1.0, 0.0], [0.5, 0.5])), 4)
    0.0433
    """
    y_true, y_pred = _pair(y_true, y_pred)
    y_true = _smooth_classes(_wide(y_true), y_pred, label_smoothing, axis)
    score, log_total = _class_scores(y_pred, from_logits, axis)
    log_p = score - log_total
    weight = ops.multiply(_focus(1 - ops.exp(log_p), gamma), alpha)
    return ops.cast(-ops.sum(weight * y_true * log_p, axis=axis), y_pred.dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CategoricalFocalCrossentropy(_Loss):
    """Focal categorical cross-entropy: well-classified samples count little.

    loss = sum(-alpha * y_true * (1 - p)^gamma * log(p)),  p = y_pred / sum(y_pred)

    Args:
        alpha: weight of the loss, or a list or array with one weight per class.
        gamma: strength of the focus on hard samples; 0 is cross-entropy times alpha.
        from_logits, label_smoothing, axis, reduction, name, dtype, shapes and errors:
            as in `CategoricalCrossentropy`.

    Differs from Keras: as `CategoricalCrossentropy` does. From logits the loss can grow
    beyond 16, where Keras clips the probability and the gradient vanishes.

    >>> loss = CategoricalFocalCrossentropy()
    >>> round(float(loss([[1.0, 0.0]], [[0.5, 0.5]])), 4)
    0.0433

    Paper: Lin, Goyal, Girshick, He and Dollar, "Focal loss for dense object
    detection", 2017. https://arxiv.org/abs/1708.02002
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: DType = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha = python_number(alpha)
        self.gamma = python_number(gamma)
        self.from_logits = python_number(from_logits)
        self.label_smoothing = _share(label_smoothing)
        self.axis = python_number(axis)

    def call(self, y_true, y_pred):
        return categorical_focal_crossentropy(
            y_true,
            y_pred,
            self.alpha,
            self.gamma,
            self.from_logits,
            self.label_smoothing,
            self.axis,
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "gamma": self.gamma,
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }
