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


def cache_with(new: Any, cache: Any, index: Any, axis: int = 1) -> Any:
    """The cache, with `new` in its rows index, index + 1, ... along `axis`.

    cache, new: tensors that have S and T rows along `axis`, and are alike otherwise.
    index: an integer or a tensor. All T rows lie in the cache.
    """
    if _is_portable.get():
        return _chosen_rows(new, cache, index, axis)
    start = [0] * len(cache.shape)
    start[axis] = index
    return ops.slice_update(cache, tuple(start), new)


def _chosen_rows(new, cache, index, axis):
    """The same cache, of which each row is chosen from `new` or from the old one."""
    tokens = ops.shape(new)[axis]
    size = ops.shape(cache)[axis]
    rows = ops.arange(size)
    rows -= index  # so that 0 is the row of the first token
    is_new = ops.logical_and(rows >= 0, rows < tokens)
    rows = ops.clip(rows, 0, tokens - 1)
    moved = ops.take(new, rows, axis=axis)
    others = [1] * (len(cache.shape) - axis - 1)
    is_new = ops.reshape(is_new, (-1, *others))
    return ops.where(is_new, moved, cache)
