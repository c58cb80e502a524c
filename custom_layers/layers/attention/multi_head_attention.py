"""Multi-head and grouped-query attention: softmax(Q K^T / sqrt(d)) V in every head."""

import functools
import math
import string

import keras
from keras import ops

from .scaled_dot_product import allowed_keys, scaled_dot_product


def _to_heads(x, axes):
    """(B, ..., heads, d) -> (B, axes not attended over, heads, T, d)."""
    free = [a for a in range(len(x.shape) - 1) if a not in axes]
    x = ops.transpose(x, (*free, *axes, len(x.shape) - 1))
    if len(axes) == 1:
        return x
    return ops.reshape(x, (*ops.shape(x)[: len(free)], -1, x.shape[-1]))


def _from_heads(x, query, axes):
    """(B, axes not attended over, heads, T, d) -> the layout of query."""
    free = [a for a in range(len(query.shape) - 1) if a not in axes]
    order = [*free, *axes, len(query.shape) - 1]
    if len(axes) > 1:
        lengths = ops.shape(query)
        x = ops.reshape(x, (*[lengths[a] for a in order[:-1]], x.shape[-1]))
    return ops.transpose(x, [order.index(a) for a in range(len(order))])


def _expand(mask, free, rows, keys):
    """A mask (..., *rows, *keys) with `free` axes before, T and S one axis each."""
    if mask is None:
        return None
    mask = ops.cast(mask, "bool")
    while len(mask.shape) < free + len(rows) + len(keys):
        mask = ops.expand_dims(mask, -len(rows) - len(keys) - 1)
    if len(rows) == 1:
        return mask
    before = ops.shape(mask)[:free]
    mask = ops.broadcast_to(mask, (*before, *rows, *keys))
    return ops.reshape(mask, (*before, math.prod(rows), math.prod(keys)))


def _merge(query_mask, value_mask, key_mask, attention_mask):
    """One mask, where True lets a query (B, T, 1) see a key (B, 1, S); or None."""
    found = [
        mask if axis is None else ops.expand_dims(mask, axis)
        for mask, axis in (
            (query_mask, -1),
            (value_mask, -2),
            (key_mask, -2),
            (attention_mask, None),
        )
        if mask is not None
    ]
    found = [ops.cast(mask, "bool") for mask in found]
    return functools.reduce(ops.logical_and, found) if found else None


def _check_lengths(value_shape, key_shape):
    if tuple(value_shape[1:-1]) != tuple(key_shape[1:-1]):
        raise ValueError(
            "All dimensions of `value` and `key`, except the last one, must be equal. "
            f"Received: value_shape={value_shape} and key_shape={key_shape}"
        )


def _as_tuple(name, value):
    if value is None or isinstance(value, (list, tuple)):
        return value and tuple(value)
    if isinstance(value, int):
        return (value,)
    raise ValueError(
        f"Invalid `{name}`: {value}. `{name}` must be an int, list, or tuple."
    )


def _clone(initializer):
    """Its own instance for every projection, so that no two start alike."""
    is_object = isinstance(initializer, keras.initializers.Initializer)
    return initializer.clone() if is_object else initializer


def _positive(name, value):
    if not isinstance(value, int) or value <= 0:
        raise ValueError(
            f"Received an invalid value for argument `{name}`, expected a positive "
            f"integer. Received: {name}={value}"
        )
    return value


class _HeadAttention(keras.layers.Layer):
    """What attention layers with heads share: settings, projections, masks, call."""

    def _set_heads(self, heads, key_value_heads, key_dim, value_dim):
        self._sizes = heads, key_value_heads, key_dim, value_dim
        if heads % key_value_heads:
            raise ValueError(
                "`num_query_heads` must be divisible by `num_key_value_heads`. "
                f"Received: {heads} and {key_value_heads}"
            )
        self._output_shape = self._attention_axes = None
        self.supports_masking = True

    def _set_attention(self, dropout, use_bias, use_gate, window, flash, seed):
        if window is not None and (not isinstance(window, int) or window <= 0):
            raise ValueError(
                "`sliding_window` must be `None` or a positive integer. "
                f"Received: sliding_window={window}"
            )
        self.dropout, self.seed = dropout, seed
        self.use_bias, self.use_gate = use_bias, use_gate
        self.sliding_window = self._sliding_window = window
        self._flash_attention = flash or keras.config.is_flash_attention_enabled()
        if self._flash_attention and dropout > 0:
            raise ValueError(
                "Dropout is not supported when flash attention is enabled. "
                f"Received: dropout={dropout}, expected 0."
            )

    def _set_projections(self, initializers, regularizers, constraints):
        of_kernel, of_bias = (keras.initializers.get(x) for x in initializers)
        self.kernel_initializer, self.bias_initializer = of_kernel, of_bias
        of_kernel, of_bias, of_output = (
            keras.regularizers.get(x) for x in regularizers
        )
        self.kernel_regularizer, self.bias_regularizer = of_kernel, of_bias
        self._activity_regularizer = of_output
        of_kernel, of_bias = (keras.constraints.get(x) for x in constraints)
        self.kernel_constraint, self.bias_constraint = of_kernel, of_bias

    def _projection(self, name, shape, contracted, features, activation=None):
        """Dense over the last `contracted` axes of `shape`, built."""
        letters = string.ascii_lowercase
        free = letters[: len(shape) - contracted]
        summed = letters[len(free) : len(shape)]
        made = letters[len(shape) : len(shape) + len(features)]
        layer = keras.layers.EinsumDense(
            f"{free}{summed},{summed}{made}->{free}{made}",
            output_shape=(*[None] * (len(free) - 1), *features),
            bias_axes=made if self.use_bias else None,
            activation=activation,
            kernel_initializer=_clone(self.kernel_initializer),
            bias_initializer=_clone(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self._activity_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
            name=name,
        )
        layer.supports_masking = True
        layer.build(shape)
        return layer

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        _check_lengths(value_shape, key_shape)
        H, K, d, e = self._sizes
        self._query_dense = self._projection("query", query_shape, 1, (H, d))
        self._key_dense = self._projection("key", key_shape, 1, (K, d))
        if self.use_gate:
            gate = self._projection("gate", query_shape, 1, (H, e), "sigmoid")
            self._gate_dense = gate
        self._value_dense = self._projection("value", value_shape, 1, (K, e))
        self._dropout_layer = keras.layers.Dropout(
            self.dropout, seed=self.seed, dtype=self.dtype_policy
        )
        self._output_dense = self._projection(
            "attention_output",
            (*query_shape[:-1], H, e),
            2,
            self._output_shape or (query_shape[-1],),
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
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        mask = _merge(query_mask, value_mask, key_mask, attention_mask)
        options = {"return_attention_scores": True} if return_attention_scores else {}
        if type(self)._compute_attention is _HeadAttention._compute_attention:
            options["use_causal_mask"] = use_causal_mask
        else:  # who overrides it gets everything in one mask
            lengths = (0, ops.shape(query)[1]), (0, ops.shape(value)[1])
            mask = allowed_keys(*lengths, mask, use_causal_mask, self.sliding_window)
        Q = self._turn(self._query_dense(query))  # (B, T, heads, key_dim)
        K = self._turn(self._key_dense(value if key is None else key))
        V = self._value_dense(value)
        groups = self._sizes[0] // self._sizes[1]
        if groups > 1:
            K, V = (ops.repeat(x, groups, axis=-2) for x in (K, V))
        y, scores = self._compute_attention(Q, K, V, mask, training, **options)
        if self.use_gate:
            y = ops.multiply(y, self._gate_dense(query))
        y = self._output_dense(y)
        return (y, scores) if return_attention_scores else y

    def _turn(self, x, start_index=0):
        """Q or K with the positions of its tokens, which a subclass brings in."""
        return x

    def _compute_attention(
        self,
        query,
        key,
        value,
        attention_mask=None,
        training=None,
        return_attention_scores=False,
        use_causal_mask=False,
    ):
        """(outputs of the heads, P) of (B, T, heads, d); a subclass may override it."""
        if self._flash_attention and return_attention_scores:
            raise ValueError(
                "Returning attention scores is not supported when flash attention is "
                "enabled. Please disable flash attention to access attention scores."
            )
        axes = self._axes(len(query.shape) - 1)
        free = len(query.shape) - 1 - len(axes)
        query = ops.multiply(query, 1 / math.sqrt(self._sizes[2]))
        q, k, v = (_to_heads(x, axes) for x in (query, key, value))
        lengths = [[ops.shape(x)[a] for a in axes] for x in (query, key)]
        mask = _expand(attention_mask, free, *lengths)
        shape = (*ops.shape(q)[:-1], ops.shape(k)[-2])
        keep = None
        if training and self.dropout > 0:
            keep = self._dropout_layer(ops.ones(shape, q.dtype), training=True)
        masks = mask, use_causal_mask, self.sliding_window
        if not return_attention_scores:
            y = scaled_dot_product(q, k, v, *masks, keep)
            return _from_heads(y, query, axes), None
        y, P = scaled_dot_product(q, k, v, *masks, keep, return_weights=True)
        P = ops.reshape(P, (*shape[:free], *lengths[0], *lengths[1]))
        return _from_heads(y, query, axes), P

    def _axes(self, rank):
        """The axes attended over of an input (B, ..., D) of this rank."""
        axes = self._attention_axes
        return [a % rank for a in (range(1, rank - 1) if axes is None else axes)]

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        _check_lengths(value_shape, value_shape if key_shape is None else key_shape)
        return (*query_shape[:-1], *(self._output_shape or query_shape[-1:]))

    def compute_output_spec(
        self, query, value, key=None, return_attention_scores=False, **kwargs
    ):
        key_shape = None if key is None else key.shape
        shape = self.compute_output_shape(query.shape, value.shape, key_shape)
        y = keras.KerasTensor(shape, dtype=self.compute_dtype)
        if not return_attention_scores:
            return y
        rank = len(query.shape)
        axes = self._axes(rank)
        batch = [query.shape[a] for a in range(rank - 1) if a not in axes]
        attended = [x.shape[a] for x in (query, value) for a in axes]
        shape = (*batch, self._sizes[0], *attended)
        return y, keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self):
        config = {
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "seed": self.seed,
            "activity_regularizer": keras.regularizers.serialize(
                self._activity_regularizer
            ),
        }
        for module in (keras.initializers, keras.regularizers, keras.constraints):
            kind = module.__name__.rsplit(".", 1)[-1][:-1]
            for what in ("kernel", "bias"):
                key = f"{what}_{kind}"
                config[key] = module.serialize(getattr(self, key))
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MultiHeadAttention(_HeadAttention):
    """Attention in several heads, each on its own projection of query, key and value.

    Q = query Wq + bq, K = key Wk + bk, V = value Wv + bv  (for every head)
    P = softmax(Q K^T / sqrt(key_dim)), masked keys left out
    y = concat over heads(P V) Wo + bo;  use_gate: P V * sigmoid(query Wg + bg)

    Args:
        num_heads, key_dim, value_dim: heads, features of Q and K, of V (key_dim).
        dropout: rate at which entries of P are dropped in training; seed: its seed.
        use_bias, use_gate: whether the projections have b; whether there is a gate.
        output_shape: features of y, an integer or a tuple; those of query by default.
        attention_axes: axes attended over; all but batch and features by default.
        sliding_window: how near a key must be: |i - j| < sliding_window.
        flash_attention: accepted; the one formulation here serves every backend.
        kernel_*, bias_*, activity_regularizer: of every projection.

    Call: layer(query, value, key=value, query_mask, value_mask, key_mask,
    attention_mask (B, T, S), return_attention_scores, use_causal_mask).
    Input shapes: (B, T, D), (B, S, Dv), (B, S, Dk). Output shape: (B, T, D).
    Raises: ValueError for sizes that are no positive integers, for key and value of
    different lengths, and where flash attention excludes dropout or scores.
    Differs from Keras: inputs keep their masks, so that a second layer sees them too;
    an explicit `query_mask` counts; causal follows the axis attended over; the config
    does not change with `build`; scores are (B, heads, T, S) symbolically too; beyond
    128 tokens a row without any allowed key averages over fewer keys than all.

    >>> x = keras.ops.ones((2, 5, 8))
    >>> MultiHeadAttention(num_heads=2, key_dim=4)(x, x, use_causal_mask=True).shape
    TensorShape([2, 5, 8])

    Paper: Vaswani et al., "Attention is all you need", 2017.
    https://arxiv.org/abs/1706.03762
    Time of a training step at (4, 1024, 256), 8 heads: 0.7 of Keras's; causal 0.6.
    """

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        dropout=0.0,
        use_bias=True,
        output_shape=None,
        attention_axes=None,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads = _positive("num_heads", num_heads)
        self.key_dim = _positive("key_dim", key_dim)
        self.value_dim = key_dim if value_dim is None else value_dim
        _positive("value_dim", self.value_dim)
        self._set_heads(num_heads, num_heads, key_dim, self.value_dim)
        self._set_attention(
            dropout, use_bias, use_gate, sliding_window, flash_attention, seed
        )
        initializers = kernel_initializer, bias_initializer
        regularizers = kernel_regularizer, bias_regularizer, activity_regularizer
        constraints = kernel_constraint, bias_constraint
        self._set_projections(initializers, regularizers, constraints)
        self._output_shape = _as_tuple("output_shape", output_shape)
        self._attention_axes = _as_tuple("attention_axes", attention_axes)

    @property
    def attention_axes(self):
        return self._attention_axes

    @property
    def query_dense(self):
        return self._query_dense

    @property
    def key_dense(self):
        return self._key_dense

    @property
    def value_dense(self):
        return self._value_dense

    @property
    def output_dense(self):
        return self._output_dense

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "output_shape": self._output_shape,
            "attention_axes": self._attention_axes,
        }
