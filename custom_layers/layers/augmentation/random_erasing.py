"""Random erasing: a rectangle of the image is replaced by noise or a color."""

from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.types import Config, DataFormat, Seed
from .base import (
    Share,
    _are_numbers,
    _Augmentation,
    _per_image,
    _range_of_values,
    _rectangle,
    _shares,
)
from .random_affine import _between

Fill = float | tuple[float, ...] | list[float] | None


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RandomErasing(_Augmentation):
    """Erases a random rectangle of the image, so that no one part decides.

    training:  x' = noise or a color inside of the rectangle, x elsewhere, with
               probability p ~ U(factor); its sides are sqrt(s) H and sqrt(t) W for
               s, t ~ U(scale), so that its share of the area lies in scale, too
    inference: x' = x
    Networks learn to do without what is hidden, as by things that stand before others.

    Args:
        factor: a pair (lowest, highest) in [0, 1], or f for (0, f), of the probability
            that an image is erased. 1.0 erases half of the images, (1, 1) all.
        scale: a pair (smallest, largest) in [0, 1] of the share of the area.
        fill_value: a number, or one for each channel; None draws each value of the
            rectangle evenly from value_range.
        value_range: (black, white), within which fill_value is clipped.
        seed: an integer that makes the draws repeatable.
        data_format: "channels_last", "channels_first", or None for Keras's setting.

    Input and output: images (B, H, W, C) or (H, W, C), with channels_first C before H,
        or a dict with "images" and some of "labels" and "segmentation_masks", which
        stay as they are.
    Raises: ValueError for a factor or scale outside [0, 1], for a value_range that is
        no pair, for a fill_value that is neither, and for other keys.
    Differs from Keras: a call without `training` changes nothing. Noise is even, as in
        the paper; Keras clips normal noise, of which half is black. Keras never erases
        the first row and column of an image, unless it erases all rows or columns.

    >>> image = keras.ops.ones((8, 8, 1))
    >>> layer = RandomErasing((1, 1), scale=(0.25, 0.25), fill_value=0, seed=1)
    >>> y = keras.ops.convert_to_numpy(layer(image, training=True))
    >>> print(y.mean(), y.min(axis=(0, 2)).sum())  # a quarter, 4 pixels wide
    0.75 4.0

    Paper: Zhong, Zheng, Kang, Li, Yang, "Random erasing data augmentation", 2017.
    https://arxiv.org/abs/1708.04896
    """

    takes = ("images", "labels", "segmentation_masks")

    def __init__(
        self,
        factor: Share = 1.0,
        scale: Share = (0.02, 0.33),
        fill_value: Fill = None,
        value_range: tuple[float, float] | list[float] = (0, 255),
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.factor = _shares(factor, "factor")
        self.scale = _shares(scale, "scale")
        self.value_range = _range_of_values(value_range)
        self.fill_value = python_number(fill_value)
        fill = self.fill_value
        values = fill if isinstance(fill, tuple | list) else [fill]
        if fill is not None and not (values and _are_numbers(values)):
            raise ValueError(
                "The `fill_value` argument must be a number, one for each channel, or "
                f"None for noise. Received: fill_value={fill_value!r}"
            )

    def vary(self, parts: dict) -> dict:
        images = parts["images"]
        B, H, W, _ = ops.shape(images)
        u = self.uniform(6, B)
        s = _between(self.scale, u[0])
        t = _between(self.scale, u[1])
        height = ops.sqrt(s) * ops.cast(H, "float32")
        width = ops.sqrt(t) * ops.cast(W, "float32")
        is_in_it = _rectangle(H, W, height, width, u[2], u[3])
        p = _between(self.factor, u[5])
        is_chosen = _per_image(u[4] < p, is_in_it)
        is_erased = (is_chosen & is_in_it)[..., None]
        fill = ops.cast(self._fill(images), images.dtype)
        images = ops.where(is_erased, fill, images)
        return {**parts, "images": images}

    def _fill(self, images):
        """What an erased image looks like: a value, one per channel, or noise."""
        if self.fill_value is None:
            noise = self.uniform(*ops.shape(images))
            return _between(self.value_range, noise)
        channels = images.shape[-1]
        is_color = isinstance(self.fill_value, tuple | list)
        if is_color and len(self.fill_value) != channels:
            raise ValueError(
                "The `fill_value` must have a number for each channel. Received: "
                f"fill_value={self.fill_value} for {channels} channels"
            )
        fill = ops.convert_to_tensor(self.fill_value, "float32")
        return ops.clip(fill, *self.value_range)

    def get_config(self) -> Config:
        own = {
            "factor": self.factor,
            "scale": self.scale,
            "fill_value": self.fill_value,
            "value_range": self.value_range,
        }
        return {**super().get_config(), **own}
