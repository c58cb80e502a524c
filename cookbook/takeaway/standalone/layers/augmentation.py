"""Random variation of images, as recipes use it."""

import functools
import math

import keras
from keras import ops

from custom_layers.layers.augmentation.affine import (
    _fast_affine_transform,
    _flip,
    _rotation,
    _translation,
)


class RandomAffine(keras.layers.Layer):
    """Flips, shifts and turns each image at random in training, all in one step.

    y[p] = x[M p], M = F T R, with p = (column, row, 1); F flips, T translates,
    R rotates. One step blurs less than three, and takes less time.
    """

    def __init__(
        self,
        height_translation: float,
        width_translation: float,
        rotation: float = 0.0,
        flip: str | None = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
    ) -> None:
        super().__init__()
        self.height_translation = height_translation
        self.width_translation = width_translation
        self.rotation = rotation
        self.flip = flip
        self.fill_mode = fill_mode
        self.interpolation = interpolation
        self.fill_value = fill_value
        self.seed_generator = keras.random.SeedGenerator(None)

    def call(self, inputs, training: bool = False):
        images = ops.cast(inputs, self.compute_dtype)
        is_needed = self.flip or self.height_translation or self.width_translation
        if not training or not (is_needed or self.rotation):
            return images
        return _fast_affine_transform(
            images,
            self.random_matrices(*ops.shape(images)[:3]),
            interpolation=self.interpolation,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
        )

    def random_matrices(self, B, H, W):
        """M = F T R for each image, without what is not asked for."""
        u = keras.random.uniform((10, B), dtype="float32", seed=self.seed_generator)
        steps = []
        if self.flip:
            steps += [_flip(ops.cast(u[0] < 0.5, "float32"), 0, H, W)]
        if self.height_translation or self.width_translation:
            y = H * _between(self.height_translation, u[2])
            x = W * _between(self.width_translation, u[3])
            steps += [_translation(x, y)]
        if self.rotation:
            angle = 2 * math.pi * _between(self.rotation, u[4])
            steps += [_rotation(angle, H, W)]
        return functools.reduce(ops.matmul, steps)


def _between(factor: float, u):
    """u in [0, 1), stretched to the numbers from -factor to factor."""
    return -factor + 2 * factor * u
