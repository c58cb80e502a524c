"""Dice and Tversky: how much two areas overlap, however small they are."""

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import set_mask
from ..common.types import Axes, Config, DType
from .base import _Loss, _pair, _per_value


class _Overlap(_Loss):
    """A loss of sums over `axis`, from which it leaves out masked places itself."""

    uses_mask = True

    def __init__(
        self,
        reduction: str | None,
        name: str,
        axis: Axes | None,
        dtype: DType,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = python_number(axis)

    def overlap(self, y_true, y_pred):
        """The loss without a mask."""
        raise NotImplementedError

    def call(self, y_true, y_pred, mask=None):
        if mask is None:
            return self.overlap(y_true, y_pred)
        y_true, y_pred = _pair(y_true, y_pred)
        is_kept = ops.broadcast_to(_per_value(mask, y_pred), ops.shape(y_pred))
        nothing = ops.zeros_like(y_pred)
        y_true = ops.where(is_kept, y_true, nothing)
        loss = self.overlap(y_true, ops.where(is_kept, y_pred, nothing))
        set_mask(loss, ops.any(is_kept, axis=self.axis))
        return loss


@keras.saving.register_keras_serializable(package="keras_cookbook")
def dice(y_true, y_pred, axis: Axes | None = None):
    """1 - 2 * |both| / (|y_true| + |y_pred|), as in `Dice`.

    >>> round(float(dice([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.3333
    """
    y_true, y_pred = _pair(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    sizes = ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis)
    return 1 - 2 * both / (sizes + keras.config.epsilon())


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Dice(_Overlap):
    """Dice loss of a segmentation: one minus its F1 score.

    loss = 1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred) + epsilon)

    Unlike an average over pixels, it does not neglect small objects.

    Args:
        reduction: "sum_over_batch_size" (the mean), "mean", "sum",
            "mean_with_sample_weight" or None.
        name: name of the loss.
        dtype: dtype of the computation; None means Keras's default.
        axis: axes of the sums. None sums over all of them, the batch included; with
            (1, 2, 3) each image of a batch has a loss of its own.

    Shapes: y_true and y_pred (B, ...) of values in [0, 1] -> scalar; with reduction
        None, the shape of y_pred without `axis`.
    Raises: ValueError where the shapes differ.
    Differs from Keras: it refuses shapes that Keras would broadcast. Masked places are
    left out of the sums.

    >>> round(float(Dice()([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.3333

    Paper: Milletari, Navab and Ahmadi, "V-Net: fully convolutional neural networks for
    volumetric medical image segmentation", 2016. https://arxiv.org/abs/1606.04797
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "dice",
        axis: Axes | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, axis, dtype)

    def overlap(self, y_true, y_pred):
        return dice(y_true, y_pred, self.axis)

    def get_config(self) -> Config:
        return {**super().get_config(), "axis": self.axis}


@keras.saving.register_keras_serializable(package="keras_cookbook")
def tversky(
    y_true,
    y_pred,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: Axes | None = None,
):
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
class Tversky(_Overlap):
    """Tversky loss: Dice with separate weights for misses and for false alarms.

    loss = 1 - both / (both + alpha * missed + beta * false + epsilon)
    both = sum(y_true * y_pred)
    missed = sum(y_true * (1 - y_pred)),  false = sum((1 - y_true) * y_pred)

    Args:
        alpha: weight of misses; alpha = beta = 0.5 is Dice.
        beta: weight of false alarms. The paper calls these two weights the other way
            round; this is Keras's order.
        reduction, name, axis, dtype, shapes and errors: as in `Dice`.

    Differs from Keras: as `Dice` does.

    >>> round(float(Tversky(alpha=1.0)([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.5

    Paper: Salehi, Erdogmus and Gholipour, "Tversky loss function for image
    segmentation using 3D fully convolutional deep networks", 2017.
    https://arxiv.org/abs/1706.05721
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "tversky",
        axis: Axes | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, axis, dtype)
        self.alpha = python_number(alpha)
        self.beta = python_number(beta)

    def overlap(self, y_true, y_pred):
        return tversky(y_true, y_pred, self.alpha, self.beta, self.axis)

    def get_config(self) -> Config:
        config = {"alpha": self.alpha, "beta": self.beta, "axis": self.axis}
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class FocalTversky(Tversky):
    """Focal Tversky loss: it goes on learning from areas that overlap half already.

    loss = tversky^(1 / gamma)
    tversky = the loss of `Tversky`, with alpha for misses and beta for false alarms

    Args:
        alpha, beta: weights of misses and of false alarms; those of the paper.
        gamma: a number > 0, in the paper 1 to 3. Above 1, the slope is larger where
            the overlap is good; 1 is `Tversky`.
        reduction, name, axis, dtype, shapes and errors: as in `Dice`.

    Differs from Keras: Keras has no such loss. The slope stays finite where the
    overlap is perfect, where the formula's is infinite.

    >>> loss = FocalTversky(alpha=1.0, gamma=2.0)
    >>> round(float(loss([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)  # sqrt(0.5)
    0.7071

    Paper: Abraham and Khan, "A novel focal Tversky loss function with improved
    attention U-Net for lesion segmentation", 2018. https://arxiv.org/abs/1810.07842
    """

    def __init__(
        self,
        alpha: float = 0.7,
        beta: float = 0.3,
        gamma: float = 4 / 3,
        reduction: str | None = "sum_over_batch_size",
        name: str = "focal_tversky",
        axis: Axes | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(alpha, beta, reduction, name, axis, dtype)
        if gamma <= 0:
            raise ValueError(f"`gamma` must be above 0. Received: gamma={gamma}")
        self.gamma = python_number(gamma)

    def overlap(self, y_true, y_pred):
        loss = super().overlap(y_true, y_pred)
        loss = ops.maximum(loss, keras.config.epsilon())
        return ops.power(loss, 1 / self.gamma)

    def get_config(self) -> Config:
        return {**super().get_config(), "gamma": self.gamma}
