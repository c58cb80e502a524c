"""Layers, schedules and losses of a plain script that Keras lacks."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops


class GlobalMaxPooling1D(keras.layers.Layer):
    """The maximum over all steps that the mask shows; Keras's class ignores a mask."""

    def call(self, inputs, mask):
        return ops.max(ops.where(ops.expand_dims(mask, -1), inputs, -1e9), axis=1)


class BigramEmbedding(keras.layers.Layer):
    """A vector for each pair of neighbouring tokens, which hashing finds in a table."""

    def __init__(self, buckets: int, features: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.table = keras.layers.Embedding(buckets, features)

    def call(self, ids):
        following = ops.pad(ids[:, 1:], [[0, 0], [0, 1]])
        y = self.table((40503 * ids + following) % self.buckets)
        return ops.where(ops.expand_dims(ids != 0, -1), y, 0.0)


def WarmupCosine(
    peak: float, steps: int, warmup: float = 0.1
) -> keras.optimizers.schedules.CosineDecay:
    """A learning rate that rises in a straight line and falls along half a cosine."""
    rise = int(warmup * steps)
    return keras.optimizers.schedules.CosineDecay(
        peak / 20, steps - rise, warmup_target=peak, warmup_steps=rise
    )


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises and falls along half a cosine each."""

    def __init__(self, peak: float, steps: int, pct_start: float = 0.3) -> None:
        self.peak, self.up, self.steps = peak, pct_start * steps - 1, steps

    def __call__(self, step):
        t = ops.cast(step, "float32")
        down = ops.minimum((t - self.up) / (self.steps - 1 - self.up), 1)
        rise = 0.52 - 0.48 * ops.cos(math.pi * t / self.up)
        fall = 0.5 + 0.5 * ops.cos(math.pi * down)
        return self.peak * ops.where(t < self.up, rise, fall)


class RotaryAttention(keras.layers.Layer):
    """Multi-head attention; the positions turn the queries and keys, if `rotary`."""

    def __init__(self, heads: int, rotary: bool = True) -> None:
        super().__init__()
        self.heads, self.rotary = heads, rotary

    def build(self, shape: tuple) -> None:
        D, N = shape[-1], self.heads
        make = keras.layers.EinsumDense
        self.split = [
            make("btd,dnh->btnh", (None, N, D // N), bias_axes="nh") for _ in range(3)
        ]
        self.merge = make("btnh,nhd->btd", (None, D), bias_axes="d")

    def call(self, x, memory=None, mask=None, causal: bool = False):
        memory = x if memory is None else memory
        q, k, v = (f(y) for f, y in zip(self.split, (x, memory, memory)))
        if self.rotary:
            q, k = turned(q), turned(k)
        mask = None if mask is None else mask[:, None, None]
        y = ops.dot_product_attention(q, k, v, mask=mask, is_causal=causal)
        return self.merge(y)


def turned(x):
    """Turns pairs of features by an angle for each position: x (B, T, heads, H)."""
    half = x.shape[-1] // 2
    speed = 10_000.0 ** (-ops.arange(half, dtype="float32") / half)
    angle = ops.arange(ops.shape(x)[1], dtype="float32")[:, None, None] * speed
    first, second = ops.split(x, 2, axis=-1)
    cos, sin = ops.cos(angle), ops.sin(angle)
    return ops.concatenate([first * cos - second * sin, second * cos + first * sin], -1)


class EncoderBlock(keras.layers.Layer):
    """x + attention(norm(x)), then x + feed_forward(norm(x))."""

    def __init__(self, hidden: int, heads: int, features: int) -> None:
        super().__init__()
        self.attention = keras.layers.MultiHeadAttention(heads, features // heads)
        self.norms = [keras.layers.LayerNormalization(epsilon=1e-5) for _ in range(2)]
        self.expand = keras.layers.Dense(hidden, "relu")
        self.contract = keras.layers.Dense(features)

    def call(self, x, mask):
        y = self.norms[0](x)
        x = x + self.attention(y, y, attention_mask=ops.expand_dims(mask, 1))
        return x + self.contract(self.expand(self.norms[1](x)))


class CausalBlock(keras.layers.Layer):
    """x + attention(norm(x)), then x + feed_forward(norm(x)); it looks back only."""

    def __init__(self, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.hidden, self.attention = hidden, RotaryAttention(heads)
        self.dropout = keras.layers.Dropout(dropout)

    def build(self, shape: tuple) -> None:
        make = keras.layers
        self.norms = [make.LayerNormalization(epsilon=1e-5) for _ in range(2)]
        self.expand, self.contract = (
            make.Dense(self.hidden, "relu"),
            make.Dense(shape[-1]),
        )

    def call(self, x):
        x = x + self.dropout(self.attention(self.norms[0](x), causal=True))
        return x + self.dropout(self.contract(self.expand(self.norms[1](x))))


class TransformerEncoderBlock(keras.layers.Layer):
    """x + attention(norm(x)), then x + feed_forward(norm(x)), with positions."""

    def __init__(self, hidden: int, heads: int, dropout: float, **options: Any) -> None:
        super().__init__()
        self.hidden, self.attention = hidden, RotaryAttention(heads)
        self.source_attention = RotaryAttention(heads, rotary=False)
        self.dropout = keras.layers.Dropout(dropout)

    def build(self, shape: tuple) -> None:
        make = keras.layers
        self.norms = [make.LayerNormalization(epsilon=1e-5) for _ in range(3)]
        self.expand, self.contract = (
            make.Dense(self.hidden, "relu"),
            make.Dense(shape[-1]),
        )

    def call(self, x, mask=None):
        x = x + self.dropout(self.attention(self.norms[0](x), mask=mask))
        return x + self.dropout(self.contract(self.expand(self.norms[1](x))))


class TransformerDecoderBlock(TransformerEncoderBlock):
    """A block that looks back only, and at a source."""

    def call(self, x, source, source_mask=None):
        x = x + self.dropout(self.attention(self.norms[0](x), causal=True))
        y = self.source_attention(self.norms[2](x), source, source_mask)
        x = x + self.dropout(y)
        return x + self.dropout(self.contract(self.expand(self.norms[1](x))))


class AttentionDecoderCell(keras.layers.Layer):
    """A cell that reads a memory through attention; its output is tanh([context, h] W).

    "bahdanau" attends before the step and feeds the context to the cell; "luong"
    attends after it and feeds the output of the step before.
    """

    def __init__(self, cell: keras.layers.Layer, attention: str = "bahdanau") -> None:
        super().__init__()
        self.cell, self.attention = cell, attention
        self.output_size = U = cell.units
        self.state_size = [U] if attention == "bahdanau" else [U, U]
        self.keys = keras.layers.Dense(U, use_bias=False)
        self.query = keras.layers.Dense(U, use_bias=False)
        self.score = keras.layers.Dense(1, use_bias=False)
        self.output_layer = keras.layers.Dense(U, "tanh", use_bias=False)

    def build(self, shape: tuple, memory_shape: tuple) -> None:
        M, U = memory_shape[-1], self.output_size
        fed = M if self.attention == "bahdanau" else U
        self.cell.build((None, shape[-1] + fed))
        self.keys.build((None, M))
        self.query.build((None, U))
        self.score.build((None, U))
        self.output_layer.build((None, M + U))

    def call(self, x, states):
        if self.attention == "bahdanau":
            context = self.attend(states[0])
            h, _ = self.cell(ops.concatenate([x, context], -1), states)
            return self.output_layer(ops.concatenate([context, h], -1)), [h]
        h, _ = self.cell(ops.concatenate([x, states[1]], -1), states[:1])
        a = self.output_layer(ops.concatenate([self.attend(h), h], -1))
        return a, [h, a]

    def attend(self, h):
        memory, mask = self.memory
        keys = self.keys(memory)  # B, S, U
        if self.attention == "bahdanau":
            scores = self.score(ops.tanh(keys + self.query(h)[:, None]))[..., 0]
        else:
            scores = ops.einsum("bu,bsu->bs", h, keys)
        shares = ops.softmax(ops.where(mask, scores, -1e9))
        return ops.einsum("bs,bsm->bm", shares, memory)


class AttentionDecoder(keras.layers.RNN):
    """Runs an AttentionDecoderCell over target sequences."""

    def build(self, sequences_shape: tuple, memory_shape: tuple) -> None:
        self.cell.build(sequences_shape, memory_shape)

    def call(self, sequences, memory, initial_state=None, memory_mask=None):
        self.cell.memory = memory, memory_mask
        missing = len(self.cell.state_size) - len(initial_state)
        zeros = [ops.zeros_like(initial_state[0])] * missing
        return super().call(sequences, initial_state=[*initial_state, *zeros])


def TokenCrossentropy(smoothing: float):
    """Cross-entropy with label smoothing, averaged over all tokens but the padding."""

    def loss(y, logits):
        truth = ops.one_hot(y, logits.shape[-1])
        truth = truth * (1 - smoothing) + smoothing / logits.shape[-1]
        losses = ops.categorical_crossentropy(truth, logits, from_logits=True)
        is_token = ops.cast(y != 0, losses.dtype)
        return ops.sum(losses * is_token) / ops.sum(is_token)

    return loss


def token_accuracy(y, logits):
    """The share of the tokens, padding left out, that are predicted."""
    is_token = ops.cast(y != 0, "float32")
    is_right = ops.cast(ops.cast(ops.argmax(logits, -1), y.dtype) == y, "float32")
    return ops.sum(is_right * is_token) / ops.sum(is_token)


def whole_answers(y, logits):
    """Whether all characters of an answer, padding left out, are predicted."""
    is_right = ops.cast(ops.argmax(logits, -1), y.dtype) == y
    return ops.all(ops.logical_or(is_right, y == 0), axis=-1)


def InstanceNormalization() -> keras.layers.Layer:
    """Each feature of each image is normalized by itself."""
    return keras.layers.GroupNormalization(groups=-1)


class Quantile(keras.losses.Loss):
    """mean(max(q e, (q - 1) e)) for the errors e: a model of the quantile q."""

    def __init__(self, quantile: float, reduction: str | None) -> None:
        super().__init__(reduction=reduction)
        self.quantile = quantile

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        above, below = self.quantile * error, (self.quantile - 1) * error
        return ops.mean(ops.maximum(above, below), axis=-1)


class RootMeanSquaredError(keras.losses.Loss):
    """The root of the mean squared error of each sample."""

    def call(self, y_true, y_pred):
        square = ops.mean(ops.square(y_true - y_pred), axis=-1)
        return ops.sqrt(square + 1e-14)  # the slope of the root at 0 is infinite


def gram_matrix(features):
    """Which features occur together: F^T F / (H W), (B, C, C)."""
    _, H, W, _ = features.shape
    return ops.einsum("bhwc,bhwd->bcd", features, features) / (H * W)


def pixel_differences(image):
    """Differences of neighbouring pixels, downwards and to the right, as one row."""
    down, across = image[:, 1:] - image[:, :-1], image[:, :, 1:] - image[:, :, :-1]
    rows = [ops.reshape(part, (-1, np.prod(part.shape[1:]))) for part in (down, across)]
    return ops.concatenate(rows, -1)
