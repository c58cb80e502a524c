"""Attention over one axis, and the blocks of a transformer that norm first."""

import math
import string
from typing import Any

import keras
from keras import ops

from custom_layers.common.initial_values import fresh
from custom_layers.layers.attention.blockwise_attention import blockwise_attention
from custom_layers.layers.attention.masks import allowed_keys
from custom_layers.layers.dense import Dense
from custom_layers.layers.normalization.layer_normalization import LayerNormalization
from custom_layers.layers.positions import RotaryEmbedding


class Projection(keras.layers.EinsumDense):
    """x W + b over several axes, as one product of matrices."""

    def call(self, inputs: Any) -> Any:
        made = self.bias.shape
        features = math.prod(self.kernel.shape) // math.prod(made)
        W = ops.reshape(self.kernel, (features, -1))
        y = ops.matmul(ops.reshape(inputs, (-1, features)), W)
        y = ops.add(y, ops.reshape(self.bias, (-1,)))
        free = len(inputs.shape) - len(self.kernel.shape) + len(made)
        return ops.reshape(y, (*ops.shape(inputs)[:free], *made))


class CachedMultiHeadAttention(keras.layers.Layer):
    """Attention in several heads, each on its own projection of query, key and value.

    Q = query Wq + bq, K = value Wk + bk, V = value Wv + bv    in every head
    P = softmax(Q K^T / sqrt(key_dim)), where masked keys get the weight 0
    y = concat over heads(P V) Wo + bo

    Rotary positions turn Q and K if there is a max_wavelength. To generate, `step`
    takes the next tokens only; those before are in the cache (K, V).
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        max_wavelength: float | None,
        dropout: float,
        initializer: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.of_heads = num_heads, key_dim
        self.dropout = dropout
        self.initializer = initializer
        self.rotary = None
        if max_wavelength is not None:
            self.rotary = RotaryEmbedding(max_wavelength)

    def build(self, query_shape: tuple, value_shape: tuple) -> None:
        rank = len(query_shape)
        self.query_dense = self._projection("query", query_shape, 1, self.of_heads)
        self.key_dense = self._projection("key", value_shape, 1, self.of_heads)
        self.value_dense = self._projection("value", value_shape, 1, self.of_heads)
        self.dropout_layer = keras.layers.Dropout(self.dropout)
        shape = (*query_shape[: rank - 1], *self.of_heads)
        self.output_dense = self._projection("output", shape, 2, query_shape[-1:])

    def _projection(
        self, name: str, shape: tuple, contracted: int, features: tuple
    ) -> keras.layers.Layer:
        """A dense layer over the last `contracted` axes of `shape`, built."""
        letters = string.ascii_lowercase
        free = letters[: len(shape) - contracted]
        summed = letters[len(free) : len(shape)]
        made = letters[len(shape) : len(shape) + len(features)]
        layer = Projection(
            f"{free}{summed},{summed}{made}->{free}{made}",
            output_shape=(*[None] * (len(free) - 1), *features),
            bias_axes=made,
            kernel_initializer=fresh(self.initializer),
            name=name,
        )
        layer.build(shape)
        return layer

    def call(
        self,
        query: Any,
        value: Any,
        value_mask: Any = None,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        Q = self._with_positions(self.query_dense(query))  # B T heads key_dim
        K, V = self.keys_and_values(value)
        mask = None if value_mask is None else value_mask[:, None, None]  # B 1 1 S
        keep = None
        if training and self.dropout > 0:
            shape = (*ops.shape(Q)[:1], self.of_heads[0], ops.shape(Q)[1])
            ones = ops.ones((*shape, ops.shape(K)[1]), Q.dtype)
            keep = self.dropout_layer(ones, training=True)
        return self._attend(Q, K, V, mask, use_causal_mask, keep)

    def _with_positions(self, x: Any, start_index: Any = 0) -> Any:
        return x if self.rotary is None else self.rotary(x, start_index=start_index)

    def keys_and_values(self, value: Any, start_index: Any = 0) -> tuple:
        """(K, V) of the tokens `value`, the first of which stands at `start_index`."""
        K = self._with_positions(self.key_dense(value), start_index)
        return K, self.value_dense(value)

    def _attend(
        self, Q: Any, K: Any, V: Any, mask: Any, causal: bool = False, keep: Any = None
    ) -> Any:
        Q, K, V = (ops.transpose(x, (0, 2, 1, 3)) for x in (Q, K, V))
        y = blockwise_attention(Q, K, V, mask, causal, None, keep)
        return self.output_dense(ops.transpose(y, (0, 2, 1, 3)))

    def empty_cache(self, batch_size: int, length: int) -> tuple:
        """The cache (K, V) of `length` tokens, all of them still to come."""
        zeros = ops.zeros((batch_size, length, *self.of_heads), self.compute_dtype)
        return zeros, zeros

    def step(
        self, query: Any, cache: tuple, index: Any = None, mask: Any = None
    ) -> tuple:
        """(y, cache) of the next tokens, which stand at index, index + 1, ...

        With index None the cache is complete, such as that of a source.
        """
        start = 0 if index is None else index
        if index is not None:
            cache = tuple(
                ops.slice_update(old, (0, index, 0, 0), new)
                for old, new in zip(cache, self.keys_and_values(query, index))
            )
        Q = self._with_positions(self.query_dense(query), start)
        K, V = cache
        rows, keys = (0, ops.shape(Q)[1]), (0, ops.shape(K)[1])
        mask = mask[:, None]  # B 1 S
        allowed = allowed_keys(rows, keys, mask, index is not None, offset=start)
        return self._attend(Q, K, V, allowed[:, None]), cache


class _Block(keras.layers.Layer):
    """What encoder and decoder blocks share: the options and the feed-forward part."""

    def __init__(
        self,
        intermediate_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        normalize_first: bool = True,
        max_wavelength: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.intermediate_dim = intermediate_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.initializer = keras.initializers.get("glorot_uniform")
        self.max_wavelength = max_wavelength

    def _attention(
        self,
        name: str,
        shape: tuple,
        value_shape: tuple,
        max_wavelength: float | None = None,
    ) -> tuple:
        """(attention layer, its norm), built."""
        layer = CachedMultiHeadAttention(
            self.num_heads,
            shape[-1] // self.num_heads,
            max_wavelength,
            self.dropout,
            fresh(self.initializer),
            name=name,
        )
        layer.build(shape, value_shape)
        return layer, self._normalization(f"{name}_norm", shape)

    def _normalization(self, name: str, shape: tuple) -> keras.layers.Layer:
        norm = LayerNormalization(epsilon=1e-5, name=name)
        norm.build(shape)
        return norm

    def _dense(
        self, name: str, shape: tuple, units: int, activation: str | None = None
    ) -> keras.layers.Layer:
        initializer = fresh(self.initializer)
        dense = Dense(units, activation, kernel_initializer=initializer, name=name)
        dense.build(shape)
        return dense

    def _build_feed_forward(self, shape: tuple) -> None:
        wide = (*shape[:-1], self.intermediate_dim)
        self.expand = self._dense("expand", shape, wide[-1], "relu")
        self.contract = self._dense("contract", wide, shape[-1])
        self.feed_forward_norm = self._normalization("feed_forward_norm", shape)
        self.dropout_layer = keras.layers.Dropout(self.dropout)

    def _after(self, x: Any, y: Any, training: bool | None) -> Any:
        """The residual x + y."""
        return x + self.dropout_layer(y, training=training)

    def _feed_forward(self, x: Any, training: bool | None) -> Any:
        y = self.contract(self.expand(self.feed_forward_norm(x)))
        return self._after(x, y, training)


class TransformerEncoderBlock(_Block):
    """Self-attention and a feed-forward network, each with a norm and a residual.

    x = x + attention(norm(x));  y = x + feed_forward(norm(x))
    feed_forward(x) = relu(x W1 + b1) W2 + b2
    """

    def build(self, inputs_shape: tuple) -> None:
        self.self_attention, self.self_attention_norm = self._attention(
            "self_attention", inputs_shape, inputs_shape, self.max_wavelength
        )
        self._build_feed_forward(inputs_shape)

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        x = self.self_attention_norm(inputs)
        y = self.self_attention(x, x, value_mask=mask, training=training)
        return self._feed_forward(self._after(inputs, y, training), training)


class TransformerDecoderBlock(_Block):
    """Causal self-attention, attention to a source, and a feed-forward network.

    x = x + causal_attention(norm(x));  x = x + attention(norm(x), source)
    y = x + feed_forward(norm(x))

    Without a source there is no second attention: this is a block of a language model.
    """

    def build(self, inputs_shape: tuple, source_shape: tuple | None = None) -> None:
        self.self_attention, self.self_attention_norm = self._attention(
            "self_attention", inputs_shape, inputs_shape, self.max_wavelength
        )
        self.source_attention = None
        if source_shape is not None:
            self.source_attention, self.source_attention_norm = self._attention(
                "source_attention", inputs_shape, source_shape
            )
        self._build_feed_forward(inputs_shape)

    def call(
        self,
        inputs: Any,
        source: Any = None,
        source_mask: Any = None,
        training: bool | None = None,
    ) -> Any:
        x = self.self_attention_norm(inputs)
        y = self.self_attention(x, x, use_causal_mask=True, training=training)
        x = self._after(inputs, y, training)
        if self.source_attention is not None:
            y = self.source_attention_norm(x)
            y = self.source_attention(
                y, source, value_mask=source_mask, training=training
            )
            x = self._after(x, y, training)
        return self._feed_forward(x, training)

    def empty_cache(
        self, batch_size: int, length: int, source: Any = None, source_mask: Any = None
    ) -> dict[str, Any]:
        """The cache of `step`: K, V and mask of `length` tokens and of the source."""
        cache = {
            "self": self.self_attention.empty_cache(batch_size, length),
            "mask": ops.zeros((batch_size, length), "bool"),
        }
        if self.source_attention is not None:
            cache["source"] = self.source_attention.keys_and_values(source)
            cache["source_mask"] = source_mask
        return cache

    def step(self, inputs: Any, cache: dict[str, Any], index: Any) -> tuple:
        """(outputs, cache) of the next tokens, the first of which stands at `index`."""
        ones = ops.ones(ops.shape(inputs)[:2], "bool")
        mask = ops.slice_update(cache["mask"], (0, index), ones)
        x = self.self_attention_norm(inputs)
        y, kept = self.self_attention.step(x, cache["self"], index, mask)
        x = inputs + y
        if self.source_attention is not None:
            y = self.source_attention_norm(x)
            y, _ = self.source_attention.step(
                y, cache["source"], mask=cache["source_mask"]
            )
            x = x + y
        return self._feed_forward(x, False), {**cache, "self": kept, "mask": mask}
