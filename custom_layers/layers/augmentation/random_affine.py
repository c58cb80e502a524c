"""Random affine transforms of images, with one interpolation for all of them."""

import functools
import math
from typing import Any, Literal

import keras
from keras import ops

from ...common.checks import channel_order, one_of, python_number
from ...common.inputs import as_floats
from ...common.private_keras import build_at_init
from ...common.types import Config, DataFormat, Seed, Shape
from .affine import (
    FILL_MODES,
    INTERPOLATIONS,
    _fast_affine_transform,
    _flip,
    _rotation,
    _shear,
    _translation,
    _zoom,
)
from .base import _number

Factor = float | tuple[float, float] | list[float]
FLIPS = (None, "horizontal", "vertical", "horizontal_and_vertical")
DRAWS = 10  # random numbers for each image


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RandomAffine(keras.layers.Layer):
    """Flips, shifts, turns, zooms and shears each image at random, all in one step.

    training:  y[p] = x[M p], M = F T R Z S, with bilinear interpolation between pixels
               p = (column, row, 1); F flips, T translates, R rotates, Z zooms, S shears
    inference: y = x
    It replaces the sequence RandomFlip, RandomTranslation, RandomRotation, RandomZoom,
    RandomShear of Keras. Each of these interpolates, which takes time and blurs.

    Args:
        height_translation, width_translation, rotation, height_zoom, width_zoom,
            x_shear, y_shear: the factors of Keras's layers: a pair (lowest, highest),
            or f for (-f, f). Translations are shares of a side, down and to the right;
            a rotation is a share of a full turn, counterclockwise; a zoom of 0.2 zooms
            out, so that a fifth more fits on a side. Without width_zoom, both sides
            zoom alike. The signs of both shears change together at random.
        flip: None, "horizontal", "vertical", or "horizontal_and_vertical".
        fill_mode, interpolation, fill_value, data_format: as in Keras's layers.
        seed: an integer that makes the transforms repeatable.

    Input and output shape: (B, H, W, C), or (H, W, C); with channels_first, C comes
        before H.
    Raises: ValueError for a factor outside [-1, 1], for a fill_value that is no number,
        for another unknown option, and for inputs that are no images.
    Differs from Keras: a call without `training` changes nothing, so that no exported
        model does; one seed makes other transforms; a flip horizontal_and_vertical
        decides for each direction by itself, Keras's flips both or neither; "wrap"
        mixes the last with the first pixel, and exists on torch, like "reflect".

    >>> x = keras.ops.reshape(keras.ops.arange(4.0), (1, 2, 2, 1))
    >>> y = RandomAffine(rotation=(0.25, 0.25))(x, training=True)
    >>> print(keras.ops.convert_to_numpy(y)[0, :, :, 0].round(4))
    [[1. 3.]
     [0. 2.]]

    Paper: Simard, Steinkraus, Platt, "Best practices for convolutional neural networks
    applied to visual document analysis", 2003. https://doi.org/10.1109/ICDAR.2003.1227801
    """

    def __init__(
        self,
        height_translation: Factor = 0.0,
        width_translation: Factor = 0.0,
        rotation: Factor = 0.0,
        height_zoom: Factor = 0.0,
        width_zoom: Factor | None = None,
        x_shear: Factor = 0.0,
        y_shear: Factor = 0.0,
        flip: str | None = None,
        fill_mode: Literal["reflect", "wrap", "constant", "nearest"] = "reflect",
        interpolation: Literal["nearest", "bilinear"] = "bilinear",
        fill_value: float = 0.0,
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.height_translation = _factor(height_translation, "height_translation")
        self.width_translation = _factor(width_translation, "width_translation")
        self.rotation = _factor(rotation, "rotation")
        self.height_zoom = _factor(height_zoom, "height_zoom")
        self.width_zoom = None  # zooms as the height does
        if width_zoom is not None:
            self.width_zoom = _factor(width_zoom, "width_zoom")
        self.x_shear = _factor(x_shear, "x_shear")
        self.y_shear = _factor(y_shear, "y_shear")
        self.flip = one_of(flip, FLIPS, "flip")
        self.fill_mode = one_of(fill_mode, FILL_MODES, "fill_mode")
        self.interpolation = one_of(interpolation, INTERPOLATIONS, "interpolation")
        self.fill_value = _number(fill_value, "fill_value")
        self.seed = python_number(seed)
        self.data_format = channel_order(data_format)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        build_at_init(self)

    def call(self, inputs, training: bool = False):
        inputs = as_floats(inputs, self.compute_dtype)
        is_empty = 0 in inputs.shape
        if is_empty or not (training and self.changes_images):
            return inputs
        if len(inputs.shape) not in (3, 4):
            raise ValueError(
                "RandomAffine needs images with the axes (height, width, channels), or "
                f"a batch of them. Received: inputs.shape={tuple(inputs.shape)}"
            )
        images = inputs if len(inputs.shape) == 4 else inputs[None]
        if self.data_format == "channels_first":
            images = ops.transpose(images, (0, 2, 3, 1))
        B, H, W, _ = ops.shape(images)
        y = _fast_affine_transform(
            images,
            self._random_matrices(B, H, W),
            interpolation=self.interpolation,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
        )
        if self.data_format == "channels_first":
            y = ops.transpose(y, (0, 3, 1, 2))
        return y if len(inputs.shape) == 4 else y[0]

    @property
    def changes_images(self) -> bool:
        """Whether any argument asks for a transform."""
        factors = [
            self.height_translation,
            self.width_translation,
            self.rotation,
            self.height_zoom,
            self.width_zoom or (),
            self.x_shear,
            self.y_shear,
        ]
        return bool(self.flip) or any(any(factor) for factor in factors)

    def _random_matrices(self, B: Any, H: Any, W: Any):
        """M = F T R Z S for each image, without what the arguments leave out."""
        u = keras.random.uniform(
            (DRAWS, B),
            dtype="float32",
            seed=self.seed_generator,
        )
        H = ops.cast(H, "float32")
        W = ops.cast(W, "float32")
        steps = []
        if self.flip:
            is_mirrored = (u[0] < 0.5) & ("horizontal" in self.flip)
            x = ops.cast(is_mirrored, "float32")
            y = ops.cast((u[1] < 0.5) & ("vertical" in self.flip), "float32")
            steps += [_flip(x, y, H, W)]
        if any(self.height_translation + self.width_translation):
            y = H * _between(self.height_translation, u[2])
            x = W * _between(self.width_translation, u[3])
            steps += [_translation(x, y)]
        if any(self.rotation):
            angle = 2 * math.pi * _between(self.rotation, u[4])
            steps += [_rotation(angle, H, W)]
        if any(self.height_zoom) or any(self.width_zoom or ()):
            y = x = 1 + _between(self.height_zoom, u[5])
            if self.width_zoom is not None:
                x = 1 + _between(self.width_zoom, u[6])
            steps += [_zoom(x, y, H, W)]
        if any(self.x_shear + self.y_shear):
            sign = ops.sign(u[7] - 0.5)
            x = sign * _between(self.x_shear, u[8])
            y = sign * _between(self.y_shear, u[9])
            steps += [_shear(x, y)]
        return functools.reduce(ops.matmul, steps)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        names = (
            "height_translation",
            "width_translation",
            "rotation",
            "height_zoom",
            "width_zoom",
            "x_shear",
            "y_shear",
            "flip",
            "fill_mode",
            "interpolation",
            "fill_value",
            "seed",
            "data_format",
        )
        options = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **options}


def _factor(value: Any, name: str) -> tuple[float, float]:
    """(lowest, highest), from such a pair in any order, or (-f, f) from a number f.

    Raises: ValueError for anything else, and for numbers outside [-1, 1].
    """
    value = python_number(value)
    pair = value if isinstance(value, tuple | list) else (value, value)
    are_numbers = all(isinstance(number, int | float) for number in pair)
    are_shares = are_numbers and all(-1 <= number <= 1 for number in pair)
    if len(pair) != 2 or not are_shares:
        raise ValueError(
            f"The `{name}` argument must be a number in [-1, 1], or a pair of such "
            f"numbers: the lowest and the highest. Received: {name}={value}"
        )

    low, high = pair if pair is value else (-value, value)
    return min(low, high), max(low, high)


def _between(bounds: tuple[float, float], u):
    """u in [0, 1), stretched to these bounds."""
    low, high = bounds
    return low + (high - low) * u
