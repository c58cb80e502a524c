"""Transformer blocks, encoder and decoder, with a key/value cache for generation."""

import keras
from keras import ops

from .attention.multi_head_attention import MultiHeadAttention, _clone, _positive
from .attention.scaled_dot_product import allowed_keys
from .positions import RotaryEmbedding


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CachedMultiHeadAttention(MultiHeadAttention):
    """Multi-head attention that can keep keys and values, and turn them by RoPE.

    Called, it is `MultiHeadAttention`, with Q and K rotated where asked. For generation
    `step` takes the next tokens alone; what was before them is in the cache (K, V):
    K[index:], V[index:] = projections of the tokens;  y = softmax(Q K^T / sqrt(d)) V

    Args:
        num_heads, key_dim and the others: see `MultiHeadAttention`.
        max_wavelength: of the rotation (10000 is usual); None for no rotation.

    step(x, cache, index, mask) gives (y, cache): x (B, T, D) stands at positions index,
    index + 1, ..., an integer or a tensor, and sees itself and what is before it.
    With index None the cache is complete, a source's `keys_and_values`, all of it seen.
    Input shapes: (B, T, D), (B, S, D). Output shape: (B, T, D).
    Raises: ValueError as `MultiHeadAttention`; for a sliding window; for a rotation of
    an odd key_dim.

    >>> layer, x = CachedMultiHeadAttention(2, 4), keras.ops.ones((1, 3, 8))
    >>> y, cache = layer(x, x), layer.empty_cache(1, 5)
    >>> y, cache = layer.step(x, cache, index=0)
    >>> y.shape, cache[0].shape
    (TensorShape([1, 3, 8]), TensorShape([1, 5, 2, 4]))

    Paper: Shazeer, "Fast transformer decoding: one write-head is all you need", 2019.
    https://arxiv.org/abs/1911.02150
    """

    def __init__(self, num_heads, key_dim, max_wavelength=None, **kwargs):
        super().__init__(num_heads, key_dim, **kwargs)
        if self.sliding_window is not None:
            raise ValueError(
                "CachedMultiHeadAttention has no window: expected "
                f"sliding_window=None, got {self.sliding_window}."
            )
        self.max_wavelength = max_wavelength
        self.rotary = None
        if max_wavelength is not None:
            self.rotary = RotaryEmbedding(max_wavelength, dtype=self.dtype_policy)

    def _turn(self, x, start_index=0):
        return x if self.rotary is None else self.rotary(x, start_index=start_index)

    def empty_cache(self, batch_size, length):
        """(K, V) of `length` tokens that are still to come."""
        shape = batch_size, length, self.num_heads
        return tuple(
            ops.zeros((*shape, size), self.compute_dtype)
            for size in (self.key_dim, self.value_dim)
        )

    def keys_and_values(self, value, start_index=0):
        return self._turn(self.key_dense(value), start_index), self.value_dense(value)

    def step(self, query, cache, index=None, mask=None):
        start = 0 if index is None else index
        if index is not None:
            cache = tuple(
                ops.slice_update(old, (0, index, 0, 0), ops.cast(new, old.dtype))
                for old, new in zip(cache, self.keys_and_values(query, index))
            )
        Q, (K, V) = self._turn(self.query_dense(query), start), cache
        if mask is not None:
            mask = ops.expand_dims(ops.cast(mask, "bool"), -2)  # (B, 1, S)
        lengths = (0, ops.shape(Q)[1]), (0, ops.shape(K)[1])
        allowed = allowed_keys(*lengths, mask, index is not None, offset=start)
        y, _ = self._compute_attention(Q, K, V, allowed)
        if self.use_gate:
            y = ops.multiply(y, self._gate_dense(query))
        return self.output_dense(y), cache

    def get_config(self):
        config = {**super().get_config(), "max_wavelength": self.max_wavelength}
        del config["sliding_window"]
        return config


class _Block(keras.layers.Layer):
    """What encoder and decoder blocks share: the settings and the feed-forward part."""

    def __init__(
        self,
        intermediate_dim,
        num_heads,
        dropout=0.0,
        activation="relu",
        layer_norm_epsilon=1e-5,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        normalize_first=False,
        max_wavelength=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.intermediate_dim = _positive("intermediate_dim", intermediate_dim)
        self.num_heads = _positive("num_heads", num_heads)
        self.dropout = dropout
        self.activation = keras.activations.get(activation)
        self.layer_norm_epsilon = layer_norm_epsilon
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.normalize_first = normalize_first
        self.max_wavelength = max_wavelength
        self.supports_masking = True

    def _attention(self, name, shape, value_shape, max_wavelength=None):
        if shape[-1] % self.num_heads:
            raise ValueError(
                f"The input has {shape[-1]} features: expected a multiple of "
                f"`num_heads`, {self.num_heads}."
            )
        layer = CachedMultiHeadAttention(
            self.num_heads,
            shape[-1] // self.num_heads,
            max_wavelength,
            dropout=self.dropout,
            kernel_initializer=_clone(self.kernel_initializer),
            bias_initializer=_clone(self.bias_initializer),
            dtype=self.dtype_policy,
            name=name,
        )
        layer.build(shape, value_shape)
        return layer, self._normalization(f"{name}_norm", shape)

    def _normalization(self, name, shape):
        norm = keras.layers.LayerNormalization(
            epsilon=self.layer_norm_epsilon, dtype=self.dtype_policy, name=name
        )
        norm.build(shape)
        return norm

    def _dense(self, name, shape, units, activation=None):
        dense = keras.layers.Dense(
            units,
            activation,
            kernel_initializer=_clone(self.kernel_initializer),
            bias_initializer=_clone(self.bias_initializer),
            dtype=self.dtype_policy,
            name=name,
        )
        dense.build(shape)
        return dense

    def _build_feed_forward(self, shape):
        wide = (*shape[:-1], self.intermediate_dim)
        self.expand = self._dense("expand", shape, wide[-1], self.activation)
        self.contract = self._dense("contract", wide, shape[-1])
        self.feed_forward_norm = self._normalization("feed_forward_norm", shape)
        self.dropout_layer = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    def _before(self, norm, x):
        return norm(x) if self.normalize_first else x

    def _after(self, norm, x, y, training):
        y = x + self.dropout_layer(y, training=training)
        return y if self.normalize_first else norm(y)

    def _feed_forward(self, x, training):
        y = self.contract(self.expand(self._before(self.feed_forward_norm, x)))
        return self._after(self.feed_forward_norm, x, y, training)

    def get_config(self):
        return {
            **super().get_config(),
            "intermediate_dim": self.intermediate_dim,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "activation": keras.activations.serialize(self.activation),
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "normalize_first": self.normalize_first,
            "max_wavelength": self.max_wavelength,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TransformerEncoderBlock(_Block):
    """Self-attention and a feed-forward network, each with a residual and a norm.

    post-norm:  x = norm(x + attention(x));  y = norm(x + feed_forward(x))
    pre-norm:   x = x + attention(norm(x));  y = x + feed_forward(norm(x))
    feed_forward(x) = activation(x W1 + b1) W2 + b2

    Args:
        intermediate_dim: features between W1 and W2.
        num_heads: attention heads; they divide D.
        dropout: rate behind attention and feed_forward, and of attention weights.
        activation, layer_norm_epsilon, kernel_initializer, bias_initializer: as named.
        normalize_first: True for pre-norm.
        max_wavelength: of rotary positions (10000 is usual); None for no rotation.

    Call: layer(inputs, mask=None): masked tokens are attended to by none.
    Input shape: (B, T, D). Output shape: (B, T, D), with the mask of the input.
    Raises: ValueError for sizes that are no positive integers, for a D that num_heads
    does not divide.

    >>> TransformerEncoderBlock(16, num_heads=2)(keras.ops.ones((2, 5, 8))).shape
    TensorShape([2, 5, 8])

    Paper: Vaswani et al., "Attention is all you need", 2017.
    https://arxiv.org/abs/1706.03762; pre-norm: https://arxiv.org/abs/2002.04745
    """

    def build(self, inputs_shape):
        self.self_attention, self.self_attention_norm = self._attention(
            "self_attention", inputs_shape, inputs_shape, self.max_wavelength
        )
        self._build_feed_forward(inputs_shape)

    def call(self, inputs, mask=None, training=None):
        x = self._before(self.self_attention_norm, inputs)
        y = self.self_attention(x, x, value_mask=mask, training=training)
        x = self._after(self.self_attention_norm, inputs, y, training)
        return self._feed_forward(x, training)

    def compute_output_shape(self, inputs_shape):
        return inputs_shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TransformerDecoderBlock(_Block):
    """Causal self-attention, attention to a source, and a feed-forward network.

    post-norm:  x = norm(x + causal_attention(x))
                x = norm(x + attention(x, source));  y = norm(x + feed_forward(x))
    pre-norm:   the norms stand before attention and feed_forward instead.
    Built without a source it has no second attention: a block of a language model.

    Args: those of `TransformerEncoderBlock`.

    Call: layer(inputs, source=None, mask, source_mask), where the masks are those of
    inputs and source if not given. `step` and `empty_cache` are for generation.
    Input shapes: (B, T, D), (B, S, E). Output shape: (B, T, D).
    Raises: ValueError as `TransformerEncoderBlock`.

    >>> layer, x = TransformerDecoderBlock(16, num_heads=2), keras.ops.ones((2, 5, 8))
    >>> layer(x, keras.ops.ones((2, 3, 8))).shape
    TensorShape([2, 5, 8])
    >>> cache = layer.empty_cache(2, length=5, source=keras.ops.ones((2, 3, 8)))
    >>> y, cache = layer.step(x[:, :1], cache, index=0)
    >>> y.shape
    TensorShape([2, 1, 8])

    Paper: Vaswani et al., "Attention is all you need", 2017.
    https://arxiv.org/abs/1706.03762; pre-norm: https://arxiv.org/abs/2002.04745
    """

    def build(self, inputs_shape, source_shape=None):
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
        inputs,
        source=None,
        mask=None,
        inputs_mask=None,
        source_mask=None,
        training=None,
    ):
        if mask is None:  # Keras passes it under this name where there is a source
            mask = inputs_mask
        x = self._before(self.self_attention_norm, inputs)
        y = self.self_attention(
            x, x, value_mask=mask, use_causal_mask=True, training=training
        )
        x = self._after(self.self_attention_norm, inputs, y, training)
        if self.source_attention is not None:
            y = self._before(self.source_attention_norm, x)
            y = self.source_attention(
                y, source, value_mask=source_mask, training=training
            )
            x = self._after(self.source_attention_norm, x, y, training)
        return self._feed_forward(x, training)

    def compute_output_shape(self, inputs_shape, source_shape=None):
        return inputs_shape

    def empty_cache(self, batch_size, length, source=None, source_mask=None):
        """What `step` carries: K, V and mask of `length` tokens and of the source."""
        cache = {
            "self": self.self_attention.empty_cache(batch_size, length),
            "mask": ops.zeros((batch_size, length), "bool"),
        }
        if source is not None:
            cache["source"] = self.source_attention.keys_and_values(source)
            if source_mask is None:
                source_mask = ops.ones(ops.shape(source)[:2], "bool")
            cache["source_mask"] = source_mask
        return cache

    def step(self, inputs, cache, index, mask=None):
        """(outputs, cache) of the next tokens, the first of which stands at `index`."""
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], "bool")
        mask = ops.slice_update(cache["mask"], (0, index), mask)
        x = self._before(self.self_attention_norm, inputs)
        y, kept = self.self_attention.step(x, cache["self"], index, mask)
        x = self._after(self.self_attention_norm, inputs, y, training=False)
        if self.source_attention is not None:
            y = self._before(self.source_attention_norm, x)
            y, _ = self.source_attention.step(
                y, cache["source"], mask=cache["source_mask"]
            )
            x = self._after(self.source_attention_norm, x, y, training=False)
        return self._feed_forward(x, False), {**cache, "self": kept, "mask": mask}
