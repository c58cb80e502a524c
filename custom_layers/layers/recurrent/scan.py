"""Recurrences without a product with h_tm1, which run over many steps at once.

h_t = a_t * h_tm1 + b_t, where a and b depend on the inputs alone. Such steps can be
joined before h_tm1 is known, so that blocks of steps run side by side.
"""

import math
from typing import Any

import keras
from keras import ops

from ...common.checks import positive_integer, python_number
from ...common.inputs import as_floats
from ...common.private_keras import CellWithDropout
from ...common.types import (
    Activation,
    Config,
    Constraint,
    Initializer,
    Regularizer,
    Seed,
)
from .cell import _as_tensor, _like
from .layer import _LayerOfCell


@ops.custom_gradient
def _scan(a, b, h_0):
    """All h_t = a_t * h_tm1 + b_t (B, T, U), from a and b (B, T, U) and h_0 (B, U).

    The number T of steps must be known. The gradient g of h is a scan as well, from the
    last step to the first: g_t = d_t + a_(t+1) * g_(t+1), where d is that of the loss
    to the output. Then d_a = g * h_tm1 and d_b = g.
    """
    hs = _blockwise_scan(a, b, h_0)

    def gradient(*args, upstream=None):
        # torch passes the inputs as well, and only what is made of these has a
        # gradient of its own; TensorFlow and JAX pass d alone.
        d, inputs, after = args[0], (a, b, h_0), hs
        if upstream is not None:
            d, inputs, after = upstream, args, _blockwise_scan(*args)
        a_, _, h_0_ = inputs
        later = ops.concatenate([a_[:, 1:], ops.zeros_like(a_[:, :1])], axis=1)
        backwards = (ops.flip(later, axis=1), ops.flip(d, axis=1))
        g = ops.flip(_blockwise_scan(*backwards, ops.zeros_like(h_0_)), axis=1)
        before = ops.concatenate([ops.expand_dims(h_0_, 1), after[:, :-1]], axis=1)
        return g * before, g, a_[:, 0] * g[:, 0]

    return hs, gradient


def _blockwise_scan(a, b, h_0):
    """All h_t, in about 2 sqrt(T) rounds in place of T.

    The steps are cut into K blocks of C. First all blocks run at once, from a state of
    0: B_c is their state after step c, and A_c the share of the state before the block
    that is left by then. Next the states at their beginnings are found, one after the
    other. What comes from there is added to B.
    """
    steps, units = a.shape[1:]
    C = math.isqrt(steps - 1) + 1
    K = -(-steps // C)  # rounded up
    missing = [(0, 0), (0, K * C - steps), (0, 0)]
    a, b = (ops.reshape(ops.pad(v, missing), (-1, K, C, units)) for v in (a, b))
    A, B = [a[:, :, 0]], [b[:, :, 0]]
    for c in range(1, C):
        B.append(a[:, :, c] * B[-1] + b[:, :, c])
        A.append(a[:, :, c] * A[-1])
    starts = [h_0]
    for k in range(K - 1):
        starts.append(A[-1][:, k] * starts[-1] + B[-1][:, k])
    start = ops.stack(starts, axis=1)  # B, K, U
    hs = ops.stack([A_c * start + B_c for A_c, B_c in zip(A, B)], axis=2)
    return ops.reshape(hs, (-1, K * C, units))[:, :steps]


class _ScanCell(keras.layers.Layer, CellWithDropout):
    """One step h = a * h_tm1 + b, where a and b are functions of x W + bias.

    A subclass names the number of its gates, with which W is (D, G U), and computes a
    and b in `coefficients`.
    """

    gates = 2
    recurrent_dropout = 0.0  # no product with h_tm1, of which entries could be dropped

    def __init__(
        self,
        units: int,
        activation: Activation = None,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        units = positive_integer(units, "units")
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.dropout = min(1.0, max(0.0, python_number(dropout)))
        self.seed = python_number(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.bias = None

    def build(self, input_shape: tuple) -> None:
        width = self.gates * self.units
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], width),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(width,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def coefficients(self, z) -> tuple:
        """(a, b) of h = a * h_tm1 + b, from z = x W + bias (..., G U)."""
        raise NotImplementedError

    def sums(self, x, mask=None):
        """z = x W + bias, of x (..., D), which is multiplied by a dropout mask."""
        x = as_floats(x, self.compute_dtype)
        z = ops.matmul(x if mask is None else x * mask, self.kernel)
        return z if self.bias is None else z + self.bias

    def call(self, inputs, states, training: bool = False):
        h_tm1 = _as_tensor(states)
        z = self.sums(inputs, self.get_dropout_mask(inputs) if training else None)
        a, b = self.coefficients(z)
        h = a * h_tm1 + b
        return h, _like(states, h)

    def get_dropout_mask(self, step_input):
        """The dropout mask of Keras, made of floats for inputs of integers too."""
        return super().get_dropout_mask(as_floats(step_input, self.compute_dtype))

    def get_initial_state(self, batch_size: int | None = None) -> list:
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype)]

    def get_config(self) -> Config:
        regularizers, constraints = keras.regularizers, keras.constraints
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "dropout": self.dropout,
            "seed": self.seed,
        }


class _ScanLayer(_LayerOfCell):
    """A layer that computes many steps of its cell at once."""

    cell: _ScanCell
    kind_of_cell: type[_ScanCell]
    name_of_cell: str

    def __init__(
        self,
        units: int,
        activation: Activation = None,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        seed: Seed = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = self.kind_of_cell(
            units=units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            seed=seed,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name=self.name_of_cell,
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )

    def inner_loop(self, sequences, initial_state, mask, training: bool = False):
        """(last output, outputs, last states)."""
        if sequences.shape[1] is None:  # TensorFlow does not know it yet: step by step
            return super().inner_loop(sequences, initial_state, mask, training)
        mask_x = self.cell.get_dropout_mask(sequences[:, 0]) if training else None
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        mask_x = None if mask_x is None else ops.expand_dims(mask_x, 1)
        a, b = self.cell.coefficients(self.cell.sums(sequences, mask_x))  # B, T, U
        if mask is not None:  # a masked step leaves the state as it is
            is_seen = ops.expand_dims(mask, -1)
            a = ops.where(is_seen, a, 1.0)
            b = ops.where(is_seen, b, 0.0)
        h_0 = ops.copy(initial_state[0])  # on torch, assigning to a state changes it
        outputs = hs = _scan(a, b, h_0)
        if mask is not None:
            # A step is not 0 if it, or one before it, has been seen.
            is_shown = mask
            if not self.zero_output_for_mask:
                is_shown = ops.cumsum(ops.cast(mask, "int32"), axis=1) > 0
            outputs = ops.where(ops.expand_dims(is_shown, -1), hs, 0.0)
        if not self.return_sequences:
            outputs = outputs[:, -1:]
        return outputs[:, -1], outputs, [hs[:, -1]]
