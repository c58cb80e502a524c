"""Changes of colors: images are floats from 0 to 255, B H W C; strengths are (B,)."""

from keras import ops

from .base import _per_image

LEVELS = 256
WHITE = LEVELS - 1
HAIR = 1e-3  # of a level: what rounding takes from 7 / 255 * 255 must not make it 6

# How bright each of these looks.
RED = 0.299
GREEN = 0.587
BLUE = 0.114


def _gray(x):
    """How bright each pixel looks, (B, H, W, 1): of other than 3 channels, the mean."""
    if x.shape[-1] != 3:
        return ops.mean(x, axis=-1, keepdims=True)
    red = x[..., :1]
    green = x[..., 1:2]
    blue = x[..., 2:]
    return RED * red + GREEN * green + BLUE * blue


def _blend(degenerate, x, strength):
    """d + e (x - d): at e = 0 the degenerate image, at 1 the image, above 1 beyond."""
    e = _per_image(strength, x)
    y = degenerate + e * (x - degenerate)
    return ops.clip(y, 0, WHITE)


def _mean_gray(x):
    """The mean brightness of each image, (B, 1, 1, 1): contrast is relative to it."""
    return ops.mean(
        _gray(x),
        axis=(1, 2),
        keepdims=True,
    )


def _smooth(x):
    """Each pixel's mean with its 8 neighbors, where it counts 5 times.

    The pixels at the border stay as they are.
    """
    _, H, W, _ = x.shape
    if min(H or 3, W or 3) < 3:
        return x
    nine = _sum_of_three(x, axis=1)
    nine = _sum_of_three(nine, axis=2)
    inner = x[:, 1:-1, 1:-1]
    change = (nine + 4 * inner) / 13 - inner
    border = [
        (0, 0),
        (1, 1),
        (1, 1),
        (0, 0),
    ]
    return x + ops.pad(change, border)


def _sum_of_three(x, axis: int):
    """Each place and the ones before and after it, without the first and the last."""
    if axis == 2:
        before = x[:, :, :-2]
        place = x[:, :, 1:-1]
        after = x[:, :, 2:]
    else:
        before = x[:, :-2]
        place = x[:, 1:-1]
        after = x[:, 2:]
    return before + place + after


def _posterize(x, bits):
    """The highest bits of each value; the others become 0."""
    lost = 8 - bits
    step = _per_image(2.0**lost, x)
    return ops.floor((x + HAIR) / step) * step


def _solarize(x, threshold):
    """255 - x from the threshold on, as in a film that got too much light."""
    is_dark = x < _per_image(threshold, x)
    return ops.where(is_dark, x, WHITE - x)


def _auto_contrast(x):
    """Each channel stretched so that its darkest value is 0 and its brightest 255."""
    low = ops.min(
        x,
        axis=(1, 2),
        keepdims=True,
    )
    high = ops.max(
        x,
        axis=(1, 2),
        keepdims=True,
    )
    is_flat = high == low
    distance = ops.where(is_flat, 1.0, high - low)
    scale = WHITE / distance
    y = ops.minimum((x - low) * scale, WHITE)
    return ops.where(is_flat, x, y)


def _equalize(x):
    """Each channel with as many dark as bright values: the levels become their ranks.

    y = 255 (F(x) - F_0) / (n - F_0), where F counts the values up to x, F_0 those of
    the darkest level, and n all of them.
    """
    B, H, W, C = ops.shape(x)
    n = H * W
    tables = B * C  # one for each channel of each image
    table = ops.arange(tables)
    table = ops.reshape(table, (B, 1, 1, C))
    level = ops.clip(x + HAIR, 0, WHITE)
    place = table * LEVELS + ops.cast(level, "int32")
    place = ops.reshape(place, (-1,))
    ones = ops.ones_like(place)
    counts = ops.segment_sum(ones, place, tables * LEVELS)
    counts = ops.reshape(counts, (tables, LEVELS))
    F = ops.cumsum(counts, axis=1)
    F_0 = ops.where(F > 0, F, n)
    F_0 = ops.min(F_0, axis=1, keepdims=True)
    rank = ops.cast(F - F_0, "float32")
    highest = ops.maximum(n - F_0, 1)
    highest = ops.cast(highest, "float32")
    y = ops.round(WHITE * rank / highest)
    y = ops.reshape(y, (-1,))
    y = ops.take(y, place)
    y = ops.reshape(y, (B, H, W, C))
    is_flat = n == F_0
    is_flat = ops.reshape(is_flat, (B, 1, 1, C))
    return ops.where(is_flat, x, ops.cast(y, x.dtype))
