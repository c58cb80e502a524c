"""Beam search with a function that rates the next token, as in decoding.py."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import ops

from ..common.checks import minus_infinity, positive_integer
from .compiled import _run_whole
from .decoding import _check_range, _padded_prompt, _with_token
from .loops import _repeat

_NEVER = minus_infinity("float32")  # the score of a continuation that is not allowed


def beam_search(
    next_logits: Callable,
    prompt: Any,
    length: int,
    *,
    beam_width: int = 4,
    length_penalty: float = 0.0,
    end_token: int | None = None,
    pad_token: int = 0,
    state: Any = None,
) -> tuple:
    """Beam search: the likeliest continuations that are found, the best first.

    score = sum(log p(token)) / ((5 + n) / 6)^length_penalty   over n new tokens
    Each step looks at all continuations of the rows that it has, and keeps the
    beam_width best of them. A row that has ended stays as it is, and competes with the
    others. `next_logits` sees B * beam_width rows; its state is repeated and reordered
    with them.

    Args:
        next_logits, prompt, length, end_token, pad_token, state: see `greedy_search`.
        beam_width: number of rows W to keep; 1 is `greedy_search`.
        length_penalty: 0 prefers short rows; the paper takes 0.6 to 1.

    Returns: tokens (B, W, length) and scores (B, W).
    Raises: ValueError for a beam_width that is not a positive integer, for a
    length_penalty that is not finite, and as `greedy_search`.

    >>> def successor(tokens, index, state):
    ...     return 3.0 * keras.ops.one_hot((tokens[:, index] + 1) % 5, 5), state
    >>> tokens, scores = beam_search(successor, [[1]], length=4, beam_width=2)
    >>> print(tokens[0, 0].numpy())
    [1 2 3 4]

    Paper: Wu et al., "Google's neural machine translation system", 2016.
    https://arxiv.org/abs/1609.08144
    """
    beam_width = positive_integer(beam_width, "beam_width")
    is_number = math.isfinite(length_penalty)
    _check_range("length_penalty", length_penalty, is_number, "a finite number")
    rows, known = _padded_prompt(prompt, length, pad_token)
    return _run_whole(
        _search,
        next_logits,
        known - 1,
        rows,
        state,
        W=beam_width,
        length_penalty=float(length_penalty),
        end_token=None if end_token is None else int(end_token),
        pad_token=int(pad_token),
    )


def _search(
    next_logits, index, rows, state, *, W, length_penalty, end_token, pad_token
):
    """(tokens, scores) of `beam_search`."""
    B, L = ops.shape(rows)
    is_program = not isinstance(index, int)

    def goes_on(index, rows, beam, state):
        return ops.logical_and(index < L - 1, ops.logical_not(ops.all(beam.ended)))

    def step(index, rows, beam, state):
        logits, new_state = next_logits(rows, index, state)
        beam, parent, token = _grown(beam, logits, length_penalty)
        token = ops.where(beam.ended, pad_token, token)
        rows = _of_parents(rows, parent)
        # A program repeats one step. What that returns as it is never differs between
        # the rows of a beam, such as the keys and values of a source.
        state = _of_parents(new_state, parent, state if is_program else None)
        rows = _with_token(rows, index + 1, ops.reshape(token, (-1,)))
        if end_token is not None:
            ended = ops.logical_or(beam.ended, token == end_token)
            beam = beam._replace(ended=ended)
        return index + 1, rows, beam, state

    start = index, _repeated(rows, W), _first_beam(B, W), _repeated(state, W)
    _, rows, beam, _ = _repeat(goes_on, step, start)
    scores, order = ops.top_k(_scores(beam.total, beam.new, length_penalty), W)
    rows = ops.reshape(rows, (B, W, L))
    return ops.take_along_axis(rows, order[..., None], axis=1), scores


class _Beam(NamedTuple):
    """What is known of the W rows of each of B beams, as tensors (B, W).

    total: sum of log p of the new tokens of a row
    new: number of its new tokens
    ended: whether it has ended
    """

    total: Any
    new: Any
    ended: Any


def _first_beam(B, W):
    """Rows without new tokens. They are alike, so only one of them may grow."""
    zeros = ops.zeros((B, W))
    total = ops.where(ops.arange(W) == 0, zeros, _NEVER)
    return _Beam(total, zeros, ops.zeros((B, W), "bool"))


def _grown(beam, logits, length_penalty):
    """(beam, parent, token) of the best continuations (B, W), for logits (B W, V).

    Row w of a beam becomes row parent[w] with token[w] appended.
    """
    B, W = ops.shape(beam.total)
    V = logits.shape[-1]
    N = min(V, W)  # likeliest tokens of a row: no more of them can be chosen
    logits = ops.cast(logits, "float32")
    highest, tokens = ops.top_k(logits, N)  # B W, N
    log_p = highest - ops.logsumexp(logits, axis=-1, keepdims=True)
    log_p = ops.reshape(log_p, (B, W, N))
    tokens = ops.reshape(tokens, (B, W * N))

    # A row that has ended has one continuation, which costs nothing.
    is_continuation = ops.arange(N) == 0
    stay = ops.where(is_continuation, 0.0, _NEVER)
    log_p = ops.where(beam.ended[..., None], stay, log_p)
    total = beam.total[..., None] + log_p  # B W N
    new = ops.where(beam.ended, beam.new, beam.new + 1)

    # The W best of all continuations of a beam.
    scores = _scores(total, new[..., None], length_penalty)
    scores = ops.reshape(scores, (B, W * N))
    total = ops.reshape(total, (B, W * N))
    _, best = ops.top_k(scores, W)
    parent = best // N
    beam = _Beam(
        ops.take_along_axis(total, best, axis=1),
        ops.take_along_axis(new, parent, axis=1),
        ops.take_along_axis(beam.ended, parent, axis=1),
    )
    return beam, parent, ops.take_along_axis(tokens, best, axis=1)


def _scores(total, new, length_penalty):
    """The scores of rows by the sums of their log p and their numbers of new tokens."""
    return total / ((5 + new) / 6) ** length_penalty


def _repeated(nest, W):
    """Every tensor (B, ...) of a nest as (B W, ...), each of its rows W times."""

    def repeat(x):
        return None if x is None else ops.repeat(x, W, axis=0)

    return keras.tree.map_structure(repeat, nest)


def _of_parents(nest, parent, before=None):
    """Every tensor (B W, ...) of a nest, with the rows of the parents (B, W).

    before: the nest as it was. A tensor that is in its old place stays as it is.
    """
    B, W = ops.shape(parent)
    first_rows = W * ops.arange(B, dtype=parent.dtype)
    rows = first_rows[:, None] + parent
    rows = ops.reshape(rows, (-1,))
    leaves = keras.tree.flatten(nest)
    old = keras.tree.flatten(before)
    old = old if len(old) == len(leaves) else [None] * len(leaves)

    def take(x, old):
        return x if x is old or x is None else ops.take(x, rows, axis=0)

    return keras.tree.pack_sequence_as(nest, list(map(take, leaves, old)))
