"""Decoding: greedy, sampling and beam search over a function that rates next tokens.

That function is `next_logits(tokens, index, state) -> (logits, state)`: tokens (B, L)
are what is known up to and including `index` (an integer) and padding behind it; logits
(B, V) rate the token at index + 1. `state` is whatever it carries from call to call, a
nest of tensors with the batch first (a key/value cache that holds the prompt up to its
last token, say), or None.
"""

import keras
from keras import ops

_IMPOSSIBLE = -1e9


def greedy_search(
    next_logits, prompt, length, *, end_token=None, pad_token=0, state=None
):
    """The most likely token at every step: (B, P) prompt -> (B, length) tokens.

    tokens[t + 1] = argmax(logits[t]); behind `end_token` a row is padded, and when all
    rows have ended, the search does.

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
    next_logits,
    prompt,
    length,
    *,
    temperature=1.0,
    top_k=None,
    top_p=None,
    end_token=None,
    pad_token=0,
    state=None,
    seed=None,
):
    """Tokens drawn from softmax(logits / temperature), the unlikely ones left out.

    Args:
        temperature: below 1 sharper, above 1 flatter; towards 0 it is `greedy_search`.
        top_k: only the k most likely tokens.
        top_p: only the most likely tokens that together have at least this probability
            (after top_k): the first of them always, the next while the sum is below.
        seed: an integer or a keras.random.SeedGenerator.

    >>> def uniform(tokens, index, state):
    ...     return keras.ops.zeros((2, 9)), state
    >>> sample(uniform, [[1], [2]], length=7, top_k=3, seed=1).shape
    TensorShape([2, 7])

    Paper: Holtzman et al., "The curious case of neural text degeneration", 2019.
    https://arxiv.org/abs/1904.09751
    """
    _check_range("temperature", temperature, temperature > 0, "a positive number")
    _check_range("top_k", top_k, top_k is None or top_k >= 1, "at least 1, or None")
    _check_range("top_p", top_p, top_p is None or 0 < top_p <= 1, "in (0, 1], or None")
    is_generator = isinstance(seed, keras.random.SeedGenerator)
    seed = seed if is_generator else keras.random.SeedGenerator(seed)

    def choose(logits):
        size = logits.shape[-1]
        values, tokens = ops.top_k(logits, size if top_k is None else min(top_k, size))
        values = ops.cast(values, "float32") / temperature
        if top_p is not None:
            p = ops.softmax(values)
            before = ops.cumsum(p, axis=-1) - p
            values = ops.where(before < top_p, values, _IMPOSSIBLE)
        drawn = keras.random.categorical(values, 1, seed=seed)
        return ops.take_along_axis(tokens, drawn, axis=-1)[:, 0]

    return _generate(next_logits, prompt, length, choose, end_token, pad_token, state)


def beam_search(
    next_logits,
    prompt,
    length,
    *,
    beam_width=4,
    length_penalty=0.0,
    end_token=None,
    pad_token=0,
    state=None,
):
    """The likeliest continuations, best first: (B, beam_width, length), and scores.

    score = sum(log p(token)) / ((5 + n) / 6)^length_penalty   over n new tokens
    Every step keeps the beam_width best of all continuations of the kept ones; a row
    that has ended stays as it is and competes on. `next_logits` sees B * beam_width
    rows, and its state is repeated and reordered with them.

    Args:
        beam_width: 1 is `greedy_search`.
        length_penalty: 0 prefers short rows; the paper takes 0.6 to 1.

    >>> def successor(tokens, index, state):
    ...     return 3.0 * keras.ops.one_hot((tokens[:, index] + 1) % 5, 5), state
    >>> tokens, scores = beam_search(successor, [[1]], length=4, beam_width=2)
    >>> print(tokens[0, 0].numpy())
    [1 2 3 4]

    Paper: Wu et al., "Google's neural machine translation system", 2016.
    https://arxiv.org/abs/1609.08144
    """
    _check_range("beam_width", beam_width, beam_width >= 1, "at least 1")
    tokens, known = _start(prompt, length, pad_token)
    options = beam_width, length_penalty, end_token, pad_token
    return _search(next_logits, tokens, range(known - 1, length - 1), state, *options)


def _search(next_logits, tokens, steps, state, W, length_penalty, end_token, pad_token):
    B, length = tokens.shape
    rows, state = _map(lambda x: ops.repeat(x, W, axis=0), (tokens, state))
    total = ops.where(ops.arange(W) == 0, ops.zeros((B, W)), _IMPOSSIBLE)
    new, ended = ops.zeros((B, W)), ops.zeros((B, W), "bool")
    for index in steps:
        logits, state = next_logits(rows, index, state)
        log_p = ops.reshape(ops.log_softmax(ops.cast(logits, "float32")), (B, W, -1))
        V = log_p.shape[-1]
        stay = ops.where(ops.arange(V) == 0, 0.0, _IMPOSSIBLE)  # its one continuation
        total = ops.expand_dims(total, -1) + ops.where(ended[..., None], stay, log_p)
        new = ops.where(ended, new, new + 1)
        ranked = total / _penalty(new, length_penalty)[..., None]
        _, best = ops.top_k(ops.reshape(ranked, (B, W * V)), W)
        total = ops.take_along_axis(ops.reshape(total, (B, W * V)), best, axis=1)
        parent = best // V
        new, ended = (ops.take_along_axis(x, parent, axis=1) for x in (new, ended))
        token = ops.where(ended, pad_token, best % V)
        row = ops.reshape(
            parent + W * ops.arange(B, dtype=parent.dtype)[:, None], (-1,)
        )
        rows, state = _map(lambda x, row=row: ops.take(x, row, axis=0), (rows, state))
        rows = _put(rows, index + 1, ops.reshape(token, (-1,)))
        if end_token is not None:
            ended = ops.logical_or(ended, token == end_token)
            if bool(ops.all(ended)):
                break
    scores, order = ops.top_k(total / _penalty(new, length_penalty), W)
    rows = ops.reshape(rows, (B, W, length))
    return ops.take_along_axis(rows, order[..., None], axis=1), scores


def _map(function, nest):
    return keras.tree.map_structure(lambda x: x if x is None else function(x), nest)


def _generate(next_logits, prompt, length, choose, end_token, pad_token, state):
    tokens, known = _start(prompt, length, pad_token)
    ended = ops.zeros(tokens.shape[:1], "bool")
    for index in range(known - 1, length - 1):
        logits, state = next_logits(tokens, index, state)
        token = ops.where(ended, pad_token, ops.cast(choose(logits), "int32"))
        tokens = _put(tokens, index + 1, token)
        if end_token is not None:
            ended = ops.logical_or(ended, token == end_token)
            if bool(ops.all(ended)):
                break
    return tokens


def _start(prompt, length, pad_token):
    """The prompt padded to `length`, and how long it was."""
    prompt = ops.cast(ops.convert_to_tensor(prompt), "int32")
    shape = prompt.shape
    _check_range("prompt", tuple(shape), len(shape) == 2 and shape[1] > 0, "(B, P > 0)")
    _check_range("length", length, length >= shape[1], f"at least {shape[1]}, P")
    padding = [(0, 0), (0, length - shape[1])]
    return ops.pad(prompt, padding, constant_values=pad_token), shape[1]


def _put(tokens, index, token):
    token = ops.expand_dims(ops.cast(token, tokens.dtype), -1)
    return ops.slice_update(tokens, (0, index), token)


def _penalty(new, length_penalty):
    return ((5 + new) / 6) ** length_penalty


def _check_range(name, value, is_valid, expected):
    if not is_valid:
        raise ValueError(f"Invalid `{name}`: got {value}, expected {expected}.")
