"""Classification losses: how surprised the model is by the class that came."""

import keras
from keras import ops


@ops.custom_gradient
def _sparse_softmax_crossentropy(logits, onehot):
    """log(sum(exp(logits))) - logits[label], with gradient softmax(logits) - onehot."""
    shifted = logits - ops.max(logits, axis=-1, keepdims=True)
    exp = ops.exp(shifted)
    total = ops.sum(exp, axis=-1, keepdims=True)
    loss = ops.log(total) - ops.sum(shifted * onehot, axis=-1, keepdims=True)

    def gradient(*args, upstream=None):
        upstream = args[-1] if upstream is None else upstream
        return upstream * (exp / total - onehot), ops.zeros_like(onehot)

    return loss, gradient


@keras.saving.register_keras_serializable(package="keras_cookbook")
def sparse_categorical_crossentropy(
    y_true, y_pred, from_logits=False, ignore_class=None, axis=-1
):
    """Cross-entropy of each sample; formula and arguments at the class.

    >>> y = sparse_categorical_crossentropy([1], keras.ops.zeros((1, 4)), True)
    >>> round(float(y[0]), 4)
    1.3863
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[axis] == 1:
        y_true = ops.squeeze(y_true, axis)
    if axis not in (-1, len(y_pred.shape) - 1):
        y_pred = ops.moveaxis(y_pred, axis, -1)
    if len(y_true.shape) != len(y_pred.shape) - 1:
        raise ValueError(
            "Argument `y_true` must have one axis less than `y_pred`, the class axis. "
            f"Received: y_true.shape={y_true.shape}, y_pred.shape={y_pred.shape}"
        )
    logits = y_pred
    if not from_logits:
        epsilon = keras.config.epsilon()
        logits = ops.log(ops.clip(y_pred, epsilon, 1 - epsilon))
    onehot = ops.one_hot(
        ops.cast(y_true, "int32"), y_pred.shape[-1], dtype=logits.dtype
    )
    loss = ops.squeeze(_sparse_softmax_crossentropy(logits, onehot), -1)
    if ignore_class is not None:
        valid = ops.not_equal(y_true, ops.cast(ignore_class, y_true.dtype))
        loss = ops.where(valid, loss, ops.cast(0, loss.dtype))
        loss._keras_mask = valid
    return loss


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SparseCategoricalCrossentropy(keras.losses.Loss):
    """Cross-entropy against integer labels: the surprise at the class that came.

    loss = -log(p[label]); from logits z: log(sum(exp(z))) - z[label],
    whose gradient is softmax(z) - onehot(label)

    Args:
        from_logits: whether y_pred holds logits instead of probabilities.
        ignore_class: label whose samples count nothing, such as 255 for "void".
        reduction: "sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"
            or None.
        axis: the class axis of y_pred.
        name, dtype: as in every loss.

    Shapes: y_true (B, ...) of integers, y_pred (B, ..., C) -> scalar, or (B, ...)
        with reduction None.
    Raises: ValueError where y_true does not lack just the class axis.

    >>> loss = SparseCategoricalCrossentropy(from_logits=True)
    >>> round(float(loss([1], keras.ops.zeros((1, 4)))), 4)
    1.3863

    Paper: Good, "Rational decisions", 1952.
    https://doi.org/10.1111/j.2517-6161.1952.tb00104.x
    """

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name="sparse_categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def call(self, y_true, y_pred):
        return sparse_categorical_crossentropy(
            y_true, y_pred, self.from_logits, self.ignore_class, self.axis
        )

    def get_config(self):
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "ignore_class": self.ignore_class,
            "axis": self.axis,
        }
