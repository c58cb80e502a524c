"""A block of a plain script whose parts can be chosen, and ways to know the order."""

import math
from collections.abc import Callable

import numpy as np
from keras import ops
from keras.layers import (
    Dense,
    EinsumDense,
    Embedding,
    Layer,
    LayerNormalization,
    RMSNormalization,
)

from cookbook.plain.parts.components import turned


class SinePositionEncoding(Layer):
    """Sines and cosines of the position, one pair for each speed, (B, T, D)."""

    def call(self, x):
        _, T, D = ops.shape(x)
        position = ops.arange(T, dtype="float32")
        pair = ops.arange(D // 2, dtype="float32")
        speed = 10_000.0 ** (-2 * pair / D)

        angle = position[:, None] * speed
        waves = ops.stack([ops.sin(angle), ops.cos(angle)], axis=-1)

        return ops.zeros_like(x) + ops.reshape(waves, (T, D))


class ALiBi(Layer):
    """Added to scores: the distance times a slope of each head, 2^(-8 i / heads)."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        head = np.arange(1, heads + 1)
        self.slopes = 2.0 ** (-8 * head / heads)

    def call(self, distance):
        slopes = ops.cast(self.slopes, "float32")
        distance = ops.cast(distance, "float32")

        return -slopes[:, None, None] * distance


class RelativePositionBias(Layer):
    """Added to scores: a number of each head and range of distances, as in T5."""

    def __init__(self, heads: int, ranges: int = 32, farthest: int = 128) -> None:
        super().__init__()
        self.near = ranges // 2  # distances below it have a range of their own
        self.per_step = (ranges - self.near) / math.log(farthest / self.near)
        self.last = ranges - 1
        self.table = Embedding(ranges, heads)

    def call(self, distance):
        far = ops.maximum(distance, self.near)
        steps = self.per_step * ops.log(far / self.near)
        wide = self.near + ops.cast(ops.floor(steps), "int32")
        wide = ops.minimum(wide, self.last)

        is_near = distance < self.near
        bias = self.table(ops.where(is_near, distance, wide))  # T, T, heads

        return ops.transpose(bias, (2, 0, 1))


class VariedBlock(Layer):
    """Attention that looks back only, and a small network, with parts to choose.

    position_bias: makes a layer of the heads, which turns distances (T, T) into what
    is added to the scores (heads, T, T)
    """

    def __init__(
        self,
        features: int,
        hidden: int,
        num_heads: int,
        activation: str,
        max_wavelength: float | None,
        normalize_first: bool,
        num_key_value_heads: int | None = None,
        position_bias: Callable | None = None,
        normalization: str = "layer",
        gated: bool = False,
    ) -> None:
        super().__init__()
        H = features // num_heads
        self.shared = num_key_value_heads or num_heads
        self.copies = num_heads // self.shared
        self.is_rotary = max_wavelength is not None
        self.normalize_first = normalize_first
        self.bias = position_bias(num_heads) if position_bias else None

        queries, keys = (None, num_heads, H), (None, self.shared, H)
        self.query = EinsumDense("btd,dnh->btnh", queries, bias_axes="nh")
        self.key = EinsumDense("btd,dnh->btnh", keys, bias_axes="nh")
        self.value = EinsumDense("btd,dnh->btnh", keys, bias_axes="nh")
        self.merge = EinsumDense("btnh,nhd->btd", (None, features), bias_axes="d")

        norms = {"layer": LayerNormalization, "rms": RMSNormalization}
        self.norm = norms[normalization](epsilon=1e-5)
        self.last_norm = norms[normalization](epsilon=1e-5)
        self.gate = Dense(hidden) if gated else None
        self.expand = Dense(hidden, activation)
        self.contract = Dense(features)

    def call(self, x):
        if self.normalize_first:
            x = x + self.attention(self.norm(x))
            return x + self.feed_forward(self.last_norm(x))

        x = self.norm(x + self.attention(x))
        return self.last_norm(x + self.feed_forward(x))

    def attention(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        if self.is_rotary:
            q, k = turned(q), turned(k)

        k = ops.repeat(k, self.copies, axis=2)
        v = ops.repeat(v, self.copies, axis=2)
        bias = None
        if self.bias:
            place = ops.arange(ops.shape(x)[1])
            distance = ops.maximum(place[:, None] - place, 0)
            bias = self.bias(distance)[None]

        return self.merge(ops.dot_product_attention(q, k, v, bias, is_causal=True))

    def feed_forward(self, x):
        y = self.expand(x)
        if self.gate:
            y = y * self.gate(x)

        return self.contract(y)

    def empty_cache(self, batch: int, length: int) -> dict[str, tuple]:
        """Keys and values that writing keeps."""
        keys = np.zeros((batch, length, *self.key.partial_output_shape[1:]))
        return {"self": (keys, keys)}
