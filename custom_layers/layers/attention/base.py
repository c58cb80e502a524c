"""What the attention layers with heads share: projections, masks, and the call."""

import numbers
import string
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ...common.checks import one_of, positive_integer, python_number
from ...common.initial_values import fresh
from ...common.inputs import as_floats
from ...common.types import Config, Constraint, Initializer, Regularizer, Seed
from ..einsum_dense import EinsumDense
from .axes import _expanded_mask, _from_heads, _to_heads
from .blockwise_attention import blockwise_attention
from .masks import _joined_masks, allowed_keys
from .scaled_dot_product import scaled_dot_product


class _HeadAttention(keras.layers.Layer):
    """Attention in several heads on projections of query, key and value.

    The attributes that begin with an underscore and end in `_dense`, `_dropout_layer`,
    `_compute_attention`, `_sliding_window` and `_flash_attention` have Keras's names:
    weights are stored in files under them, and Keras's own unit tests use them.
    """

    def __init__(
        self,
        *,
        heads: int,
        key_value_heads: int,
        key_features: int,
        value_features: int,
        dropout: float,
        use_bias: bool,
        use_gate: bool,
        output_shape: Any = None,
        attention_axes: Any = None,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: Initializer,
        bias_initializer: Initializer,
        kernel_regularizer: Regularizer,
        bias_regularizer: Regularizer,
        projection_activity_regularizer: Regularizer,
        kernel_constraint: Constraint,
        bias_constraint: Constraint,
        seed: Seed,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        self.key_value_heads = key_value_heads
        self.key_features = key_features
        self.value_features = value_features
        self.dropout = python_number(dropout)
        self.use_bias = use_bias
        self.use_gate = use_gate
        self.output_features = _optional_tuple(output_shape, "output_shape")
        self.attention_axes = _optional_tuple(attention_axes, "attention_axes")
        if sliding_window is not None:
            sliding_window = positive_integer(sliding_window, "sliding_window")
        self.sliding_window = self._sliding_window = sliding_window
        is_enabled = keras.config.is_flash_attention_enabled()
        self._flash_attention = flash_attention or is_enabled
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.projection_activity_regularizer = keras.regularizers.get(
            projection_activity_regularizer
        )
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.seed = python_number(seed)
        self.supports_masking = True
        self._check_options()

    def _check_options(self):
        if self.heads % self.key_value_heads:
            raise ValueError(
                "`num_query_heads` must be divisible by `num_key_value_heads`. "
                f"Received: {self.heads} and {self.key_value_heads}"
            )
        if self._flash_attention and self.dropout > 0:
            raise ValueError(
                "Dropout is not supported when flash attention is enabled. "
                f"Received: dropout={self.dropout}, expected 0."
            )

    def build(
        self, query_shape: tuple, value_shape: tuple, key_shape: tuple | None = None
    ) -> None:
        key_shape = value_shape if key_shape is None else key_shape
        _check_lengths(value_shape, key_shape)
        of_query = self.heads, self.key_features
        of_key = self.key_value_heads, self.key_features
        of_value = self.key_value_heads, self.value_features
        of_heads = self.heads, self.value_features
        output = self.output_features or (query_shape[-1],)
        self._query_dense = self._projection("query", query_shape, 1, of_query)
        self._key_dense = self._projection("key", key_shape, 1, of_key)
        if self.use_gate:
            gate = self._projection("gate", query_shape, 1, of_heads, "sigmoid")
            self._gate_dense = gate
        self._value_dense = self._projection("value", value_shape, 1, of_value)
        self._dropout_layer = keras.layers.Dropout(
            self.dropout, seed=self.seed, dtype=self.dtype_policy
        )
        shape = (*query_shape[:-1], *of_heads)
        self._output_dense = self._projection("attention_output", shape, 2, output)

    def _projection(self, name, shape, contracted, features, activation=None):
        """A dense layer over the last `contracted` axes of `shape`, built."""
        letters = string.ascii_lowercase
        free = letters[: len(shape) - contracted]
        summed = letters[len(free) : len(shape)]
        made = letters[len(shape) : len(shape) + len(features)]
        # A map of policies may ask for quantization, which only Keras's layer offers.
        is_map = isinstance(self.dtype_policy, keras.dtype_policies.DTypePolicyMap)
        dense = keras.layers.EinsumDense if is_map else EinsumDense
        layer = dense(
            f"{free}{summed},{summed}{made}->{free}{made}",
            output_shape=(*[None] * (len(free) - 1), *features),
            bias_axes=made if self.use_bias else None,
            activation=activation,
            kernel_initializer=fresh(self.kernel_initializer),
            bias_initializer=fresh(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self.projection_activity_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
            name=name,
        )
        layer.supports_masking = True
        layer.build(shape)
        return layer

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        projections: Sequence[str] = ("query", "value"),
    ) -> None:
        """Freezes the kernels of these projections, and adapts them by LoRA.

        The paper adapts those of query and value; "key" and "output" are possible too.

        Raises: ValueError for another projection, and as `Dense.enable_lora` does.
        """
        if not self.built:
            raise ValueError("Cannot enable lora on a layer that isn't yet built.")
        dense = {
            "query": self._query_dense,
            "key": self._key_dense,
            "value": self._value_dense,
            "output": self._output_dense,
        }
        for name in projections:
            dense[one_of(name, tuple(dense), "projections")].enable_lora(
                rank, lora_alpha
            )

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ):
        query, value, key = as_floats([query, value, key], self.compute_dtype)
        mask = _joined_masks(query_mask, value_mask, key_mask, attention_mask)
        options = {"return_attention_scores": True} if return_attention_scores else {}
        if type(self)._compute_attention is _HeadAttention._compute_attention:
            options["use_causal_mask"] = use_causal_mask
        else:  # a subclass that overrides it gets everything in one mask
            rows, keys = (0, ops.shape(query)[1]), (0, ops.shape(value)[1])
            mask = allowed_keys(rows, keys, mask, use_causal_mask, self.sliding_window)
        Q = self._with_positions(self._query_dense(query))  # B T heads key_features
        K = self._with_positions(self._key_dense(value if key is None else key))
        V = self._value_dense(value)
        group_size = self.heads // self.key_value_heads
        if group_size > 1:
            K = ops.repeat(K, group_size, axis=-2)
            V = ops.repeat(V, group_size, axis=-2)
        y, P = self._compute_attention(Q, K, V, mask, training, **options)
        if self.use_gate:
            y = ops.multiply(y, self._gate_dense(query))
        y = self._output_dense(y)
        return (y, P) if return_attention_scores else y

    def _with_positions(self, x, start_index: int = 0):
        """Q or K with the positions of its tokens, which a subclass may bring in."""
        return x

    def _bias(self, queries, keys, start_index: Any = 0):
        """What is added to scores (heads, T, S), which a subclass may bring in."""
        return None

    def _compute_attention(
        self,
        query,
        key,
        value,
        attention_mask=None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ):
        """(outputs of the heads, P) of (B, T, heads, d); a subclass may override it."""
        if self._flash_attention and return_attention_scores:
            raise ValueError(
                "Returning attention scores is not supported when flash attention is "
                "enabled. Please disable flash attention to access attention scores."
            )
        axes = self._attended_axes(len(query.shape) - 1)
        free = len(query.shape) - 1 - len(axes)
        Q, K, V = (_to_heads(x, axes) for x in (query, key, value))
        rows = [ops.shape(query)[axis] for axis in axes]
        keys = [ops.shape(key)[axis] for axis in axes]
        mask = _expanded_mask(attention_mask, free, rows, keys)
        shape = (*ops.shape(Q)[:-1], ops.shape(K)[-2])
        keep = None
        if training and self.dropout > 0:
            keep = self._dropout_layer(ops.ones(shape, Q.dtype), training=True)
        masks = mask, use_causal_mask, self.sliding_window
        bias = self._bias(rows[0], keys[0])
        if bias is None and not return_attention_scores:
            y = blockwise_attention(Q, K, V, *masks, keep)
            return _from_heads(y, query, axes), None
        y, P = scaled_dot_product(Q, K, V, *masks, keep, return_weights=True, bias=bias)
        P = ops.reshape(P, (*shape[:free], *rows, *keys))
        return _from_heads(y, query, axes), P

    def _attended_axes(self, rank):
        """The axes attended over of an input (B, ..., D) of this rank."""
        axes = (
            range(1, rank - 1) if self.attention_axes is None else self.attention_axes
        )
        return [axis % rank for axis in axes]

    def compute_output_shape(
        self, query_shape: tuple, value_shape: tuple, key_shape: tuple | None = None
    ) -> tuple:
        _check_lengths(value_shape, value_shape if key_shape is None else key_shape)
        return (*query_shape[:-1], *(self.output_features or query_shape[-1:]))

    def compute_output_spec(
        self,
        query,
        value,
        key=None,
        return_attention_scores: bool = False,
        **kwargs: Any,
    ):
        key_shape = None if key is None else key.shape
        shape = self.compute_output_shape(query.shape, value.shape, key_shape)
        y = keras.KerasTensor(shape, dtype=self.compute_dtype)
        if not return_attention_scores:
            return y
        rank = len(query.shape)
        axes = self._attended_axes(rank)
        batch = [query.shape[axis] for axis in range(rank - 1) if axis not in axes]
        rows = [query.shape[axis] for axis in axes]
        keys = [value.shape[axis] for axis in axes]
        shape = (*batch, self.heads, *rows, *keys)
        return y, keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> Config:
        initializers, constraints = keras.initializers, keras.constraints
        penalty = self.projection_activity_regularizer
        regularizers = keras.regularizers
        return {
            **super().get_config(),
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(penalty),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "seed": self.seed,
        }


def _check_lengths(value_shape, key_shape):
    if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
        raise ValueError(
            "All dimensions of `value` and `key`, except the last one, must be equal. "
            f"Received: value_shape={value_shape} and key_shape={key_shape}"
        )


def _optional_tuple(value, name):
    """None, or one or several integers as a tuple."""
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(value, numbers.Integral):
        return (int(value),)
    raise ValueError(
        f"Invalid `{name}`: {value}. `{name}` must be an int, list, or tuple."
    )
