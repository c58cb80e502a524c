"""softmax(q k^T) v under masks: what the attention layers with heads share."""

import functools
import math

import keras
from keras import ops

_MASKED = -1e9  # the score of a masked key; scores are float32 at least
_BLOCK = 128  # query rows that are worked on at once where keys can be skipped


def allowed_keys(rows, keys, mask=None, causal=False, window=None, offset=0):
    """Which keys of a range each query row of a range may see; None: all of them.

    Args:
        rows, keys: the ranges, as (start, stop).
        mask: True for a key to be seen, (..., T or 1, S or 1).
        causal: row i sees the keys j <= i.
        window: row i sees the keys with |i - j| < window.
        offset: number of keys before the one that belongs to row 0.

    >>> print(allowed_keys((1, 3), (0, 3), causal=True).numpy())
    [[ True  True False]
     [ True  True  True]]
    """
    found = []
    if mask is not None:
        mask = mask if mask.shape[-2] == 1 else mask[..., slice(*rows), :]
        found.append(mask if mask.shape[-1] == 1 else mask[..., slice(*keys)])
    if causal or window:
        i = ops.expand_dims(ops.arange(*rows, dtype="int32") + offset, -1)
        distance = i - ops.arange(*keys, dtype="int32")
        if causal:
            found.append(distance >= 0)
        if window:
            found.append(ops.abs(distance) < window)
    return functools.reduce(ops.logical_and, found) if found else None


def scaled_dot_product(
    q, k, v, mask=None, causal=False, window=None, keep=None, return_weights=False
):
    """y = (P * keep) v with P = softmax(q k^T) over the allowed keys.

    The scale, 1 / sqrt(d), is the caller's: it is cheapest on q. Rows are worked on
    in blocks where `causal` or `window` lets a block skip keys; a row without any
    allowed key is an average over the keys of its block.

    Args:
        q, k, v: (..., T, d), (..., S, d), (..., S, e).
        mask, causal, window: see `allowed_keys`.
        keep: what P is multiplied with: dropout's zeros and 1 / (1 - rate).
        return_weights: whether (y, P) is returned; all of P in one block then.

    >>> q = k = v = keras.ops.eye(3)
    >>> print(scaled_dot_product(100 * q, k, v, causal=True).numpy())
    [[1. 0. 0.]
     [0. 1. 0.]
     [0. 0. 1.]]
    """
    T, S = ops.shape(q)[-2], ops.shape(k)[-2]
    if return_weights:
        P = _weights(q, k, allowed_keys((0, T), (0, S), mask, causal, window))
        y = ops.matmul(ops.cast(P if keep is None else P * keep, v.dtype), v)
        return y, ops.cast(P, v.dtype)
    blocks = [
        (slice(*rows), slice(*keys), allowed_keys(rows, keys, mask, causal, window))
        for rows, keys in _blocks(T, S, causal, window)
    ]
    return _by_blocks(q, k, v, blocks, keep)


def _swap(x):
    return ops.swapaxes(x, -2, -1)


def _weights(q, k, allowed):
    scores = ops.matmul(q, _swap(k))
    scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
    if allowed is not None:
        scores = ops.where(allowed, scores, _MASKED)
    if scores.shape[-1] == 1:  # ops.softmax would warn
        return ops.exp(scores - scores)
    return ops.softmax(scores, axis=-1)


def _blocks(T, S, causal, window):
    """[(rows, keys)]: the keys that a block of query rows can see at all."""
    if not isinstance(T, int) or T != S or not (causal or window):
        return [((0, T), (0, S))]
    size = max(_BLOCK, math.ceil(T / 16))
    back, ahead = (window or T) - 1, 0 if causal else window - 1
    return [
        ((i, min(T, i + size)), (max(0, i - back), min(S, i + size + ahead)))
        for i in range(0, T, size)
    ]


def _by_blocks(q, k, v, blocks, keep):
    """Row blocks of (P * keep) v, with the gradient in closed form.

    With dP = (dy v^T) * keep, softmax gives dS = P * (dP - rowsum(dP * P)), and
    rowsum(dP * P) = rowsum(dy * y): a sum over e features instead of S keys.
    """

    def drop(x, i, j):
        return x if keep is None else ops.multiply(x, keep[..., i, j])

    @ops.custom_gradient
    def attend(q, k, v):
        P = [_weights(q[..., i, :], k[..., j, :], allowed) for i, j, allowed in blocks]
        y = [
            ops.matmul(ops.cast(drop(p, i, j), v.dtype), v[..., j, :])
            for p, (i, j, _) in zip(P, blocks)
        ]
        y = ops.concatenate(y, axis=-2)

        def grad(*args, upstream=None):
            dy = args[0] if upstream is None else upstream
            rowsum = ops.sum(ops.cast(dy * y, P[0].dtype), axis=-1, keepdims=True)
            dq, dk, dv = [], 0, 0
            for p, (i, j, allowed) in zip(P, blocks):
                dP = drop(ops.matmul(dy[..., i, :], _swap(v[..., j, :])), i, j)
                dS = p * (ops.cast(dP, p.dtype) - rowsum[..., i, :])
                if allowed is not None:  # a row of masked keys has P > 0
                    dS = ops.where(allowed, dS, 0)
                dS = ops.cast(dS, q.dtype)
                dq.append(ops.matmul(dS, k[..., j, :]))
                dk += _transposed_product(q[..., i, :], dS, j, k)
                p = ops.cast(drop(p, i, j), v.dtype)
                dv += _transposed_product(dy[..., i, :], p, j, v)
            return ops.concatenate(dq, axis=-2), dk, dv

        return y, grad

    return attend(q, k, v)


def _transposed_product(x, P, keys, like):
    """P^T x at the places `keys`, 0 elsewhere; einsum copies no transposed P."""
    product = ops.einsum("...ts,...td->...sd", P, x)
    S = like.shape[-2]
    if not isinstance(S, int) or (keys.start, keys.stop) == (0, S):
        return product
    around = (keys.start, S - keys.stop)
    return ops.pad(product, [(0, 0)] * (len(product.shape) - 2) + [around, (0, 0)])
