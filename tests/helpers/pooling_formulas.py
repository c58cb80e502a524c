"""Formulas of pooling layers in NumPy, place by place, from their papers."""

import itertools

import numpy as np


def adaptive_pool(x, counts, summarize):
    """x (B, *lengths, C): window i of m over n is floor(i n / m) ... (i + 1) n / m."""
    y = np.zeros((len(x), *counts, x.shape[-1]))
    for place in np.ndindex(*counts):
        window = tuple(
            slice(int(np.floor(i * n / m)), int(np.ceil((i + 1) * n / m)))
            for i, m, n in zip(place, counts, x.shape[1:])
        )
        inside = x[(slice(None), *window)]
        y[(slice(None), *place)] = summarize(inside, axis=tuple(range(1, x.ndim - 1)))
    return y


def spatial_pyramid(x, grids, summarize):
    levels = [adaptive_pool(x, grid, summarize) for grid in grids]
    return np.concatenate([y.reshape(len(x), -1, x.shape[-1]) for y in levels], axis=1)


def max_and_place(x, size, strides, padding):
    """(values, indices) of windows over x (B, H, W, C), found one by one."""
    B, H, W, C = x.shape
    rows, columns = (
        starts(n, s, step, padding) for n, s, step in zip((H, W), size, strides)
    )
    values = np.zeros((B, len(rows), len(columns), C))
    indices = np.zeros(values.shape, int)
    for b, i, j, c in np.ndindex(*values.shape):
        inside = [
            (x[b, u, v, c], (u * W + v) * C + c)
            for u in range(rows[i], rows[i] + size[0])
            for v in range(columns[j], columns[j] + size[1])
            if 0 <= u < H and 0 <= v < W
        ]
        values[b, i, j, c], indices[b, i, j, c] = max(inside, key=lambda pair: pair[0])
    return values, indices


def starts(n, size, stride, padding):
    """Where the windows over n places begin; "same" shares its margin out."""
    if padding == "valid":
        return range(0, n - size + 1, stride)
    count = -(-n // stride)
    margin = max((count - 1) * stride + size - n, 0)
    return [i * stride - margin // 2 for i in range(count)]


def unpooled(values, indices, shape):
    y = np.zeros((len(values), np.prod(shape)))
    for b in range(len(values)):
        y[b, indices[b].ravel()] = values[b].ravel()
    return y.reshape(-1, *shape)


def net_vlad(x, W, b, c, mask=None):
    """Equation 4 of the paper, feature by feature, then both normalizations."""
    y = np.zeros((len(x), *c.shape))
    for n, i in np.ndindex(*x.shape[:2]):
        if mask is None or mask[n, i]:
            scores = x[n, i] @ W + b
            a = np.exp(scores) / np.exp(scores).sum()
            y[n] += a * (x[n, i][:, None] - c)
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    y = y.reshape(len(x), -1)
    return y / np.linalg.norm(y, axis=1, keepdims=True)


def correlation(f, g, k, d, stride_1, stride_2, pad):
    """Equation 1 of the paper, divided by the numbers of a patch; maps (B, H, W, C)."""
    f, g = (np.pad(m, ((0, 0), (pad, pad), (pad, pad), (0, 0))) for m in (f, g))
    radius, r = (k - 1) // 2, d // stride_2
    border = d + radius
    middles = [range(border, n - border, stride_1) for n in f.shape[1:3]]
    y = np.zeros((len(f), *map(len, middles), (2 * r + 1) ** 2))
    for (a, u), (b, v) in itertools.product(*map(enumerate, middles)):
        for i, j in itertools.product(range(-r, r + 1), repeat=2):
            total = 0.0
            for p, q in itertools.product(range(-radius, radius + 1), repeat=2):
                moved = u + p + i * stride_2, v + q + j * stride_2
                total = total + np.sum(
                    f[:, u + p, v + q] * g[:, moved[0], moved[1]], axis=-1
                )
            channel = (i + r) * (2 * r + 1) + j + r
            y[:, a, b, channel] = total / (k * k * f.shape[-1])
    return y
