"""RandAugment: a few operations, chosen at random for each image, at one strength."""

from typing import Any, Literal

import keras
from keras import ops

from ...common.checks import integer_tuple, one_of
from ...common.types import Config, DataFormat, Seed
from .affine import INTERPOLATIONS
from .base import Share, _Augmentation, _range_of_values, _shares
from .policy import OPERATIONS, _as_levels, _fast_operate, _from_levels
from .random_affine import _between


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RandAugment(_Augmentation):
    """Applies a few operations, chosen at random for each image, at one strength.

    training:  x' = o_n(... o_1(x)), n = num_ops, each o_i one of 14 with equal chance:
               identity, shear and translation along x or y, rotation, posterization,
               solarization, auto contrast, equalization, brightness, color, contrast,
               sharpness, at a strength s ~ U(factor) and in a random direction
    inference: x' = x
    At s = 1 the operations are those of AutoAugment: shear by 0.3, translation by 0.45
    of the side, 30 degrees, 4 of 8 bits, solarization of all values, blends with 0.1 or
    1.9 of the image. Two numbers, num_ops and factor, replace a search over all these.

    Args:
        value_range: (black, white) of the images, within which results stay.
        num_ops: how many operations are applied, one after the other.
        factor: a pair (lowest, highest) in [0, 1], or f for (0, f), of the strength.
        interpolation: "bilinear" or "nearest".
        seed: an integer that makes the draws repeatable.
        data_format: "channels_last", "channels_first", or None for Keras's setting.

    Input and output: images (B, H, W, C) or (H, W, C), with channels_first C before H,
        or a dict with "images" and maybe "labels", which stay as they are.
    Raises: ValueError for arguments outside of these, and for other keys.
    Differs from Keras: a call without `training` changes nothing. Each image has its
        own operations; Keras chooses for the whole batch. Strengths are the paper's:
        Keras moves one way only, turns by up to `factor` full turns, brightens but
        never darkens, and its weakest solarization inverts the most. An equalization
        does not depend on the rest of the batch. There are no boxes and masks.

    >>> photo = keras.random.uniform((1, 8, 8, 3), 0, 255, seed=1)
    >>> variants = RandAugment(seed=1)(keras.ops.repeat(photo, 50, 0), training=True)
    >>> kinds = {x.tobytes() for x in keras.ops.convert_to_numpy(variants)}
    >>> print(len(kinds) > 40)  # one photograph is nearly as good as 50
    True

    Paper: Cubuk, Zoph, Shlens, Le, "RandAugment: practical automated data augmentation
    with a reduced search space", 2019. https://arxiv.org/abs/1909.13719
    """

    def __init__(
        self,
        value_range: tuple[float, float] | list[float] = (0, 255),
        num_ops: int = 2,
        factor: Share = 0.5,
        interpolation: Literal["nearest", "bilinear"] = "bilinear",
        seed: Seed = None,
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.value_range = _range_of_values(value_range)
        self.num_ops = integer_tuple(num_ops, 1, "num_ops", minimum=0)[0]
        self.factor = _shares(factor, "factor")
        self.interpolation = one_of(interpolation, INTERPOLATIONS, "interpolation")

    def vary(self, parts: dict) -> dict:
        x = _as_levels(parts["images"], self.value_range)
        B = ops.shape(x)[0]
        for _ in range(self.num_ops):
            choice, strength, sign = ops.unstack(self.uniform(3, B), 3)
            chosen = ops.cast(ops.floor(choice * len(OPERATIONS)), "int32")
            s = _between(self.factor, strength)
            x = _fast_operate(x, chosen, s, ops.sign(sign - 0.5), self.interpolation)
        x = _from_levels(x, self.value_range, parts["images"].dtype)
        return {**parts, "images": x}

    def get_config(self) -> Config:
        own = {
            "value_range": self.value_range,
            "num_ops": self.num_ops,
            "factor": self.factor,
            "interpolation": self.interpolation,
        }
        return {**super().get_config(), **own}
