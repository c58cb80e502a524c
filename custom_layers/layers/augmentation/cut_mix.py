"""CutMix: a rectangle of another image, and labels mixed by the pixels of each."""

from typing import Any

import keras
from keras import ops

from ...common.types import Config, DataFormat, Seed
from .base import (
    Share,
    _Augmentation,
    _partners,
    _rectangle,
    _shares,
    _symmetric_beta,
)
from .mix_up import _mixed, _with_floats
from .random_affine import _between

SMALLEST = 1e-6  # alpha of Beta, which must not be 0


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CutMix(_Augmentation):
    """Pastes a rectangle of another image of the batch, and mixes labels by area.

    training:  x' = x_j inside of a random rectangle, x_i elsewhere,
               y' = w y_i + (1 - w) y_j, where w is the share of pixels left of x_i.
               Its sides are sqrt(1 - v) of the image's, v ~ Beta(alpha, alpha),
               alpha ~ U(factor); j is a random order of the batch
    inference: x' = x, y' = y
    A network trained on it looks at whole objects, not at their most telling part.

    Args:
        factor: a pair (lowest, highest) in [0, 1], or f for (0, f), from which alpha is
            drawn for each batch. (1, 1) is the paper: v is drawn evenly.
        seed: an integer that makes the draws repeatable.
        data_format: "channels_last", "channels_first", or None for Keras's setting.

    Input: images (B, H, W, C), or a dict with "images" and some of "labels" (B, ...),
        one-hot or real numbers, and "segmentation_masks" (B, H, W, ...). With
        channels_first, C comes before H. A single image has no partner and stays.
    Output: the same shapes. Labels are floats, float32 in mixed precision, too.
    Raises: ValueError for a factor outside [0, 1], for other keys, and for labels that
        are integers without an axis of classes.
    Differs from Keras: a call without `training` changes nothing. Labels are mixed by
        the pixels that the rectangle covers; Keras takes the area before it is cut into
        pixels. A pixel belongs to the rectangle if its centre does; Keras takes its
        corner, and so never pastes the first row and column of a part. A tiny
        alpha still gives Beta's draws. The dict that is given stays as it is.

    >>> images = keras.ops.reshape(keras.ops.repeat([0.0, 1.0], 49), (2, 7, 7, 1))
    >>> labels = keras.ops.array([[1.0, 0.0], [0.0, 1.0]])  # black, white
    >>> mixed = CutMix(seed=1)({"images": images, "labels": labels}, training=True)
    >>> white = keras.ops.mean(mixed["images"], axis=(1, 2, 3)) - mixed["labels"][:, 1]
    >>> print(abs(keras.ops.convert_to_numpy(white)).max() < 1e-6)
    True

    Paper: Yun, Han, Oh, Chun, Choe, Yoo, "CutMix: Regularization strategy to train
    strong classifiers with localizable features", 2019.
    https://arxiv.org/abs/1905.04899
    """

    takes = ("images", "labels", "segmentation_masks")

    def __init__(
        self,
        factor: Share = 1.0,
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = _shares(factor, "factor")

    def prepared(self, parts: dict) -> dict:
        return _with_floats(parts, self.variable_dtype)

    def vary(self, parts: dict) -> dict:
        B, H, W, _ = ops.shape(parts["images"])
        alpha = _between(self.factor, self.uniform()) + SMALLEST
        u = self.uniform(7, B)
        is_cut = _cut(H, W, _symmetric_beta(u[:4], alpha), u[4], u[5])
        return _pasted(parts, is_cut, _partners(u[6]))

    def get_config(self) -> Config:
        return {**super().get_config(), "factor": self.factor}


def _cut(H: Any, W: Any, v, u_row, u_column):
    """Where a rectangle with the share 1 - v of the area lies: B H W."""
    side = ops.sqrt(1 - v)
    height = side * ops.cast(H, "float32")
    width = side * ops.cast(W, "float32")
    return _rectangle(H, W, height, width, u_row, u_column)


def _pasted(parts: dict, is_cut, j) -> dict:
    """x_j where is_cut, x_i elsewhere; labels by the share of pixels of each."""
    w = 1 - ops.mean(ops.cast(is_cut, "float32"), axis=(1, 2))

    def changed(key, part):
        if key == "labels":
            return _mixed(part, j, w)
        is_other = is_cut[..., None] if len(part.shape) == 4 else is_cut
        return ops.where(is_other, ops.take(part, j, axis=0), part)

    return {key: changed(key, part) for key, part in parts.items()}
