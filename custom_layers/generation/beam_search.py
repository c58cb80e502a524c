"""Beam search with a function that rates the next token, as in decoding.py."""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ..common.checks import minus_infinity, positive_integer
from .decoding import _check_range, _padded_prompt, _with_token

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
    beam = _Beam(rows.shape[0], beam_width, length_penalty)
    rows = _repeated(rows, beam_width)
    state = _repeated(state, beam_width)
    for index in range(known - 1, length - 1):
        logits, state = next_logits(rows, index, state)
        parent, token = beam.grow(logits)
        token = ops.where(beam.ended, pad_token, token)
        rows = _of_parents(rows, parent)
        state = _of_parents(state, parent)
        rows = _with_token(rows, index + 1, ops.reshape(token, (-1,)))
        if end_token is not None:
            beam.end(token == end_token)
            if bool(ops.all(beam.ended)):
                break

    scores, order = ops.top_k(beam.scores(), beam_width)
    rows = ops.reshape(rows, (*scores.shape, length))
    rows = ops.take_along_axis(rows, order[..., None], axis=1)
    return rows, scores


class _Beam:
    """What is known of the W rows of each of B beams, as tensors (B, W).

    total: sum of log p of the new tokens of a row
    new: number of its new tokens
    ended: whether it has ended
    """

    def __init__(self, B: int, W: int, length_penalty: float) -> None:
        self.shape = B, W
        self.length_penalty = length_penalty
        # At first all rows of a beam are alike, so only one of them may grow.
        is_first = ops.arange(W) == 0
        zeros = ops.zeros((B, W))
        self.total = ops.where(is_first, zeros, _NEVER)
        self.new = zeros
        self.ended = ops.zeros((B, W), "bool")

    def grow(self, logits):
        """(parent, token) of the best continuations, each (B, W), for logits (B W, V).

        Row w of a beam becomes row parent[w] with token[w] appended.
        """
        B, W = self.shape
        V = logits.shape[-1]
        log_p = ops.log_softmax(ops.cast(logits, "float32"))
        log_p = ops.reshape(log_p, (B, W, V))

        # A row that has ended has one continuation, which costs nothing.
        is_continuation = ops.arange(V) == 0
        stay = ops.where(is_continuation, 0.0, _NEVER)
        log_p = ops.where(self.ended[..., None], stay, log_p)
        total = self.total[..., None] + log_p  # B W V
        new = ops.where(self.ended, self.new, self.new + 1)

        # The W best of all W V continuations of a beam.
        scores = total / self._penalty(new)[..., None]
        scores = ops.reshape(scores, (B, W * V))
        total = ops.reshape(total, (B, W * V))
        _, best = ops.top_k(scores, W)
        parent = best // V
        token = best % V
        self.total = ops.take_along_axis(total, best, axis=1)
        self.new = ops.take_along_axis(new, parent, axis=1)
        self.ended = ops.take_along_axis(self.ended, parent, axis=1)
        return parent, token

    def end(self, has_end_token):
        """Marks the rows (B, W) that have just got the end token."""
        self.ended = ops.logical_or(self.ended, has_end_token)

    def scores(self):
        """The scores (B, W) of the rows."""
        return self.total / self._penalty(self.new)

    def _penalty(self, new):
        return ((5 + new) / 6) ** self.length_penalty


def _repeated(nest, W):
    """Every tensor (B, ...) of a nest as (B W, ...), each of its rows W times."""

    def repeat(x):
        return None if x is None else ops.repeat(x, W, axis=0)

    return keras.tree.map_structure(repeat, nest)


def _of_parents(nest, parent):
    """Every tensor (B W, ...) of a nest, with the rows of the parents (B, W)."""
    B, W = parent.shape
    first_rows = W * ops.arange(B, dtype=parent.dtype)
    rows = first_rows[:, None] + parent
    rows = ops.reshape(rows, (-1,))

    def take(x):
        return None if x is None else ops.take(x, rows, axis=0)

    return keras.tree.map_structure(take, nest)
