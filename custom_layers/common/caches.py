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
    others = len(cache.shape) - 2
    if not _is_portable.get():
        return ops.slice_update(cache, (0, index, *[0] * others), new)
    tokens = ops.shape(new)[1]
    rows = ops.arange(ops.shape(cache)[1]) - index  # 0 where the first token stands
    is_new = ops.logical_and(rows >= 0, rows < tokens)
    is_new = ops.reshape(is_new, (-1, *[1] * others))
    at_its_row = ops.take(new, ops.clip(rows, 0, tokens - 1), axis=1)
    return ops.where(is_new, at_its_row, cache)
