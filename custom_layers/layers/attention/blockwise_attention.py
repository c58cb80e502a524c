"""Scaled dot-product attention, fast: in blocks of queries, with its own gradient."""

import functools
import itertools
import math
from typing import Any, NamedTuple

import keras
from keras import ops

from .masks import allowed_keys
from .scaled_dot_product import _softmax_over_keys

_BLOCK_SIZE = 128  # queries per block, where a block can skip keys
_HIDDEN = -1e30  # added to a score, it leaves nothing of it


def blockwise_attention(
    Q: Any,
    K: Any,
    V: Any,
    mask: Any = None,
    causal: bool = False,
    window: int | None = None,
    keep: Any = None,
) -> Any:
    """Scaled dot-product attention that skips keys which a block of queries cannot see.

    y = (P * keep) V with P = softmax(Q K^T / sqrt(d)), as in `scaled_dot_product`

    Queries are worked on in blocks where `causal` or `window` lets a block skip keys.
    The gradient has a closed form: with dP = (dy V^T) * keep, the softmax gives
    dS = P * (dP - rowsum(dP * P)), and rowsum(dP * P) = rowsum(dy * y), which is a sum
    over e features instead of S keys. A pass over all pairs of queries and keys costs
    as much as a product of matrices. So there are few: the mask is added once, and
    without dropout one product gives dP - rowsum, as [dy, -rowsum] [V, 1]^T.

    Args: those of `scaled_dot_product`, except return_weights. Hidden keys and values
        must be finite numbers, because NaN times 0 is NaN.
    Returns: y (..., T, e). A query without any allowed key is answered by the mean
        over the keys of its block.

    >>> Q = K = V = ops.eye(3)
    >>> print(blockwise_attention(1000 * Q, K, V, causal=True).numpy())
    [[1. 0. 0.]
     [0. 1. 0.]
     [0. 0. 1.]]

    Paper: Dao, Fu, Ermon, Rudra, Re, "FlashAttention: fast and memory-efficient exact
    attention with IO-awareness", 2022. https://arxiv.org/abs/2205.14135
    """
    Q = Q * (1 / math.sqrt(Q.shape[-1]))
    T, S = ops.shape(Q)[-2], ops.shape(K)[-2]
    blocks = []
    for rows, keys in _ranges(T, S, causal, window):
        allowed = allowed_keys(rows, keys, mask, causal, window)
        block = _Block(
            rows=slice(*rows),
            keys=slice(*keys),
            allowed=allowed,
            sees_any=_any_key(allowed) if window or mask is not None else None,
            keep=None if keep is None else keep[..., slice(*rows), slice(*keys)],
        )
        blocks.append(block)
    return _attend(Q, K, V, blocks)


class _Block(NamedTuple):
    """A range of queries, and the range of keys that any of them can see."""

    rows: slice
    keys: slice
    allowed: Any  # the mask within the block, or None
    sees_any: Any  # whether a query sees any key, or None if all do
    keep: Any  # the factors of P within the block, or None

    def of_rows(self, x):
        """The rows of x (..., T, n) that belong to the block."""
        return x[..., self.rows, :]

    def of_keys(self, x):
        """The rows of x (..., S, n) that belong to the block."""
        return x[..., self.keys, :]

    def dropped(self, P):
        """P * keep."""
        if self.keep is None:
            return P
        return ops.multiply(P, self.keep)


def _ranges(T, S, causal, window):
    """[(rows, keys)]: the blocks of queries, and the keys that each of them can see."""
    is_known = isinstance(T, int) and isinstance(S, int)
    if not is_known or T == 0 or T != S or not (causal or window):
        return [((0, T), (0, S))]
    size = max(_BLOCK_SIZE, math.ceil(T / 16))
    back = (window or T) - 1
    ahead = 0 if causal else window - 1
    ranges = []
    for start in range(0, T, size):
        rows = start, min(T, start + size)
        keys = max(0, start - back), min(S, start + size + ahead)
        ranges.append((rows, keys))
    return ranges


def _attend(Q, K, V, blocks):
    """y of all blocks, with its gradient; Q is already divided by sqrt(d)."""

    @ops.custom_gradient
    def attend(Q, K, V):
        ys, Ps = [], []
        for block in blocks:
            y_block, P_block = _forward(block, Q, K, V)
            ys.append(y_block)
            Ps.append(P_block)
        y = ops.concatenate(ys, axis=-2)

        def gradient(*arguments, upstream=None):
            dy = arguments[0] if upstream is None else upstream
            differences = _Differences.of(V, y, dy, blocks, Ps)
            parts = [
                _backward(block, P_block, Q, K, dy, differences)
                for block, P_block in zip(blocks, Ps)
            ]
            dQ, dK, dV = zip(*parts)
            keys = [block.keys for block in blocks]
            return ops.concatenate(dQ, axis=-2), _total(dK, keys), _total(dV, keys)

        return y, gradient

    return attend(Q, K, V)


def _forward(block, Q, K, V):
    """(y, P) of the queries of a block."""
    q = block.of_rows(Q)
    k = block.of_keys(K)
    v = block.of_keys(V)
    scores = ops.matmul(q, ops.swapaxes(k, -2, -1))
    P = _softmax_over_keys(_without_hidden(scores, block.allowed))
    dropped = ops.cast(block.dropped(P), v.dtype)
    y = ops.matmul(dropped, v)
    return y, P


def _without_hidden(scores, allowed):
    """The scores, in float32 at least, where a hidden key's makes it weigh nothing.

    A sum takes a third of the time of a choice among as many numbers.
    """
    scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
    if allowed is None:
        return scores
    return scores + ops.where(allowed, 0.0, _HIDDEN)


def _backward(block, P, Q, K, dy, differences):
    """(dq, dk, dv) of the queries and keys of a block."""
    q = block.of_rows(Q)
    k = block.of_keys(K)
    dy = block.of_rows(dy)
    dS = ops.cast(P * differences.within(block, P.dtype), q.dtype)
    dropped = ops.cast(block.dropped(P), dy.dtype)

    dq = ops.matmul(dS, k)
    dk = _transposed_product(dS, q)
    dv = _transposed_product(dropped, dy)
    return dq, dk, dv


class _Differences(NamedTuple):
    """What gives dP - rowsum, with dP = (left right^T) * keep."""

    left: Any  # dy, or [dy, -rowsum]
    right: Any  # V, or [V, 1]
    rowsum: Any  # what is still to be subtracted, or None

    @classmethod
    def of(cls, V, y, dy, blocks, Ps):
        """The two factors, which hold the row sums where they may."""
        dtype = Ps[0].dtype
        rowsum = ops.sum(ops.cast(dy * y, dtype), axis=-1, keepdims=True)
        if blocks[0].keep is not None or dtype != V.dtype:
            return cls(dy, V, rowsum)
        left = ops.concatenate([dy, -rowsum], axis=-1)
        right = ops.concatenate([V, ops.ones_like(V[..., :1])], axis=-1)
        return cls(left, right, None)

    def within(self, block, dtype):
        """dP - rowsum in a block, and 0 for queries without any allowed key."""
        left = block.of_rows(self.left)
        right = ops.swapaxes(block.of_keys(self.right), -2, -1)
        if block.sees_any is not None:
            left = left * ops.cast(block.sees_any, left.dtype)
        dP = ops.cast(block.dropped(ops.matmul(left, right)), dtype)
        if self.rowsum is None:
            return dP
        rowsum = block.of_rows(self.rowsum)
        if block.sees_any is not None:
            rowsum = rowsum * ops.cast(block.sees_any, dtype)
        return dP - rowsum


def _any_key(allowed):
    """Whether a query sees any key, (..., T, 1)."""
    return ops.any(allowed, axis=-1, keepdims=True)


def _transposed_product(P, x):
    """P^T x; einsum makes no transposed copy of P."""
    return ops.einsum("...ts,...td->...sd", P, x)


def _total(parts, ranges):
    """The sum of parts (..., s, n), each of which belongs to a range of all S keys.

    The sum of the keys between two ends of ranges is made before that of the next ones:
    so few numbers at a time stay in the cache of the processor.
    """
    if len(parts) == 1:
        return parts[0]
    ends = sorted({end for keys in ranges for end in (keys.start, keys.stop)})
    sums = []
    for start, stop in itertools.pairwise(ends):
        pieces = [
            part[..., start - keys.start : stop - keys.start, :]
            for part, keys in zip(parts, ranges)
            if keys.start <= start and stop <= keys.stop
        ]
        sums.append(functools.reduce(ops.add, pieces))
    return ops.concatenate(sums, axis=-2)
