"""Affine transforms of images: their matrices, and images seen through them.

A matrix M takes a place of the output, (x, y, 1), to the place of the input whose color
it gets. A layer with M1, followed by one with M2, therefore does what M1 M2 does alone.
"""

import functools
from collections.abc import Callable
from typing import Any

from keras import ops

from ...common.fused import can_fuse

FILL_MODES = ("reflect", "wrap", "constant", "nearest")
INTERPOLATIONS = ("nearest", "bilinear")
FEWEST_PIXELS = 100  # of an image; below, compiling (0.2 s) takes longer than it saves


def _flip(is_mirrored, is_upside_down, height, width):
    """[[-1, 0, W - 1], [0, -1, H - 1], [0, 0, 1]], each row only where it is asked for.

    is_mirrored, is_upside_down: 1.0 or 0.0 for each image.
    """
    x, y = is_mirrored, is_upside_down
    return _matrices(
        1 - 2 * x,
        0,
        x * (width - 1),
        0,
        1 - 2 * y,
        y * (height - 1),
    )


def _translation(dx, dy):
    """[[1, 0, -dx], [0, 1, -dy], [0, 0, 1]]: right by dx and down by dy pixels."""
    return _matrices(1, 0, -dx, 0, 1, -dy)


def _rotation(angle, height, width):
    """[[cos, -sin], [sin, cos]] about the centre: counterclockwise, in radians."""
    cos = ops.cos(angle)
    sin = ops.sin(angle)
    return _about_the_centre(cos, -sin, sin, cos, height, width)


def _zoom(x, y, height, width):
    """[[x, 0], [0, y]] about the centre: numbers above 1 make what is seen smaller."""
    return _about_the_centre(x, 0, 0, y, height, width)


def _shear(x, y):
    """[[1, x, 0], [y, 1, 0], [0, 0, 1]]: slants the image, whose first pixel stays."""
    return _matrices(1, x, 0, y, 1, 0)


def _about_the_centre(a, b, c, d, height, width):
    x = (width - 1) / 2  # of the centre, which stays in place
    y = (height - 1) / 2
    return _matrices(
        a,
        b,
        x - a * x - b * y,
        c,
        d,
        y - c * x - d * y,
    )


def _matrices(a, b, x, c, d, y):
    """[[a, b, x], [c, d, y], [0, 0, 1]] for each image, from numbers and vectors."""
    entries = [a, b, x, c, d, y, 0, 0, 1]
    same = ops.zeros_like(
        next(entry for entry in entries if not isinstance(entry, int | float))
    )
    stacked = ops.stack(
        [same + entry for entry in entries],
        axis=-1,
    )
    return ops.reshape(stacked, (*ops.shape(same), 3, 3))  # B, 3, 3


def affine_transform(
    images: Any,
    matrices: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0.0,
) -> Any:
    """output[b, y, x] = images[b, y', x'], where (x', y', 1) = matrices[b] (x, y, 1).

    Args:
        images: floats, B H W C.
        matrices: float32, B 3 3.
        interpolation: "bilinear" mixes the four pixels around (x', y'); "nearest" takes
            the nearest one.
        fill_mode: what lies outside of the image. "constant" is fill_value,
            k k | a b c | k k; "nearest" goes on with the pixel at the edge,
            a a | a b c | c c; "reflect" mirrors, b a | a b c | c b; "wrap" begins
            anew, b c | a b c | a b.
        fill_value: the color of a constant outside.

    >>> images = ops.reshape(ops.arange(4.0), (1, 2, 2, 1))
    >>> right = ops.array([[[1.0, 0.0, -1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
    >>> print(ops.convert_to_numpy(affine_transform(images, right))[0, :, :, 0])
    [[0. 0.]
     [0. 2.]]
    """
    H, W = ops.shape(images)[1:3]
    M = matrices[:, :, :, None, None]
    x = ops.cast(ops.arange(W), "float32")
    y = ops.cast(ops.arange(H), "float32")[:, None]
    x, y = (  # B, H, W
        M[:, i, 0] * x + M[:, i, 1] * y + M[:, i, 2] for i in (0, 1)
    )
    pixel = functools.partial(_pixel, images, fill_mode, fill_value)
    if interpolation == "nearest":
        x = ops.floor(x + 0.5)
        y = ops.floor(y + 0.5)
        return ops.cast(pixel(x, y), images.dtype)
    left = ops.floor(x)
    top = ops.floor(y)
    u = (x - left)[..., None]
    v = (y - top)[..., None]
    right = left + 1
    bottom = top + 1
    upper = (1 - u) * pixel(left, top) + u * pixel(right, top)
    lower = (1 - u) * pixel(left, bottom) + u * pixel(right, bottom)
    return ops.cast((1 - v) * upper + v * lower, images.dtype)  # B, H, W, C


def _pixel(images, fill_mode: str, fill_value: float, x, y):
    """The pixels at whole numbers x, y (B, H, W), which may lie outside: B, H, W, C."""
    B, H, W, C = ops.shape(images)
    column = _inside(x, W, fill_mode)
    row = _inside(y, H, fill_mode)
    first = ops.arange(B)[:, None, None] * (H * W)
    pixels = ops.reshape(images, (-1, C))
    place = first + row * W + column
    found = ops.take(pixels, place, axis=0)
    found = ops.cast(found, "float32")
    if fill_mode != "constant":
        return found
    is_in_row = ops.cast(column, "float32") == x
    is_in_column = ops.cast(row, "float32") == y
    is_inside = (is_in_row & is_in_column)[..., None]
    return ops.where(is_inside, found, float(fill_value))


def _inside(place, n, fill_mode: str):
    """The place among 0 ... n - 1 whose pixel stands at `place`, as integers."""
    last = ops.cast(n - 1, "float32")
    n = last + 1
    if fill_mode == "wrap":
        place = place - n * ops.floor(place / n)
    if fill_mode == "reflect":
        place = place - 2 * n * ops.floor(place / (2 * n))
        place = ops.minimum(place, 2 * n - 1 - place)
    return ops.cast(ops.clip(place, 0, last), "int32")


def _fast_affine_transform(images: Any, matrices: Any, **options: Any) -> Any:
    """`affine_transform` in a training step, where it pays as one compiled program.

    TensorFlow then takes a quarter to a half of the time, because it does not write the
    places and the four pixels of each output to memory.
    """
    _, H, W, _ = images.shape
    is_small = None in (H, W) or H * W < FEWEST_PIXELS
    if is_small or not can_fuse(True, matrices):
        return affine_transform(images, matrices, **options)
    return _compiled(**options)(images, matrices)


@functools.cache
def _compiled(**options: Any) -> Callable:
    import tensorflow as tf

    transform = functools.partial(affine_transform, **options)
    return tf.function(transform, jit_compile=True, autograph=False)
