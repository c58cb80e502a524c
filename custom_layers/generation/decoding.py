"""Greedy decoding and sampling, with a function that rates the next token.

That function is `next_logits(tokens, index, state) -> (logits, state)`: tokens (B, L)
hold what is known up to and including `index` (an integer), and padding after it;
logits (B, V) rate the token at index + 1. `state` is what the function carries from
call to call: a nest of tensors whose first axis is the batch, such as a key/value cache
that holds the prompt except its last token, or None.

Python repeats that function. If it is `compiled`, the whole loop is one program.
"""

import dataclasses
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ..common.checks import minus_infinity, positive_integer
from .compiled import _run_whole
from .loops import _repeat


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

    options = _choice_and_ends(_most_likely, end_token, pad_token)
    tokens, known = _padded_prompt(prompt, length, pad_token)
    tokens, _ = _run_whole(
        _grow, next_logits, known - 1, tokens, state, 0, {}, **options
    )
    return tokens


def sample(
    next_logits: Callable,
    prompt: Any,
    length: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    suppress_tokens: Sequence[int] = (),
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
        suppress_tokens: tokens that are never drawn.
        seed: integer that makes the draws repeatable, or a generator to go on with.

    Returns: tokens (B, length).
    Raises: ValueError for a temperature, top_k or top_p outside its range, and as
    `greedy_search`.

    >>> def next_logits(tokens, index, state):
    ...     return keras.ops.array([[0.0, 5.0, 4.0, 3.0]]), state
    >>> tokens = sample(next_logits, [[0]], length=50, top_k=2, seed=1)
    >>> sorted(set(tokens.numpy()[0, 1:].tolist()))  # both of the likely tokens
    [1, 2]
    >>> cold = sample(next_logits, [[0]], length=5, temperature=0.01, seed=1)
    >>> cold.numpy().tolist()  # the most likely token alone
    [[0, 1, 1, 1, 1]]

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
    generator = seed
    if not isinstance(generator, keras.random.SeedGenerator):
        generator = keras.random.SeedGenerator(seed)
    suppressed = tuple(int(token) for token in suppress_tokens)
    draw = _Draw(top_k, suppressed, generator)
    options = _choice_and_ends(draw, end_token, pad_token)
    tokens, known = _padded_prompt(prompt, length, pad_token)
    shape = {"temperature": temperature, "top_p": top_p}
    luck = generator.state.value * 1  # a copy
    tokens, luck = _run_whole(
        _grow, next_logits, known - 1, tokens, state, luck, shape, **options
    )
    generator.state.assign(luck)
    return tokens


def _choice_and_ends(choose, end_token, pad_token):
    """The options of `_grow`."""
    end_token = None if end_token is None else int(end_token)
    return {"choose": choose, "end_token": end_token, "pad_token": int(pad_token)}


def _most_likely(logits, luck):
    return ops.argmax(logits, axis=-1), luck


@dataclasses.dataclass(frozen=True)
class _Draw:
    """A draw of the next token; `sample` has the options.

    generator: draws with the seed that it is given, not with its own.
    """

    top_k: int | None
    suppressed: tuple[int, ...]
    generator: keras.random.SeedGenerator = dataclasses.field(compare=False)

    def __call__(self, logits, luck, temperature, top_p):
        """(token, luck for the next one) for logits (B, V)."""
        V = logits.shape[-1]
        for token in self.suppressed:
            lowest = minus_infinity(logits.dtype)
            logits = ops.where(ops.arange(V) == token, lowest, logits)
        k = V if self.top_k is None else min(self.top_k, V)
        values, tokens = ops.top_k(logits, k)  # the most likely first
        values = ops.cast(values, "float32") / temperature
        if top_p is not None and k > 1:
            p = ops.softmax(values)
            sum_before = ops.cumsum(p, axis=-1) - p
            values = ops.where(sum_before < top_p, values, -float("inf"))
        state = self.generator.state
        luck = ops.reshape(luck, state.shape)
        with keras.StatelessScope([(state, luck)]) as scope:
            drawn = keras.random.categorical(values, 1, seed=self.generator)
        chosen = ops.take_along_axis(tokens, drawn, axis=-1)
        return chosen[:, 0], scope.get_current_value(state)


def _grow(
    next_logits, index, tokens, state, luck, shape, *, choose, end_token, pad_token
):
    """(rows of tokens that grow by choose(logits, luck, **shape), the luck left)."""
    B, L = ops.shape(tokens)

    def goes_on(index, tokens, ended, state, luck):
        is_short = index < L - 1
        if end_token is None:
            return is_short
        have_ended = ops.all(ended)
        return ops.logical_and(is_short, ops.logical_not(have_ended))

    def step(index, tokens, ended, state, luck):
        logits, state = next_logits(tokens, index, state)
        chosen, luck = choose(logits, luck, **shape)
        chosen = ops.cast(chosen, "int32")
        token = ops.where(ended, pad_token, chosen)
        tokens = _with_token(tokens, index + 1, token)
        if end_token is not None:
            ended = ops.logical_or(ended, token == end_token)
        return index + 1, tokens, ended, state, luck

    ended = ops.zeros((B,), "bool")
    found = _repeat(goes_on, step, (index, tokens, ended, state, luck))
    return found[1], found[-1]


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
