"""Multi-head attention that generates: it keeps the keys and values of past tokens."""

from typing import Any

import keras
from keras import ops

from ...common.caches import cache_with
from ...common.checks import nan_unless, positive_integer, python_number, within
from ...common.types import Config
from ..positions import RotaryEmbedding
from .masks import allowed_keys
from .multi_head_attention import MultiHeadAttention
from .position_bias import _own_copy
from .scaled_dot_product import scaled_dot_product


def _by_heads(x):
    """(B, T, heads, d) as (B, heads, T, d), or the other way round."""
    return ops.transpose(x, (0, 2, 1, 3))


def _shared_heads(value, num_heads):
    """`num_key_value_heads` as an integer that divides `num_heads`; None stays None."""
    if value is None:
        return None
    heads = positive_integer(value, "num_key_value_heads")
    if num_heads % heads:
        raise ValueError(
            "The `num_key_value_heads` argument must divide `num_heads`. Received: "
            f"num_key_value_heads={heads}, num_heads={num_heads}"
        )
    return heads


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CachedMultiHeadAttention(MultiHeadAttention):
    """Multi-head attention with a cache of keys and values, and positions.

    A call is that of `MultiHeadAttention`, with Q and K rotated if max_wavelength is
    given, and with a position_bias added to the scores. To generate, `step` takes the
    next tokens only; those before are in the cache (K, V):
    K[index:], V[index:] = projections of the tokens;  y = softmax(Q K^T / sqrt(d)) V

    Args:
        num_heads, key_dim and the others: see `MultiHeadAttention`.
        max_wavelength: wavelength of the slowest rotation (10000 is usual); None for no
            rotation.
        num_key_value_heads: number of heads of K and V, which divides num_heads; each
            serves as many heads of Q. By default there are num_heads of them. The
            cache holds these heads only.
        position_bias: ALiBi() or RelativePositionBias(), of which the layer makes a
            copy of its own; None for no bias.

    step(x, cache, index, mask) returns (y, cache): x (B, T, D) stands at the positions
    index, index + 1, ... (an integer or a tensor) and sees itself and what precedes it.
    With index None the cache is complete, such as the `keys_and_values` of a source,
    and every query sees all of it.
    Input shapes: (B, T, D), (B, S, D). Output shape: (B, T, D).
    Raises: ValueError as `MultiHeadAttention`; for a sliding window; for a rotation of
    an odd key_dim; for groups of unequal size; for a position_bias that is no such
    layer, or of inputs of another rank than 3.

    >>> layer, x = CachedMultiHeadAttention(2, 4), keras.random.normal((1, 3, 8))
    >>> y, cache = layer(x, x, use_causal_mask=True), layer.empty_cache(1, 3)
    >>> for t in range(3):  # one token at a time
    ...     y_t, cache = layer.step(x[:, t : t + 1], cache, index=t)
    ...     print(bool(keras.ops.all(abs(y_t - y[:, t : t + 1]) < 1e-5)))
    True
    True
    True
    >>> shared = CachedMultiHeadAttention(4, 2, num_key_value_heads=1)
    >>> shared.empty_cache(1, 9)[0].shape  # one head of keys in place of four
    TensorShape([1, 1, 9, 2])

    Papers: Ainslie et al., "GQA: training generalized multi-query transformer models
    from multi-head checkpoints", 2023, https://arxiv.org/abs/2305.13245; Shazeer,
    "Fast transformer decoding: one write-head is all you need", 2019.
    https://arxiv.org/abs/1911.02150
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        max_wavelength: float | None = None,
        num_key_value_heads: int | None = None,
        position_bias: keras.layers.Layer | Config | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_heads, key_dim, **kwargs)
        if self.sliding_window is not None:
            raise ValueError(
                "CachedMultiHeadAttention has no window: expected "
                f"sliding_window=None, got {self.sliding_window}."
            )
        self.max_wavelength = python_number(max_wavelength)
        self.rotary = None
        if max_wavelength is not None:
            self.rotary = RotaryEmbedding(max_wavelength, dtype=self.dtype_policy)
        self.num_key_value_heads = _shared_heads(num_key_value_heads, self.num_heads)
        self.key_value_heads = self.num_key_value_heads or self.num_heads
        self.position_bias = _own_copy(position_bias, self.dtype_policy)

    def build(
        self, query_shape: tuple, value_shape: tuple, key_shape: tuple | None = None
    ) -> None:
        if self.position_bias is not None:
            if len(query_shape) != 3:
                raise ValueError(
                    "A `position_bias` is for inputs (B, T, D): got a query of shape "
                    f"{tuple(query_shape)}."
                )
            self.position_bias.build((None, self.num_heads, None, None))
        super().build(query_shape, value_shape, key_shape)

    def _with_positions(self, x, start_index: int = 0):
        return x if self.rotary is None else self.rotary(x, start_index=start_index)

    def _bias(self, queries, keys, start_index: Any = 0):
        if self.position_bias is None:
            return None
        return self.position_bias.bias(queries, keys, start_index)

    def empty_cache(self, batch_size: int, length: int) -> tuple:
        """The cache (K, V) of `length` tokens, all of them still to come.

        Heads come first, (B, heads, length, d), which is how a step multiplies them.
        """
        tokens = batch_size, self.key_value_heads, length
        K = ops.zeros((*tokens, self.key_dim), self.compute_dtype)
        V = ops.zeros((*tokens, self.value_dim), self.compute_dtype)
        return K, V

    def keys_and_values(self, value, start_index: int = 0) -> tuple:
        """(K, V) of the tokens `value`, the first of which stands at `start_index`."""
        K = self._with_positions(self.key_dense(value), start_index)
        V = self.value_dense(value)
        return _by_heads(K), _by_heads(V)

    def step(self, query, cache, index=None, mask=None) -> tuple:
        """(y, cache) of the next tokens; see the docstring of the class."""
        start = 0 if index is None else index
        if index is not None:
            tokens = ops.shape(query)[1]
            places = ops.shape(cache[0])[2]
            is_inside = within(places, index, tokens, "The cache")
            query = nan_unless(is_inside, query)
            cache = tuple(
                cache_with(ops.cast(new, old.dtype), old, index, axis=2)
                for old, new in zip(cache, self.keys_and_values(query, index))
            )
        Q = _by_heads(self._with_positions(self.query_dense(query), start))
        K, V = cache  # B heads S d
        if mask is not None:
            mask = ops.expand_dims(ops.cast(mask, "bool"), -2)  # B 1 S
        T, S = ops.shape(Q)[2], ops.shape(K)[2]
        is_causal = index is not None
        allowed = allowed_keys((0, T), (0, S), mask, is_causal, offset=start)
        if allowed is not None and len(allowed.shape) == 3:
            allowed = ops.expand_dims(allowed, 1)  # B 1 T S
        y = self._attend(Q, K, V, allowed, self._bias(T, S, start))
        y = _by_heads(y)  # B T heads d
        if self.use_gate:
            y = ops.multiply(y, self._gate_dense(query))
        return self.output_dense(y), cache

    def _attend(self, Q, K, V, allowed, bias):
        """y (B, heads, T, d), where a group of heads shares K and V."""
        size = self.heads // self.key_value_heads
        if size == 1:
            return scaled_dot_product(Q, K, V, allowed, bias=bias)
        B, _, T, _ = ops.shape(Q)
        groups = self.key_value_heads, size
        Q = ops.reshape(Q, (B, *groups, T, self.key_dim))
        K, V = ops.expand_dims(K, 2), ops.expand_dims(V, 2)  # B groups 1 S d
        if allowed is not None and len(allowed.shape) == 4:
            allowed = ops.expand_dims(allowed, 1)  # B 1 1 T S
        if bias is not None:
            bias = ops.reshape(bias, (*groups, *ops.shape(bias)[1:]))
        y = scaled_dot_product(Q, K, V, allowed, bias=bias)
        return ops.reshape(y, (B, self.heads, T, self.value_dim))

    def get_config(self) -> Config:
        config = {
            **super().get_config(),
            "max_wavelength": self.max_wavelength,
            "num_key_value_heads": self.num_key_value_heads,
            "position_bias": keras.layers.serialize(self.position_bias),
        }
        del config["sliding_window"]
        return config
