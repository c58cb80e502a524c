"""Layers, schedules and losses of a plain script that Keras lacks."""

import math

import numpy as np
from keras import ops
from keras.layers import (
    RNN,
    AdditiveAttention,
    Dense,
    Dropout,
    EinsumDense,
    Embedding,
    GroupNormalization,
    Layer,
    LayerNormalization,
    MultiHeadAttention,
    Pipeline,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
)
from keras.losses import Loss
from keras.optimizers.schedules import CosineDecay, LearningRateSchedule


class RandomAffine(Pipeline):
    """Flips, shifts and turns images at random in training, one after the other."""

    def __init__(
        self,
        height: float,
        width: float,
        rotation: float = 0.0,
        flip: str | None = None,
        **options: object,
    ) -> None:
        moves = [RandomFlip(flip)] if flip else []
        moves += [RandomTranslation(height, width, **options)]
        moves += [RandomRotation(rotation, **options)] if rotation else []
        super().__init__(moves)


class GlobalMaxPooling1D(Layer):
    """The maximum over all steps that the mask shows; Keras's class ignores a mask."""

    def call(self, inputs, mask):
        shown = ops.where(ops.expand_dims(mask, -1), inputs, -1e9)
        return ops.max(shown, axis=1)


class BigramEmbedding(Layer):
    """A vector for each pair of neighbouring tokens, which hashing finds in a table."""

    def __init__(self, buckets: int, features: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.table = Embedding(buckets, features)

    def call(self, ids):
        following = ops.pad(ids[:, 1:], [[0, 0], [0, 1]])
        bigrams = (40503 * ids + following) % self.buckets
        is_token = ops.expand_dims(ids != 0, -1)

        return ops.where(is_token, self.table(bigrams), 0.0)


def WarmupCosine(peak: float, steps: int, warmup: float = 0.1) -> CosineDecay:
    """A learning rate that rises in a straight line and falls along half a cosine."""
    rise = int(warmup * steps)
    return CosineDecay(peak / 20, steps - rise, warmup_target=peak, warmup_steps=rise)


class OneCycle(LearningRateSchedule):
    """A learning rate that rises and falls along half a cosine each."""

    def __init__(self, peak: float, steps: int, pct_start: float = 0.3) -> None:
        self.peak = peak
        self.up = pct_start * steps - 1
        self.down = steps - 1 - self.up

    def __call__(self, step):
        t = ops.cast(step, "float32")
        falling = ops.minimum((t - self.up) / self.down, 1)
        rise = 0.52 - 0.48 * ops.cos(math.pi * t / self.up)
        fall = 0.5 + 0.5 * ops.cos(math.pi * falling)
        return self.peak * ops.where(t < self.up, rise, fall)


class RotaryAttention(Layer):
    """Multi-head attention; the positions turn the queries and keys, if `rotary`."""

    def __init__(self, features: int, heads: int, rotary: bool = True) -> None:
        super().__init__()
        self.rotary = rotary
        inside = None, heads, features // heads
        self.query = EinsumDense("btd,dnh->btnh", inside, bias_axes="nh")
        self.key = EinsumDense("btd,dnh->btnh", inside, bias_axes="nh")
        self.value = EinsumDense("btd,dnh->btnh", inside, bias_axes="nh")
        self.merge = EinsumDense("btnh,nhd->btd", (None, features), bias_axes="d")

    def call(self, x, memory=None, mask=None, causal: bool = False):
        memory = x if memory is None else memory
        q, k, v = self.query(x), self.key(memory), self.value(memory)
        if self.rotary:
            q, k = turned(q), turned(k)

        if mask is not None:
            mask = mask[:, None, None]

        y = ops.dot_product_attention(q, k, v, mask=mask, is_causal=causal)

        return self.merge(y)


def turned(x):
    """Turns pairs of features by an angle for each position: x (B, T, heads, H)."""
    half = x.shape[-1] // 2
    speed = 10_000.0 ** (-ops.arange(half, dtype="float32") / half)
    position = ops.arange(ops.shape(x)[1], dtype="float32")
    angle = position[:, None, None] * speed

    cos = ops.cos(angle)
    sin = ops.sin(angle)
    first, second = ops.split(x, 2, axis=-1)
    parts = first * cos - second * sin, second * cos + first * sin

    return ops.concatenate(parts, axis=-1)


class EncoderBlock(Layer):
    """x + attention(norm(x)), then x + feed_forward(norm(x))."""

    def __init__(self, hidden: int, heads: int, features: int) -> None:
        super().__init__()
        self.norm = LayerNormalization(epsilon=1e-5)
        self.attention = MultiHeadAttention(heads, features // heads)
        self.last_norm = LayerNormalization(epsilon=1e-5)
        self.expand = Dense(hidden, "relu")
        self.contract = Dense(features)

    def call(self, x, mask):
        y = self.norm(x)
        x = x + self.attention(y, y, attention_mask=ops.expand_dims(mask, 1))
        y = self.last_norm(x)

        return x + self.contract(self.expand(y))


class CausalBlock(Layer):
    """x + attention(norm(x)), then x + feed_forward(norm(x)); it looks back only."""

    def __init__(self, features: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm = LayerNormalization(epsilon=1e-5)
        self.attention = RotaryAttention(features, heads)
        self.last_norm = LayerNormalization(epsilon=1e-5)
        self.expand = Dense(4 * features, "relu")
        self.contract = Dense(features)
        self.dropout = Dropout(dropout)

    def call(self, x):
        y = self.attention(self.norm(x), causal=True)
        x = x + self.dropout(y)
        y = self.contract(self.expand(self.last_norm(x)))

        return x + self.dropout(y)


class TransformerEncoderBlock(Layer):
    """x + attention(norm(x)), then x + feed_forward(norm(x)), with positions."""

    def __init__(self, features: int, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm = LayerNormalization(epsilon=1e-5)
        self.attention = RotaryAttention(features, heads)
        self.last_norm = LayerNormalization(epsilon=1e-5)
        self.expand = Dense(hidden, "relu")
        self.contract = Dense(features)
        self.dropout = Dropout(dropout)

    def call(self, x, mask=None):
        y = self.attention(self.norm(x), mask=mask)
        return self.feed_forward(x + self.dropout(y))

    def feed_forward(self, x):
        y = self.contract(self.expand(self.last_norm(x)))

        return x + self.dropout(y)


class TransformerDecoderBlock(TransformerEncoderBlock):
    """A block that looks back only, and at a source."""

    def __init__(self, features: int, hidden: int, heads: int, dropout: float) -> None:
        super().__init__(features, hidden, heads, dropout)
        self.source_norm = LayerNormalization(epsilon=1e-5)
        self.source_attention = RotaryAttention(features, heads, rotary=False)

    def call(self, x, source, source_mask=None):
        y = self.attention(self.norm(x), causal=True)
        x = x + self.dropout(y)
        y = self.source_attention(self.source_norm(x), source, source_mask)

        return self.feed_forward(x + self.dropout(y))


class AttentionDecoderCell(Layer):
    """A cell that attends to a memory before each step: tanh([context, h] W)."""

    def __init__(self, cell: Layer) -> None:
        super().__init__()
        self.cell = cell
        self.output_size = U = cell.units
        self.state_size = [U]
        self.keys = Dense(U, use_bias=False)
        self.query = Dense(U, use_bias=False)
        self.attention = AdditiveAttention()
        self.output_layer = Dense(U, "tanh", use_bias=False)

    def build(self, shape: tuple, memory_shape: tuple) -> None:
        M = memory_shape[-1]
        U = self.output_size
        self.cell.build((None, shape[-1] + M))
        self.keys.build((None, M))
        self.query.build((None, U))
        self.attention.build([(None, 1, U), (None, None, M), (None, None, U)])
        self.output_layer.build((None, M + U))

    def call(self, x, states):
        memory, mask = self.memory
        query = self.query(states[0])[:, None]  # B, 1, U
        context = self.attention([query, memory, self.keys(memory)], mask=[None, mask])
        context = context[:, 0]  # B, M
        h, _ = self.cell(ops.concatenate([x, context], -1), states)

        return self.output_layer(ops.concatenate([context, h], -1)), [h]


class AttentionDecoder(RNN):
    """Runs an AttentionDecoderCell over target sequences."""

    def build(self, sequences_shape: tuple, memory_shape: tuple) -> None:
        self.cell.build(sequences_shape, memory_shape)

    def call(self, sequences, memory, initial_state, memory_mask=None):
        self.cell.memory = memory, memory_mask
        return super().call(sequences, initial_state=initial_state)


def TokenCrossentropy(smoothing: float):
    """Cross-entropy with label smoothing, averaged over all tokens but the padding."""

    def loss(y, logits):
        V = logits.shape[-1]
        truth = ops.one_hot(y, V) * (1 - smoothing) + smoothing / V
        losses = ops.categorical_crossentropy(truth, logits, from_logits=True)
        is_token = ops.cast(y != 0, losses.dtype)
        return ops.sum(losses * is_token) / ops.sum(is_token)

    return loss


def token_accuracy(y, logits):
    """The share of the tokens, padding left out, that are predicted, for each place."""
    predicted = ops.cast(ops.argmax(logits, -1), y.dtype)
    is_token = ops.cast(y != 0, "float32")
    is_right = ops.cast(predicted == y, "float32")
    return ops.ones_like(is_right) * ops.sum(is_right * is_token) / ops.sum(is_token)


def whole_answers(y, logits):
    """Whether all characters of an answer, padding left out, are predicted."""
    is_right = ops.cast(ops.argmax(logits, -1), y.dtype) == y
    return ops.all(ops.logical_or(is_right, y == 0), axis=-1)


def InstanceNormalization() -> GroupNormalization:
    """Each feature of each image is normalized by itself."""
    return GroupNormalization(groups=-1)


class Quantile(Loss):
    """mean(max(q e, (q - 1) e)) for the errors e: a model of the quantile q."""

    def __init__(self, quantile: float, reduction: str | None) -> None:
        super().__init__(reduction=reduction)
        self.quantile = quantile

    def call(self, y_true, y_pred):
        error = y_true - y_pred
        below = (self.quantile - 1) * error
        above = self.quantile * error
        return ops.mean(ops.maximum(above, below), axis=-1)


class RootMeanSquaredError(Loss):
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
    down = image[:, 1:] - image[:, :-1]
    across = image[:, :, 1:] - image[:, :, :-1]
    rows = []
    for part in (down, across):
        size = np.prod(part.shape[1:])
        rows.append(ops.reshape(part, (-1, size)))
    return ops.concatenate(rows, axis=-1)


class CRF(Layer):
    """Log potentials psi (B, T, N, N), the score of each tag behind each other one.

    psi_t[i, j] = x_t[j] + A[i, j], for scores x (B, T, N); tag 0 is the padding's
    """

    def build(self, shape: tuple) -> None:
        N = shape[-1]
        self.A = self.add_weight((N, N), "zeros", name="transition")

    def call(self, x, mask):
        psi = x[:, :, None] + self.A
        skip = -1e4 * (1 - ops.one_hot(0, x.shape[-1]))  # padding costs nothing
        return ops.where(mask[:, :, None, None], psi, skip)

    def compute_mask(self, x, mask):
        return None  # the potentials hold it


def CRFLoss():
    """-log p of the true tags: log of the sum over all taggings, less their score."""

    def loss(y, psi):
        N = psi.shape[-1]

        def step(alpha, psi_t):
            alpha = ops.logsumexp(alpha[:, :, None] + psi_t, axis=1)
            return alpha, alpha

        alpha, _ = ops.scan(step, behind_tag_0(psi), ops.moveaxis(psi, 1, 0))
        y = ops.one_hot(y, N)
        before = ops.concatenate([ops.one_hot(0, N) + 0 * y[:, :1], y[:, :-1]], 1)
        score = ops.einsum("bti,btij,btj->b", before, psi, y)
        return ops.logsumexp(alpha, axis=-1) - score

    return loss


def CRFAccuracy(name: str):
    """The share of the words whose tag is right on the best path."""

    def accuracy(y, psi):
        logits = ops.one_hot(viterbi(psi), psi.shape[-1])
        return token_accuracy(y, logits)

    accuracy.__name__ = name
    return accuracy


def behind_tag_0(psi):
    """Scores (B, N) before the first step, where only tag 0 can stand."""
    return 0 * psi[:, 0, 0] - 1e4 * (1 - ops.one_hot(0, psi.shape[-1]))


def viterbi(psi):
    """The best tags (B, T) for log potentials psi (B, T, N, N)."""

    def forward(carry, psi_t):
        scores = carry[0][:, :, None] + psi_t
        new = ops.max(scores, axis=1), ops.argmax(scores, axis=1)
        return new, new

    def backward(tag, best):
        before = ops.take_along_axis(best, tag[:, None], axis=1)
        return before[:, 0], tag

    start = behind_tag_0(psi), ops.argmax(psi[:, 0], axis=1)
    (delta, _), (_, best) = ops.scan(forward, start, ops.moveaxis(psi, 1, 0))
    _, tags = ops.scan(backward, ops.argmax(delta, axis=-1), best, reverse=True)
    return ops.cast(ops.moveaxis(tags, 0, 1), "int32")
