"""Decoders: trained networks that write, one token at a time, with what they know.

A decoder is a function decoder(prompt or source, length) that returns (next_logits,
state), as custom_layers.generation wants them. It uses the trained layers, so that it
gives the logits of training. What kind of decoder a model needs, its layers tell.
"""

import functools
import math
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from cookbook.data.text.sums import END, START
from custom_layers.generation import compiled, greedy_search
from custom_layers.layers import (
    GRU,
    LSTM,
    AttentionDecoderCell,
    MinGRU,
    TransformerDecoderBlock,
)


def rounded_up(length: int) -> int:
    """The next power of two, from 32 on. Arrays of few sizes need few programs."""
    return max(32, 2 ** math.ceil(math.log2(length)))


def character_decoder(model: keras.Model) -> Callable:
    """The decoder of a language model: of transformer blocks or of recurrent layers."""
    if _is_transformer(model):
        return decoder_with_caches(model)
    return decoder_with_states(model)


def translation_decoder(model: keras.Model) -> Callable:
    """The decoder of a translation: a transformer, or a GRU that attends."""
    if _is_transformer(model):
        return translator_with_caches(model)
    return translator_with_states(model)


def _is_transformer(model: keras.Model) -> bool:
    """Whether a model has blocks that keep keys and values in a cache."""
    return any(isinstance(layer, TransformerDecoderBlock) for layer in model.layers)


def decoder_with_caches(model: keras.Model) -> Callable:
    """A function (prompt, length) -> (next_logits, caches) that generates with `model`.

    It uses the trained layers, but a block computes the newest tokens only, because its
    cache holds the keys and values of all tokens before them.
    """

    blocks = [x for x in model.layers if isinstance(x, TransformerDecoderBlock)]

    def run(tokens, index, caches):
        """(logits at the last of the tokens, the first of which stands at index)."""
        x, old, new = tokens, iter(caches), []
        for layer in model.layers[1:]:
            if isinstance(layer, TransformerDecoderBlock):
                x, cache = layer.step(x, next(old), index)
                new.append(cache)
            else:
                x = layer(x)
        return x[:, -1], new  # (B, alphabet), caches

    @compiled
    def next_logits(tokens, index, caches):
        newest = ops.take(tokens, index, axis=1)[:, None]  # B, 1
        return run(newest, index, caches)

    read = compiled(run)

    def begin(prompt, length):
        caches = [block.empty_cache(len(prompt), length) for block in blocks]
        before = prompt.shape[1] - 1
        if before:  # read all of the prompt but its last token
            # One program reads prompts of all lengths. No token sees the padding behind
            # the prompt before other tokens are written over it.
            tokens = np.pad(prompt[:, :-1], [(0, 0), (0, length - before)])
            _, caches = read(tokens, 0, caches)
        return next_logits, caches

    return begin


def decoder_with_states(model: keras.Model) -> Callable:
    """A function (prompt, length) -> (next_logits, states) that generates with `model`.

    It uses the cells of the trained layers. Their states hold all that was read so far.
    """
    recurrent = [x for x in model.layers if isinstance(x, LSTM | GRU | MinGRU)]

    @compiled
    def next_logits(tokens, index, states):
        x = ops.convert_to_tensor(tokens)[:, index]  # B
        old, new = iter(states), []
        for layer in model.layers[1:]:
            if layer in recurrent:
                x, state = layer.cell(x, next(old))
                new.append(state)
            else:
                x = layer(x)
        return x, new  # (B, alphabet), states

    def begin(prompt, length):
        states = [x.cell.get_initial_state(len(prompt)) for x in recurrent]
        states = [x if isinstance(x, list) else [x] for x in states]
        for index in range(prompt.shape[1] - 1):  # read all but the last token
            _, states = next_logits(prompt[:, index : index + 1], 0, states)
        return next_logits, states

    return begin


def translator_with_caches(model: keras.Model) -> Callable:
    """A function (source, length) -> (next_logits, caches) that translates by it.

    It uses the trained layers, but a block computes the newest token only, because its
    cache holds the keys and values of all tokens before it and of the source.
    """
    encoder = keras.Model(model.inputs[0], model.get_layer("memory").output)
    blocks = [x for x in model.layers if isinstance(x, TransformerDecoderBlock)]
    embedding = model.get_layer("embedding")
    scale = model.get_layer("scale")
    normalize = model.get_layer("last")

    @functools.partial(compiled, any_size=True)
    def next_logits(tokens, index, caches):
        newest = ops.take(tokens, index, axis=1)[:, None]  # B, 1
        x = scale(embedding(newest))  # B, 1, width
        new_caches = []
        for block, cache in zip(blocks, caches):
            x, new_cache = block.step(x, cache, index)
            new_caches.append(new_cache)
        logits = embedding(normalize(x)[:, 0], reverse=True)  # B, subwords
        return logits, new_caches

    def begin(source, length):
        source = ops.convert_to_tensor(source)
        memory = encoder(source, training=False)
        mask = ops.not_equal(source, 0)
        count = source.shape[0]
        caches = [block.empty_cache(count, length, memory, mask) for block in blocks]
        return next_logits, caches

    return begin


def translator_with_states(model: keras.Model) -> Callable:
    """A function (source, length) -> (next_logits, state) that translates with `model`.

    It uses the cell of the trained decoder. The memory that the cell attends to is part
    of the state, so that a beam search can repeat it for each beam.
    """
    memory_and_state = [model.get_layer(name).output for name in ("memory", "state")]
    encoder = keras.Model(model.inputs[0], memory_and_state)
    embedding, scale = model.get_layer("embedding"), model.get_layer("scale")
    cell = model.get_layer("decoder").cell

    @functools.partial(compiled, any_size=True)
    def next_logits(tokens, index, state):
        x = scale(embedding(ops.take(tokens, index, axis=1)))  # B, width
        with cell.attend_to(state["memory"], state["mask"]):
            y, states = cell(x, state["states"])
        return embedding(y, reverse=True), {**state, "states": states}

    def begin(source, length):
        source = ops.convert_to_tensor(source)
        memory, h = encoder(source, training=False)
        states = [h, *cell.get_initial_state(source.shape[0])[1:]]
        mask = ops.not_equal(source, 0)
        return next_logits, {"memory": memory, "mask": mask, "states": states}

    return begin


def attention_to_source(
    model: keras.Model, decoder: Callable, source: np.ndarray, before: np.ndarray
) -> np.ndarray:
    """The shares (B, T, S) of the source (B, S) that a translator attends to.

    model: has layers named embedding, scale and decoder, whose cell attends.
    decoder: decoder(model) returns its decoder, as `translator_with_states` does.
    before: the token before each place of the translation (B, T).
    """
    embedding = model.get_layer("embedding")
    scale = model.get_layer("scale")
    cell = model.get_layer("decoder").cell

    steps = before.shape[1]
    begin = decoder(model)
    next_logits, state = begin(source, steps)
    maps = []
    for index in range(steps):
        newest = before[:, index]
        x = scale(embedding(newest))
        with cell.attend_to(state["memory"], state["mask"]):
            shares = cell.attention_weights(x, state["states"])
        maps.append(ops.convert_to_numpy(shares))  # torch refuses to stack them
        _, state = next_logits(before, index, state)
    return np.array(maps).swapaxes(0, 1)


def answer_sums(
    model: keras.Model, question: np.ndarray, length: int
) -> tuple[np.ndarray, np.ndarray]:
    """The answers (B, length) to questions (B, S), and the attention (T, B, S).

    The trained cell is fed with the characters that it has written itself. Without
    attention, the second array is empty.
    """
    embedding = model.get_layer("embedding")
    cell = model.get_layer("decoder").cell
    logits = model.get_layer("logits")
    encoder = keras.Model(model.inputs[0], model.get_layer("encoder").output)
    memory = encoder(question, training=False)
    mask = ops.not_equal(question, 0)
    attends = isinstance(cell, AttentionDecoderCell)
    attention = []

    def next_logits(tokens, index, states):
        x = embedding(tokens[:, index])  # B, 32
        if not attends:
            y, states = cell(x, states)
            return logits(y), states
        with cell.attend_to(memory, mask):
            shares = cell.attention_weights(x, states)
            attention.append(ops.convert_to_numpy(shares))
            y, states = cell(x, states)
        return logits(y), states

    count = len(question)
    states = [memory[:, -1]]
    if attends:
        states += cell.get_initial_state(count)[1:]
    tokens = greedy_search(
        next_logits,
        prompt=np.full((count, 1), START),
        length=length + 1,
        end_token=END,
        state=states,
    )
    return np.array(tokens)[:, 1:], np.array(attention)
