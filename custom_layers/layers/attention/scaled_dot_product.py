"""Scaled dot-product attention, as the paper has it: softmax(Q K^T / sqrt(d)) V."""

import math
from typing import Any

import keras
from keras import ops

from ...common.checks import minus_infinity
from .masks import allowed_keys


def scaled_dot_product(
    Q: Any,
    K: Any,
    V: Any,
    mask: Any = None,
    causal: bool = False,
    window: int | None = None,
    keep: Any = None,
    return_weights: bool = False,
    bias: Any = None,
) -> Any:
    """Scaled dot-product attention: a mean of values, weighted for each query.

    P = softmax(Q K^T / sqrt(d) + bias), where keys that are not allowed weigh 0
    y = (P * keep) V

    `blockwise_attention` gives the same y and is faster; it never holds all of P.

    Args:
        Q, K, V: queries (..., T, d), keys (..., S, d) and values (..., S, e).
        mask, causal, window: which keys are allowed, see `allowed_keys`.
        keep: factors of the entries of P, such as the 0 and 1 / (1 - rate) of dropout.
        return_weights: whether to return P (..., T, S) too, as it is before dropout.
        bias: what is added to the scores (..., T, S), such as a position bias.

    Returns: y (..., T, e), or (y, P).

    >>> Q = K = V = keras.ops.eye(3)
    >>> print(scaled_dot_product(1000 * Q, K, V, causal=True).numpy())
    [[1. 0. 0.]
     [0. 1. 0.]
     [0. 0. 1.]]

    Paper: Vaswani et al., "Attention is all you need", 2017.
    https://arxiv.org/abs/1706.03762
    """
    d = Q.shape[-1]
    Q = Q * (1 / math.sqrt(d))
    scores = ops.matmul(Q, ops.swapaxes(K, -2, -1))
    if bias is not None:
        scores = _full_precision(scores) + _full_precision(bias)
    T, S = ops.shape(scores)[-2:]
    allowed = allowed_keys((0, T), (0, S), mask, causal, window)
    P = _softmax(scores, allowed)
    dropped = P if keep is None else P * keep
    y = ops.matmul(ops.cast(dropped, V.dtype), V)
    if return_weights:
        return y, ops.cast(P, V.dtype)
    return y


def _softmax(scores, allowed):
    """softmax(scores) over the allowed keys, in float32 at least.

    A query without any allowed key weighs all keys alike.
    """
    scores = _full_precision(scores)
    if allowed is not None:
        scores = ops.where(allowed, scores, minus_infinity(scores.dtype))
    return _softmax_over_keys(scores)


def _full_precision(scores):
    """Scores in float32 at least."""
    return ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))


def _softmax_over_keys(scores: Any) -> Any:
    """softmax(scores) over the last axis, where a single key gets the weight 1.

    `ops.softmax` warns about a single key, which is not a mistake in attention.
    """
    if scores.shape[-1] == 1:
        return ops.exp(scores - scores)
    return ops.softmax(scores, axis=-1)
