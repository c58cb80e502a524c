"""Caches: tables with a row for each token, which are filled from first to last."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from keras import ops

_is_portable = ContextVar("_is_portable", default=False)


@contextlib.contextmanager
def portable_caches() -> Iterator[None]:
    """A context in which `cache_with` uses operations that every format of models has.

    ONNX, for one, lacks that of `ops.slice_update`, which is faster.
    """
    before = _is_portable.set(True)
    try:
        yield
    finally:
        _is_portable.reset(before)


def cache_with(new: Any, cache: Any, index: Any) -> Any:
    """The cache (B, S, ...), with `new` (B, T, ...) in its rows index, index + 1, ...

    The index is an integer or a tensor, and all T rows lie in the cache.
    """
    if _is_portable.get():
        return _chosen_rows(new, cache, index)
    others = [0] * (len(cache.shape) - 2)
    return ops.slice_update(cache, (0, index, *others), new)


def _chosen_rows(new, cache, index):
    """The same cache, of which each row is chosen from `new` or from the old one."""
    tokens = ops.shape(new)[1]
    size = ops.shape(cache)[1]
    rows = ops.arange(size)
    rows -= index  # so that 0 is the row of the first token
    is_new = ops.logical_and(rows >= 0, rows < tokens)
    rows = ops.clip(rows, 0, tokens - 1)
    moved = ops.take(new, rows, axis=1)
    others = [1] * (len(cache.shape) - 2)
    is_new = ops.reshape(is_new, (-1, *others))
    return ops.where(is_new, moved, cache)
