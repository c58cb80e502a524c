"""Transformer blocks, encoder and decoder; the decoder generates with a cache."""

from typing import Any, Literal

import keras
from keras import ops

from ..common.caches import cache_with
from ..common.checks import known_sizes, one_of, positive_integer, python_number
from ..common.initial_values import fresh
from ..common.inputs import as_booleans, as_floats
from ..common.types import Activation, Config, Initializer
from .activations.glu import GLU
from .attention.cached_multi_head_attention import (
    CachedMultiHeadAttention,
    _shared_heads,
)
from .attention.position_bias import _own_copy
from .block import NORMS, _BlockBase
from .dense import Dense


class _Block(_BlockBase):
    """What encoder and decoder blocks share: the options and the feed-forward part."""

    def __init__(
        self,
        intermediate_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        activation: Activation = "relu",
        layer_norm_epsilon: float = 1e-5,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        normalize_first: bool = False,
        max_wavelength: float | None = None,
        normalization: Literal["layer", "rms"] = "layer",
        gated: bool = False,
        num_key_value_heads: int | None = None,
        position_bias: keras.layers.Layer | Config | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.intermediate_dim = positive_integer(intermediate_dim, "intermediate_dim")
        self.num_heads = positive_integer(num_heads, "num_heads")
        self.dropout = python_number(dropout)
        self.activation = keras.activations.get(activation)
        self.layer_norm_epsilon = python_number(layer_norm_epsilon)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.normalize_first = normalize_first
        self.max_wavelength = python_number(max_wavelength)
        self.normalization = one_of(normalization, [*NORMS], "normalization")
        self.gated = gated
        self.num_key_value_heads = _shared_heads(num_key_value_heads, self.num_heads)
        # Its configuration: the attention layer makes the layer, and holds it alone.
        bias = _own_copy(position_bias, self.dtype_policy)
        self.position_bias = keras.layers.serialize(bias)
        self.supports_masking = True

    def _self_attention(self, shape):
        """(attention of the inputs to themselves, its norm), with positions."""
        return self._attention(
            "self_attention",
            shape,
            shape,
            max_wavelength=self.max_wavelength,
            position_bias=self.position_bias,
        )

    def _attention(self, name, shape, value_shape, **positions):
        """(attention layer, its norm), built."""
        known_sizes(shape, [-1], self)
        if shape[-1] % self.num_heads:
            raise ValueError(
                f"The input has {shape[-1]} features: expected a multiple of "
                f"`num_heads`, {self.num_heads}."
            )
        layer = CachedMultiHeadAttention(
            self.num_heads,
            shape[-1] // self.num_heads,
            num_key_value_heads=self.num_key_value_heads,
            dropout=self.dropout,
            kernel_initializer=fresh(self.kernel_initializer),
            bias_initializer=fresh(self.bias_initializer),
            dtype=self.dtype_policy,
            name=name,
            **positions,
        )
        layer.build(shape, value_shape)
        return layer, self._normalization(f"{name}_norm", shape)

    def _build_feed_forward(self, shape):
        wide = (*shape[:-1], self.intermediate_dim)
        kind = GLU if self.gated else Dense
        self.expand = self._dense("expand", shape, wide[-1], self.activation, kind)
        self.contract = self._dense("contract", wide, shape[-1])
        self.feed_forward_norm = self._normalization("feed_forward_norm", shape)
        self.dropout_layer = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    def _before(self, norm, x):
        """The input of attention or feed_forward: norm(x) in a pre-norm block, or x."""
        return norm(x) if self.normalize_first else x

    def _after(self, norm, x, y, training: bool | None):
        """The residual x + y, normalized in a post-norm block."""
        y = x + self.dropout_layer(y, training=training)
        return y if self.normalize_first else norm(y)

    def _feed_forward(self, x, training: bool | None):
        y = self.contract(self.expand(self._before(self.feed_forward_norm, x)))
        return self._after(self.feed_forward_norm, x, y, training)

    def get_config(self) -> Config:
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
            "normalization": self.normalization,
            "gated": self.gated,
            "num_key_value_heads": self.num_key_value_heads,
            "position_bias": self.position_bias,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TransformerEncoderBlock(_Block):
    """Self-attention and a feed-forward network, each with a residual and a norm.

    post-norm:  x = norm(x + attention(x));  y = norm(x + feed_forward(x))
    pre-norm:   x = x + attention(norm(x));  y = x + feed_forward(norm(x))
    feed_forward(x) = activation(x W1 + b1) W2 + b2
    gated:      feed_forward(x) = (a * activation(b)) W2 + b2, with [a, b] = x W1 + b1

    Args:
        intermediate_dim: features between W1 and W2.
        num_heads: number of attention heads, which divides D.
        dropout: rate of the dropout after attention and feed_forward, and on the
            attention weights.
        activation: function between W1 and W2; if gated, "silu" makes SwiGLU, "gelu"
            GEGLU.
        layer_norm_epsilon: epsilon of the norms.
        kernel_initializer, bias_initializer: initializers of all kernels and biases.
        normalize_first: whether the block is pre-norm; it is post-norm otherwise.
        max_wavelength: wavelength of the slowest rotation of rotary positions (10000 is
            usual); None for no rotation.
        normalization: "layer", or "rms" for RMSNormalization.
        gated: whether the feed-forward network has a gate, see `GLU`.
        num_key_value_heads: number of heads of keys and values, each of which serves as
            many heads of queries; num_heads of them by default.
        position_bias: ALiBi() or RelativePositionBias(), a copy of which is added to
            the scores of self-attention; None for no bias.

    Call: layer(inputs, mask=None). No token attends to a masked token.
    Input shape: (B, T, D). Output shape: (B, T, D), with the mask of the input.
    Raises: ValueError for sizes that are not positive integers, and for a D that
    num_heads does not divide, a num_heads that num_key_value_heads does not divide, an
    unknown normalization, and a position_bias that is no such layer.

    >>> layer = TransformerEncoderBlock(16, num_heads=2)
    >>> x = keras.random.normal((1, 3, 8))
    >>> other = keras.ops.concatenate([x[:, :2], -x[:, 2:]], axis=1)  # token 2 differs
    >>> for is_token in (True, False):  # or padding
    ...     mask = keras.ops.array([[True, True, is_token]])
    ...     change = abs(layer(x, mask=mask) - layer(other, mask=mask))
    ...     print(bool(keras.ops.any(change[0, 0] > 1e-4)))  # does token 0 see it?
    True
    False

    Papers: Shazeer, "GLU variants improve transformer", 2020,
    https://arxiv.org/abs/2002.05202; Vaswani et al., "Attention is all you need", 2017.
    https://arxiv.org/abs/1706.03762; pre-norm: https://arxiv.org/abs/2002.04745
    """

    def build(self, inputs_shape: tuple) -> None:
        self.self_attention, self.self_attention_norm = self._self_attention(
            inputs_shape
        )
        self._build_feed_forward(inputs_shape)

    def call(self, inputs, mask=None, training: bool | None = None):
        inputs = as_floats(inputs, self.compute_dtype)
        x = self._before(self.self_attention_norm, inputs)
        y = self.self_attention(x, x, value_mask=mask, training=training)
        x = self._after(self.self_attention_norm, inputs, y, training)
        return self._feed_forward(x, training)

    def compute_output_shape(self, inputs_shape: tuple) -> tuple:
        return inputs_shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TransformerDecoderBlock(_Block):
    """Causal self-attention, attention to a source, and a feed-forward network.

    post-norm:  x = norm(x + causal_attention(x))
                x = norm(x + attention(x, source));  y = norm(x + feed_forward(x))
    pre-norm:   each norm stands before attention or feed_forward instead
    Without a source there is no second attention: this is a block of a language model.

    Args: those of `TransformerEncoderBlock`.

    Call: layer(inputs, source=None, mask, source_mask); by default the masks are those
    that inputs and source carry. `step` and `empty_cache` are for generation.
    Input shapes: (B, T, D), (B, S, E). Output shape: (B, T, D).
    Raises: ValueError as `TransformerEncoderBlock`.

    >>> layer = TransformerDecoderBlock(16, num_heads=2)
    >>> x = keras.random.normal((1, 3, 8))
    >>> other = keras.ops.concatenate([x[:, :2], -x[:, 2:]], axis=1)  # token 2 differs
    >>> change = keras.ops.max(abs(layer(x) - layer(other)), axis=(0, 2))
    >>> [bool(c > 1e-4) for c in change]  # the tokens before do not see the last one
    [False, False, True]
    >>> cache = layer.empty_cache(1, length=3)
    >>> for t in range(3):  # generation: one token at a time
    ...     y, cache = layer.step(x[:, t : t + 1], cache, index=t)
    >>> bool(keras.ops.all(abs(y - layer(x)[:, 2:]) < 1e-4))
    True

    A block as many language models of today have it; its cache holds one head of keys:

    >>> layer = TransformerDecoderBlock(
    ...     16, num_heads=4, activation="silu", normalize_first=True, gated=True,
    ...     max_wavelength=10_000, normalization="rms", num_key_value_heads=1)
    >>> y = layer(x)
    >>> keys, values = layer.empty_cache(2, length=5)["self"]
    >>> keys.shape
    TensorShape([2, 1, 5, 2])

    Paper: Vaswani et al., "Attention is all you need", 2017.
    https://arxiv.org/abs/1706.03762; pre-norm: https://arxiv.org/abs/2002.04745
    """

    def build(self, inputs_shape: tuple, source_shape: tuple | None = None) -> None:
        self.self_attention, self.self_attention_norm = self._self_attention(
            inputs_shape
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
        training: bool | None = None,
    ):
        if mask is None:  # with a source, Keras passes the mask of inputs by this name
            mask = inputs_mask
        inputs = as_floats(inputs, self.compute_dtype)
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

    def compute_output_shape(
        self, inputs_shape: tuple, source_shape: tuple | None = None
    ) -> tuple:
        return inputs_shape

    def empty_cache(
        self, batch_size: int, length: int, source: Any = None, source_mask: Any = None
    ) -> dict[str, Any]:
        """The cache of `step`: K, V and mask of `length` tokens and of the source."""
        cache = {
            "self": self.self_attention.empty_cache(batch_size, length),
            "mask": ops.zeros((batch_size, length), "bool"),
        }
        if source is not None:
            if self.source_attention is None:
                raise ValueError(
                    "This block was built without a source: expected source=None, got "
                    "a source. Call the block with a source first."
                )
            cache["source"] = self.source_attention.keys_and_values(source)
            if source_mask is None:
                source_mask = ops.ones(ops.shape(source)[:2], "bool")
            cache["source_mask"] = source_mask
        return cache

    def step(
        self, inputs: Any, cache: dict[str, Any], index: Any, mask: Any = None
    ) -> tuple:
        """(outputs, cache) of the next tokens, the first of which stands at `index`."""
        inputs = ops.convert_to_tensor(inputs, self.compute_dtype)
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], "bool")
        mask = as_booleans(mask)
        mask = cache_with(mask, cache["mask"], index)
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
