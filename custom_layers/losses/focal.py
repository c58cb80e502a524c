"""Cross-entropies that count easy samples (focal) or hard ones (generalized) less."""

import keras
from keras import ops

from .base import _Loss, _pair, _tensor, _wide
from .classification import (
    _binary_surprise,
    _class_scores,
    _labels,
    _logits_of,
    _nan_outside,
    _share,
    _smooth,
    _smooth_classes,
)


def _focus(miss, gamma):
    """miss^gamma, miss = 1 - p, with a slope that is finite for every gamma."""
    return ops.power(ops.maximum(miss, keras.config.epsilon()), gamma)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def binary_focal_crossentropy(
    y_true,
    y_pred,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
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
    """Binary cross-entropy in which what is known already counts little.

    loss = mean(weight * (1 - p_t)^gamma * -log(p_t)), p_t the probability of the truth
    weight = alpha for yes, 1 - alpha for no, or 1 without class balancing

    Args:
        apply_class_balancing: whether `weight` is not just 1.
        alpha: weight of yes.
        gamma: how little the known counts; 0 is plain cross-entropy.
        from_logits, label_smoothing, axis, reduction, name, dtype, shapes and errors:
            as in `BinaryCrossentropy`.

    Differs from Keras: as `BinaryCrossentropy` does; from logits the loss goes on
    growing beyond 16, where Keras clips the probability and the gradient is lost.

    >>> round(float(BinaryFocalCrossentropy()([[1.0]], [[0.5]])), 4)
    0.1733

    Paper: Lin, Goyal, Girshick, He and Dollar, "Focal loss for dense object
    detection", 2017. https://arxiv.org/abs/1708.02002
    """

    def __init__(
        self,
        apply_class_balancing=False,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = _share(label_smoothing)
        self.axis = axis

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

    def get_config(self):
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
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
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
    """Categorical cross-entropy in which what is known already counts little.

    loss = sum(-alpha * y_true * (1 - p)^gamma * log(p)),  p = y_pred / sum(y_pred)

    Args:
        alpha: weight of the whole, or a list of one weight a class.
        gamma: how little the known counts; 0 is plain cross-entropy times alpha.
        from_logits, label_smoothing, axis, reduction, name, dtype, shapes and errors:
            as in `CategoricalCrossentropy`.

    Differs from Keras: as `CategoricalCrossentropy` does; from logits the loss goes on
    growing beyond 16, where Keras clips the probability and the gradient is lost.

    >>> loss = CategoricalFocalCrossentropy()
    >>> round(float(loss([[1.0, 0.0]], [[0.5, 0.5]])), 4)
    0.0433

    Paper: Lin, Goyal, Girshick, He and Dollar, "Focal loss for dense object
    detection", 2017. https://arxiv.org/abs/1708.02002
    """

    def __init__(
        self,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = _share(label_smoothing)
        self.axis = axis

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

    def get_config(self):
        return {
            **super().get_config(),
            "alpha": self.alpha,
            "gamma": self.gamma,
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """(1 - p[y_true]^q) / q, as in `CategoricalGeneralizedCrossEntropy`.

    >>> float(categorical_generalized_cross_entropy([0], [[0.25, 0.75]], q=0.5)[0])
    1.0
    """
    y_pred = _tensor(y_pred, "y_pred")
    labels, inside = _labels(y_true, y_pred, -1)
    p = ops.take_along_axis(_wide(y_pred), ops.expand_dims(inside, -1), -1)
    p = ops.squeeze(p, -1)
    is_zero = ops.equal(p, 0)  # where p^q has no finite slope
    power = ops.power(ops.where(is_zero, ops.ones_like(p), p), q)
    loss = (1 - ops.where(is_zero, ops.zeros_like(p), power)) / q
    return _nan_outside(ops.cast(loss, y_pred.dtype), labels, y_pred.shape[-1])


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CategoricalGeneralizedCrossEntropy(_Loss):
    """Between cross-entropy and absolute error: wrong labels pull less.

    loss = (1 - p[y_true]^q) / q

    Args:
        q: in (0, 1); near 0 it is cross-entropy, near 1 absolute error.
        reduction, name, dtype: as in `BinaryCrossentropy`.

    Shapes: y_true (B, ...) or (B, ..., 1) of integers, y_pred (B, ..., C) of
        probabilities -> scalar, or (B, ...) with reduction None.
    Raises: ValueError for q outside (0, 1) or where the shapes do not fit.
    Differs from Keras: labels of shape (B, 1) give (B,), not (B, B); the gradient is
    finite at p = 0. At 1,000 classes it takes 0.5 to 0.85 of Keras's time.

    >>> float(CategoricalGeneralizedCrossEntropy()([0], [[0.25, 0.75]]))
    1.0

    Paper: Zhang and Sabuncu, "Generalized cross entropy loss for training deep neural
    networks with noisy labels", 2018. https://arxiv.org/abs/1805.07836
    """

    def __init__(
        self,
        q=0.5,
        reduction="sum_over_batch_size",
        name="categorical_generalized_cross_entropy",
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        if not 0 < q < 1:
            raise ValueError(f"q must be in the interval (0, 1). Received: q={q}")
        self.q = q

    def call(self, y_true, y_pred):
        return categorical_generalized_cross_entropy(y_true, y_pred, self.q)

    def get_config(self):
        return {**super().get_config(), "q": self.q}
