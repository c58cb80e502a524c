"""Changes of colors: images are floats from 0 to 255, B H W C; strengths are (B,)."""

from keras import ops

from .base import _per_image

LEVELS = 256
HAIR = 1e-3  # of a level: what rounding takes from 7 / 255 * 255 must not make it 6
RED, GREEN, BLUE = 0.299, 0.587, 0.114  # how bright each looks


def _gray(x):
    """How bright each pixel looks, (B, H, W, 1): of other than 3 channels, the mean."""
    if x.shape[-1] != 3:
        return ops.mean(x, axis=-1, keepdims=True)
    return RED * x[..., :1] + GREEN * x[..., 1:2] + BLUE * x[..., 2:]


def _blend(degenerate, x, strength):
    """d + e (x - d): at e = 0 the degenerate image, at 1 the image, above 1 beyond."""
    e = _per_image(strength, x)
    return ops.clip(degenerate + e * (x - degenerate), 0, LEVELS - 1)


def _mean_gray(x):
    """The mean brightness of each image, (B, 1, 1, 1): contrast is relative to it."""
    return ops.mean(_gray(x), axis=(1, 2), keepdims=True)


def _smooth(x):
    """Each pixel's mean with its 8 neighbors, where it counts 5 times.

    The pixels at the border stay as they are.
    """
    if min(size or 3 for size in x.shape[1:3]) < 3:
        return x
    rows = x[:, :-2] + x[:, 1:-1] + x[:, 2:]
    nine = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    inner = x[:, 1:-1, 1:-1]
    change = (nine + 4 * inner) / 13 - inner
    return x + ops.pad(change, [(0, 0), (1, 1), (1, 1), (0, 0)])


def _posterize(x, bits):
    """The highest bits of each value; the others become 0."""
    step = _per_image(2.0 ** (8 - bits), x)
    return ops.floor((x + HAIR) / step) * step


def _solarize(x, threshold):
    """255 - x from the threshold on, as in a film that got too much light."""
    return ops.where(x < _per_image(threshold, x), x, LEVELS - 1 - x)


def _auto_contrast(x):
    """Each channel stretched so that its darkest value is 0 and its brightest 255."""
    low = ops.min(x, axis=(1, 2), keepdims=True)
    high = ops.max(x, axis=(1, 2), keepdims=True)
    is_flat = high == low
    scale = (LEVELS - 1) / ops.where(is_flat, 1.0, high - low)
    return ops.where(is_flat, x, (x - low) * scale)


def _equalize(x):
    """Each channel with as many dark as bright values: the levels become their ranks.

    y = 255 (F(x) - F_0) / (n - F_0), where F counts the values up to x, F_0 those of
    the darkest level, and n all of them.
    """
    B, H, W, C = ops.shape(x)
    level = ops.cast(ops.clip(x + HAIR, 0, LEVELS - 1), "int32")
    channel = ops.reshape(ops.arange(B * C), (B, 1, 1, C))
    place = ops.reshape(channel * LEVELS + level, (-1,))  # in the table of all channels
    counts = ops.segment_sum(ops.ones_like(place), place, B * C * LEVELS)
    F = ops.cumsum(ops.reshape(counts, (B * C, LEVELS)), axis=1)
    n = H * W
    F_0 = ops.min(ops.where(F > 0, F, n), axis=1, keepdims=True)
    ranks = ops.cast(F - F_0, "float32") / ops.cast(ops.maximum(n - F_0, 1), "float32")
    table = ops.round((LEVELS - 1) * ranks)
    y = ops.reshape(ops.take(ops.reshape(table, (-1,)), place), ops.shape(x))
    is_flat = ops.reshape(n == F_0, (B, 1, 1, C))
    return ops.where(is_flat, x, ops.cast(y, x.dtype))
