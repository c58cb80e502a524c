"""Blocks of a plain script that works on the places of an image."""

from keras import ops
from keras.layers import (
    Dense,
    Dropout,
    EinsumDense,
    Layer,
    LayerNormalization,
    MultiHeadAttention,
)


class PositionEmbedding(Layer):
    """One trained vector for each position, (B, T, D)."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def build(self, shape: tuple) -> None:
        D = shape[-1]
        self.table = self.add_weight((self.length, D), "glorot_uniform")

    def call(self, x):
        return ops.zeros_like(x) + self.table[: ops.shape(x)[1]]


class VisionBlock(Layer):
    """x + attention(norm(x)), then x + feed_forward(norm(x)), over all places."""

    def __init__(self, features: int, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm = LayerNormalization(epsilon=1e-5)
        self.attention = MultiHeadAttention(heads, features // heads)
        self.last_norm = LayerNormalization(epsilon=1e-5)
        self.expand = Dense(hidden, "gelu")
        self.contract = Dense(features)
        self.dropout = Dropout(dropout)

    def call(self, x):
        y = self.norm(x)
        x = x + self.dropout(self.attention(y, y))
        y = self.contract(self.expand(self.last_norm(x)))

        return x + self.dropout(y)


class MixerBlock(Layer):
    """One small network along the tokens and one along the channels of x (B, T, C)."""

    def __init__(self, tokens_dim: int, channels_dim: int, dropout: float) -> None:
        super().__init__()
        self.tokens_dim = tokens_dim
        self.channels_dim = channels_dim
        self.dropout = Dropout(dropout)

    def build(self, shape: tuple) -> None:
        _, T, C = shape
        self.norm = LayerNormalization()
        self.expand_tokens = EinsumDense("btc,tu->bcu", (C, self.tokens_dim), "gelu")
        self.contract_tokens = EinsumDense("bcu,ut->btc", (T, C))
        self.last_norm = LayerNormalization()
        self.expand = Dense(self.channels_dim, "gelu")
        self.contract = Dense(C)

    def call(self, x):
        y = self.contract_tokens(self.expand_tokens(self.norm(x)))
        x = x + self.dropout(y)
        y = self.contract(self.expand(self.last_norm(x)))

        return x + self.dropout(y)


class SequencePooling(Layer):
    """Mean over the tokens, whose shares are learned: sum of softmax(x w) x."""

    def build(self, shape: tuple) -> None:
        self.w = self.add_weight((shape[-1], 1), "glorot_uniform")

    def call(self, x):
        shares = ops.softmax(ops.matmul(x, self.w), axis=1)  # B, T, 1
        return ops.sum(shares * x, axis=1)
