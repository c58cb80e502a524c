"""Masks of attention: which keys each query may see."""

import functools
from typing import Any

from keras import ops


def allowed_keys(
    rows: tuple[Any, Any],
    keys: tuple[Any, Any],
    mask: Any = None,
    causal: bool = False,
    window: int | None = None,
    offset: Any = 0,
) -> Any:
    """The mask of the keys in a range that the queries in a range may see.

    allowed[i, j] = mask[i, j], and i >= j if causal, and |i - j| < window if given

    Args:
        rows, keys: the ranges of queries i and keys j, each as (start, stop).
        mask: True for a key that may be seen, (..., T or 1, S or 1).
        causal: whether a query sees only the keys up to its own position.
        window: how near a key must be; None for any distance.
        offset: number of keys that precede the one at the position of query 0.

    Returns: a boolean tensor (..., rows, keys), or None where all keys are allowed.

    >>> print(allowed_keys((1, 3), (0, 3), causal=True).numpy())
    [[ True  True False]
     [ True  True  True]]
    """
    conditions = []
    if mask is not None:
        mask = mask if mask.shape[-2] == 1 else mask[..., slice(*rows), :]
        mask = mask if mask.shape[-1] == 1 else mask[..., slice(*keys)]
        conditions.append(mask)
    if causal or window:
        i = ops.arange(*rows, dtype="int32") + offset
        j = ops.arange(*keys, dtype="int32")
        distance = ops.expand_dims(i, -1) - j
        if causal:
            conditions.append(distance >= 0)
        if window:
            conditions.append(ops.abs(distance) < window)
    return _all_of(conditions)


def _joined_masks(query_mask, value_mask, key_mask, attention_mask):
    """One mask (B, T or 1, S or 1), or None: query_mask (B, T), the others (B, S)."""
    conditions = []
    if query_mask is not None:
        conditions.append(ops.expand_dims(query_mask, -1))
    if value_mask is not None:
        conditions.append(ops.expand_dims(value_mask, -2))
    if key_mask is not None:
        conditions.append(ops.expand_dims(key_mask, -2))
    if attention_mask is not None:
        conditions.append(attention_mask)
    return _all_of([ops.cast(mask, "bool") for mask in conditions])


def _all_of(conditions):
    """The masks joined by "and"; None without any."""
    return functools.reduce(ops.logical_and, conditions) if conditions else None
