"""MixUp: convex combinations of images, and of their labels."""

from typing import Any

import keras
from keras import ops

from ...common.types import Config, DataFormat, Seed
from .base import (
    _Augmentation,
    _partners,
    _per_image,
    _positive,
    _symmetric_beta,
)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MixUp(_Augmentation):
    """Blends each image with another image of the batch, and their labels alike.

    training:  x' = w x_i + (1 - w) x_j, y' = w y_i + (1 - w) y_j, j a random order of
               the batch, w ~ Beta(alpha, alpha) for each image
    inference: x' = x, y' = y
    A network trained on it is smooth between its examples, and less sure of wrong ones.

    Args:
        alpha: positive number. Near 0, most images stay nearly what they are; 1 draws w
            evenly from 0 to 1.
        data_format: as in Keras's layers; it makes no difference here.
        seed: an integer that makes the draws repeatable.

    Input: images (B, H, W, C), or a dict with "images" and some of "labels" (B, ...),
        which are one-hot or real numbers, and "segmentation_masks" (B, ...), one-hot.
        A single image (H, W, C) has no partner and stays as it is.
    Output: the same shapes. Labels are floats, float32 in mixed precision, too.
    Raises: ValueError for an alpha that is not positive, for other keys, and for labels
        that are integers without an axis of classes: their mean would be another class.
    Differs from Keras: a call without `training` changes nothing. Labels may have any
        shape. Masks are mixed with those of the partner; Keras takes single numbers of
        them. There are no bounding boxes. The dict that is given stays as it is.

    >>> images = keras.ops.reshape(keras.ops.array([0.0, 1.0]), (2, 1, 1, 1))
    >>> labels = keras.ops.array([[1.0, 0.0], [0.0, 1.0]])  # black, white
    >>> mixed = MixUp(alpha=1.0)({"images": images, "labels": labels}, training=True)
    >>> gray = keras.ops.convert_to_numpy(mixed["images"])[:, 0, 0, 0]
    >>> white = keras.ops.convert_to_numpy(mixed["labels"])[:, 1]
    >>> print(abs(gray - white).max() < 1e-6)  # half as bright is half as white
    True

    Paper: Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: beyond empirical risk
    minimization", 2017. https://arxiv.org/abs/1710.09412
    """

    takes = ("images", "labels", "segmentation_masks")

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: DataFormat = None,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.alpha = _positive(alpha, "alpha")

    def prepared(self, parts: dict) -> dict:
        return _with_floats(parts, self.variable_dtype)

    def vary(self, parts: dict) -> dict:
        B = ops.shape(parts["images"])[0]
        u = self.uniform(5, B)
        w = _symmetric_beta(u[:4], self.alpha)
        j = _partners(u[4])
        return {key: _mixed(part, j, w) for key, part in parts.items()}

    def get_config(self) -> Config:
        return {**super().get_config(), "alpha": self.alpha}


def _mixed(x, j, w):
    """w x_i + (1 - w) x_j for each image i."""
    w = _per_image(ops.cast(w, x.dtype), x)
    return w * x + (1 - w) * ops.take(x, j, axis=0)


def _with_floats(parts: dict, dtype: str) -> dict:
    """The parts, with labels and masks as floats of this dtype, which can be mixed.

    Raises: ValueError for class numbers as labels.
    """
    labels = parts.get("labels")
    if labels is not None and not keras.backend.is_float_dtype(labels.dtype):
        rank = len(parts["images"].shape) - 3  # 1 for a batch
        has_classes = len(labels.shape) > rank and labels.shape[-1] != 1
        if not has_classes:
            raise ValueError(
                "Labels that are integers without an axis of classes cannot be mixed: "
                "the mean of two of them would be a third class. Make them one-hot, or "
                "floats where they are numbers. "
                f"Received: labels of shape {tuple(labels.shape)}, {labels.dtype}"
            )
    return {
        key: part if key == "images" else ops.cast(part, dtype)
        for key, part in parts.items()
    }
