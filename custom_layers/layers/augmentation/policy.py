"""Operations from which RandAugment and AugMix choose, each at a random strength."""

import math
from typing import Any

from keras import ops

from ...common.fused import can_fuse, program_of
from .affine import (
    FEWEST_PIXELS,
    _fast_affine_transform,
    _rotation,
    _shear,
    _translation,
)
from .base import _per_image
from .colors import (
    LEVELS,
    _auto_contrast,
    _blend,
    _equalize,
    _gray,
    _mean_gray,
    _posterize,
    _smooth,
    _solarize,
)

# The first nine are those of AugMix, whose authors leave out what tests distort.
GEOMETRY = ("shear_x", "shear_y", "translate_x", "translate_y", "rotate")
LEVELLING = ("posterize", "solarize", "auto_contrast", "equalize")
BLENDS = ("brightness", "color", "contrast", "sharpness")
OPERATIONS = ("identity", *GEOMETRY, *LEVELLING, *BLENDS)
# What each does at strength 1, from the table of AutoAugment's paper.
SHEAR = 0.3  # columns per row
TRANSLATION = 0.45  # of the side
ANGLE = math.pi / 6
LOST_BITS = 4  # of 8
ENHANCEMENT = 0.9  # blends with 0.1 ... 1.9 of the image


def _operate(x, chosen, strength, sign, interpolation: str = "bilinear"):
    """Each image after the operation chosen for it.

    Args:
        x: floats from 0 to 255, B H W C.
        chosen: places in OPERATIONS, (B,).
        strength: numbers from 0 to 1, (B,).
        sign: 1.0 or -1.0, (B,): the direction, or whether a blend adds or takes away.
        interpolation: "bilinear" or "nearest", of the geometric operations.
    """

    def chooses(name):
        return chosen == OPERATIONS.index(name)

    x = _moved(x, chooses, strength * sign, interpolation)
    x = _enhanced(x, chooses, 1 + ENHANCEMENT * strength * sign)
    bits = 8 - ops.round(LOST_BITS * strength)
    results = {
        "posterize": _posterize(x, bits),
        "solarize": _solarize(x, LEVELS * (1 - strength)),
        "auto_contrast": _auto_contrast(x),
        "equalize": _equalize(x),
    }
    for name, result in results.items():
        x = ops.where(_per_image(chooses(name), x), result, x)
    return x


def _fast_operate(x, chosen, strength, sign, interpolation: str = "bilinear"):
    """`_operate` in a training step, where it pays as one compiled program.

    TensorFlow then takes a seventh of the time, because it does not write the results
    of all operations, of which each image needs one, to memory.
    """
    _, H, W, _ = x.shape
    is_small = None in (H, W) or H * W < FEWEST_PIXELS
    if is_small or not can_fuse(True, x):
        return _operate(x, chosen, strength, sign, interpolation)
    run = program_of(_operate, interpolation=interpolation)
    return run(x, chosen, strength, sign)


def _moved(x, chooses: Any, amount, interpolation: str):
    """The geometric operations, as one transform: M = I for all other images."""
    _, H, W, _ = ops.shape(x)
    H = ops.cast(H, "float32")
    W = ops.cast(W, "float32")

    def of(name):
        return ops.where(chooses(name), amount, 0.0)

    shear = _shear(SHEAR * of("shear_x"), SHEAR * of("shear_y"))
    right = TRANSLATION * W * of("translate_x")
    down = TRANSLATION * H * of("translate_y")
    turn = _rotation(ANGLE * of("rotate"), H, W)
    M = ops.matmul(_translation(right, down), ops.matmul(turn, shear))
    return _fast_affine_transform(
        x, M, interpolation=interpolation, fill_mode="reflect", fill_value=0.0
    )


def _enhanced(x, chooses: Any, e):
    """The operations that blend an image with a degenerate one: see `_blend`."""
    degenerates = {
        "brightness": ops.zeros_like(x),
        "color": ops.broadcast_to(_gray(x), ops.shape(x)),
        "contrast": ops.broadcast_to(_mean_gray(x), ops.shape(x)),
        "sharpness": _smooth(x),
    }
    d = x
    for name, degenerate in degenerates.items():
        d = ops.where(_per_image(chooses(name), x), degenerate, d)
    is_blend = _per_image(_is_among(chooses, BLENDS), x)
    return ops.where(is_blend, _blend(d, x, e), x)


def _is_among(chooses: Any, names: tuple[str, ...]):
    """Whether any of the operations is chosen, (B,)."""
    first, *others = map(chooses, names)
    for other in others:
        first = first | other
    return first


def _as_levels(x, value_range: tuple[float, float]):
    """Values from black to white as floats from 0 to 255."""
    black, white = value_range
    x = ops.cast(x, "float32")
    if (black, white) == (0, LEVELS - 1):
        return x
    return (x - black) * ((LEVELS - 1) / (white - black))


def _from_levels(x, value_range: tuple[float, float], dtype: Any):
    """The inverse of `_as_levels`, in the given dtype."""
    black, white = value_range
    if (black, white) != (0, LEVELS - 1):
        x = black + x * ((white - black) / (LEVELS - 1))
    return ops.cast(x, dtype)
