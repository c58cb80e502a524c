"""Attention over any axes of an input, brought into the form (..., heads, T, d)."""

import math

from keras import ops


def _free_axes(x, axes):
    """The axes of x (B, ..., heads, d) before the heads that are not attended over."""
    return [axis for axis in range(len(x.shape) - 2) if axis not in axes]


def _to_heads(x, axes):
    """(B, ..., heads, d) -> (B, axes not attended over, heads, T, d)."""
    heads, features = len(x.shape) - 2, len(x.shape) - 1
    free = [*_free_axes(x, axes), heads]
    x = ops.transpose(x, (*free, *axes, features))
    if len(axes) == 1:
        return x
    before = ops.shape(x)[: len(free)]
    return ops.reshape(x, (*before, -1, x.shape[-1]))


def _from_heads(x, query, axes):
    """(B, axes not attended over, heads, T, d) -> the order of the axes of query."""
    heads, features = len(query.shape) - 2, len(query.shape) - 1
    order = [*_free_axes(query, axes), heads, *axes, features]
    if len(axes) > 1:
        lengths = ops.shape(query)
        x = ops.reshape(x, (*[lengths[axis] for axis in order[:-1]], x.shape[-1]))
    return ops.transpose(x, [order.index(axis) for axis in range(len(order))])


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
    before = ops.shape(mask)[:free]
    mask = ops.broadcast_to(mask, (*before, *rows, *keys))
    return ops.reshape(mask, (*before, math.prod(rows), math.prod(keys)))
