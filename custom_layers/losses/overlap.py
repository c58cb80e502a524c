"""Overlap losses: how well two areas cover each other, however small they are."""

import keras
from keras import ops

from .base import _Loss, _pair


@keras.saving.register_keras_serializable(package="keras_cookbook")
def dice(y_true, y_pred, axis=None):
    """1 - 2 * |both| / (|y_true| + |y_pred|), as in `Dice`.

    >>> round(float(dice([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.3333
    """
    y_true, y_pred = _pair(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    sizes = ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis)
    return 1 - 2 * both / (sizes + keras.config.epsilon())


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Dice(_Loss):
    """One minus the F1 score of a soft segmentation: a small object counts in full.

    loss = 1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred) + epsilon)

    Args:
        reduction: "sum_over_batch_size" (the mean), "mean", "sum",
            "mean_with_sample_weight" or None.
        name, dtype: as in every loss.
        axis: axes of the sums; None takes all, the batch too; (1, 2, 3) keeps samples
            of an image batch apart.

    Shapes: y_true and y_pred (B, ...) of values in [0, 1] -> scalar, or y_pred's shape
        without `axis` with reduction None.
    Raises: ValueError where the shapes differ.
    Differs from Keras: shapes that would only broadcast are refused.

    >>> round(float(Dice()([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.3333

    Paper: Milletari, Navab and Ahmadi, "V-Net: fully convolutional neural networks for
    volumetric medical image segmentation", 2016. https://arxiv.org/abs/1606.04797
    """

    def __init__(
        self, reduction="sum_over_batch_size", name="dice", axis=None, dtype=None
    ):
        super().__init__(name, reduction, dtype)
        self.axis = axis

    def call(self, y_true, y_pred):
        return dice(y_true, y_pred, self.axis)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


@keras.saving.register_keras_serializable(package="keras_cookbook")
def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """1 - |both| / (|both| + alpha * |missed| + beta * |false|), as in `Tversky`.

    >>> round(float(tversky([1.0, 1.0, 0.0], [1.0, 0.0, 0.0], alpha=1.0)), 4)
    0.5
    """
    y_true, y_pred = _pair(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    missed = ops.sum(y_true * (1 - y_pred), axis=axis)
    false = ops.sum((1 - y_true) * y_pred, axis=axis)
    total = both + alpha * missed + beta * false
    return 1 - both / (total + keras.config.epsilon())


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Tversky(_Loss):
    """Dice with one weight for what is missed and one for false alarms.

    loss = 1 - both / (both + alpha * missed + beta * false + epsilon)
    both = sum(y_true * y_pred)
    missed = sum(y_true * (1 - y_pred)),  false = sum((1 - y_true) * y_pred)

    Args:
        alpha: weight of what is missed; alpha = beta = 0.5 is Dice.
        beta: weight of false alarms. As in Keras; the paper has the two the other way.
        reduction, name, axis, dtype, shapes and errors: as in `Dice`.

    Differs from Keras: shapes that would only broadcast are refused.

    >>> round(float(Tversky(alpha=1.0)([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.5

    Paper: Salehi, Erdogmus and Gholipour, "Tversky loss function for image
    segmentation using 3D fully convolutional deep networks", 2017.
    https://arxiv.org/abs/1706.05721
    """

    def __init__(
        self,
        alpha=0.5,
        beta=0.5,
        reduction="sum_over_batch_size",
        name="tversky",
        axis=None,
        dtype=None,
    ):
        super().__init__(name, reduction, dtype)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis

    def call(self, y_true, y_pred):
        return tversky(y_true, y_pred, self.alpha, self.beta, self.axis)

    def get_config(self):
        config = {"alpha": self.alpha, "beta": self.beta, "axis": self.axis}
        return {**super().get_config(), **config}
