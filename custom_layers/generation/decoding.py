"""Greedy decoding and sampling, with a function that rates the next token.

That function is `next_logits(tokens, index, state) -> (logits, state)`: tokens (B, L)
hold what is known up to and including `index` (an integer), and padding after it;
logits (B, V) rate the token at index + 1. `state` is what the function carries from
call to call: a nest of tensors whose first axis is the batch, such as a key/value cache
that holds the prompt except its last token, or None.
"""

import numbers
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from ..common.checks import positive_integer


def greedy_search(
    next_logits: Callable,
    prompt: Any,
    length: int,
    *,
    end_token: int | None = None,
    pad_token: int = 0,
    state: Any = None,
) -> Any:
    """Greedy decoding: the most likely token at every step.

    tokens[t + 1] = argmax(logits[t])

    Args:
        next_logits: function that rates the next token, see this module's docstring.
        prompt: tokens (B, P).
        length: number of tokens of a row in the end, those of the prompt included.
        end_token: token after which a row is padded; the search ends with the last row.
        pad_token: token of the padding.
        state: first state of `next_logits`.

    Returns: tokens (B, length).
    Raises: ValueError for a prompt that is not an array of integers (B, P > 0), or a
    length that is not an integer of at least P.

    >>> def successor(tokens, index, state):
    ...     return keras.ops.one_hot((tokens[:, index] + 1) % 5, 5), state
    >>> print(greedy_search(successor, [[1], [3]], length=4, end_token=4).numpy())
    [[1 2 3 4]
     [3 4 0 0]]
    """

    def choose(logits):
        return ops.argmax(logits, axis=-1)

    return _generate(next_logits, prompt, length, choose, end_token, pad_token, state)


def sample(
    next_logits: Callable,
    prompt: Any,
    length: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    end_token: int | None = None,
    pad_token: int = 0,
    state: Any = None,
    seed: int | keras.random.SeedGenerator | None = None,
) -> Any:
    """Sampling: tokens drawn from softmax(logits / temperature), without unlikely ones.

    Args:
        next_logits, prompt, length, end_token, pad_token, state: see `greedy_search`.
        temperature: below 1 the choice is sharper, above 1 flatter; near 0 this is
            `greedy_search`.
        top_k: number of most likely tokens to draw from; None for all.
        top_p: probability that the most likely tokens to draw from have together, after
            top_k: the first of them always counts, the next while the sum is below.
        seed: integer that makes the draws repeatable, or a generator to go on with.

    Returns: tokens (B, length).
    Raises: ValueError for a temperature, top_k or top_p outside its range, and as
    `greedy_search`.

    >>> def uniform(tokens, index, state):
    ...     return keras.ops.zeros((2, 9)), state
    >>> sample(uniform, [[1], [2]], length=7, top_k=3, seed=1).shape
    TensorShape([2, 7])

    Paper: Holtzman et al., "The curious case of neural text degeneration", 2019.
    https://arxiv.org/abs/1904.09751
    """
    is_positive = isinstance(temperature, numbers.Real) and temperature > 0
    advice = "a positive number; for the most likely tokens call `greedy_search`"
    _check_range("temperature", temperature, is_positive, advice)
    # A smaller number is 0 in float32 and would give NaN.
    temperature = max(float(temperature), 1e-30)
    top_k = None if top_k is None else positive_integer(top_k, "top_k")
    _check_range("top_p", top_p, top_p is None or 0 < top_p <= 1, "in (0, 1], or None")
    if isinstance(seed, numbers.Integral):
        # Keras refuses NumPy's integers.
        seed = int(seed)
    if not isinstance(seed, keras.random.SeedGenerator):
        seed = keras.random.SeedGenerator(seed)

    def choose(logits):
        size = logits.shape[-1]
        k = size if top_k is None else min(top_k, size)
        values, tokens = ops.top_k(logits, k)  # the most likely first
        values = ops.cast(values, "float32") / temperature
        if top_p is not None and k > 1:
            p = ops.softmax(values)
            sum_before = ops.cumsum(p, axis=-1) - p
            values = ops.where(sum_before < top_p, values, -float("inf"))
        drawn = keras.random.categorical(values, 1, seed=seed)
        return ops.take_along_axis(tokens, drawn, axis=-1)[:, 0]

    return _generate(next_logits, prompt, length, choose, end_token, pad_token, state)


def _generate(next_logits, prompt, length, choose, end_token, pad_token, state):
    """Rows of tokens that grow by choose(logits), one token per step."""
    tokens, known = _padded_prompt(prompt, length, pad_token)
    ended = ops.zeros(tokens.shape[:1], "bool")
    for index in range(known - 1, length - 1):
        logits, state = next_logits(tokens, index, state)
        chosen = ops.cast(choose(logits), "int32")
        token = ops.where(ended, pad_token, chosen)
        tokens = _with_token(tokens, index + 1, token)
        if end_token is not None:
            ended = ops.logical_or(ended, token == end_token)
            if bool(ops.all(ended)):
                break
    return tokens


def _padded_prompt(prompt, length, pad_token):
    """(the prompt padded to `length`, the number of its tokens)."""
    is_nest = isinstance(prompt, list | tuple)
    prompt = _array_of_rows(prompt) if is_nest else prompt
    prompt = ops.convert_to_tensor(prompt)
    dtype = keras.backend.standardize_dtype(prompt.dtype)
    shape = tuple(prompt.shape)
    is_batch = len(shape) == 2 and shape[1] > 0
    _check_range("prompt", shape, is_batch, "(B, P > 0)")
    _check_range("prompt", dtype, keras.backend.is_int_dtype(dtype), "integers")
    known = shape[1]
    is_enough = isinstance(length, numbers.Integral) and length >= known
    _check_range("length", length, is_enough, f"an integer of at least {known}, P")
    padding = [(0, 0), (0, int(length) - known)]
    prompt = ops.cast(prompt, "int32")
    return ops.pad(prompt, padding, constant_values=pad_token), known


def _array_of_rows(prompt):
    """A prompt that is a list of rows, which may be lists, arrays or tensors."""
    rows = [ops.convert_to_numpy(row) for row in prompt]
    shapes = sorted({row.shape for row in rows})
    _check_range("prompt", shapes, len(shapes) <= 1, "rows of one length")
    return np.stack(rows) if rows else np.zeros((0,), "int32")


def _with_token(tokens, index, token):
    """The rows of tokens (B, L), with `token` (B,) at `index`."""
    token = ops.expand_dims(ops.cast(token, tokens.dtype), -1)
    return ops.slice_update(tokens, (0, index), token)


def _check_range(name, value, is_valid, expected):
    if not is_valid:
        raise ValueError(f"Invalid `{name}`: got {value}, expected {expected}.")
