"""Attention over any axes of an input, brought into the form (..., heads, T, d)."""

import math

from keras import ops


def _free_axes(x, axes):
    """The axes of x (B, ..., heads, d) before the heads that are not attended over."""
    before_heads = range(len(x.shape) - 2)
    return [axis for axis in before_heads if axis not in axes]


def _heads_first(x, axes):
    """The order of the axes of x that puts `axes` between the heads and the features.

    It is (B, axes not attended over, heads, axes attended over, d).
    """
    features = len(x.shape) - 1
    heads = features - 1
    return [*_free_axes(x, axes), heads, *axes, features]


def _to_heads(x, axes):
    """(B, ..., heads, d) -> (B, axes not attended over, heads, T, d)."""
    order = _heads_first(x, axes)
    x = ops.transpose(x, order)
    if len(axes) == 1:
        return x

    # Several axes attended over become one.
    shape = ops.shape(x)
    before = shape[: -len(axes) - 1]
    return ops.reshape(x, (*before, -1, shape[-1]))


def _from_heads(x, query, axes):
    """(B, axes not attended over, heads, T, d) -> the order of the axes of query."""
    order = _heads_first(query, axes)
    if len(axes) > 1:
        lengths = ops.shape(query)
        before = [lengths[axis] for axis in order[:-1]]
        x = ops.reshape(x, (*before, x.shape[-1]))
    back = [order.index(axis) for axis in range(len(order))]
    return ops.transpose(x, back)


def _expanded_mask(mask, free, rows, keys):
    """A mask (..., *rows, *keys) with `free` axes in front, and T and S one axis each.

    rows, keys: the lengths of the axes attended over, of the query and of the key.
    """
    if mask is None:
        return None
    mask = ops.cast(mask, "bool")
    attended = len(rows) + len(keys)
    while len(mask.shape) < free + attended:
        mask = ops.expand_dims(mask, -attended - 1)
    if len(rows) == 1:
        return mask

    # Several axes attended over become one.
    before = ops.shape(mask)[:free]
    mask = ops.broadcast_to(mask, (*before, *rows, *keys))
    T = math.prod(rows)
    S = math.prod(keys)
    return ops.reshape(mask, (*before, T, S))
