"""Recurrences without a product with h_tm1, which run over all steps at once.

h_t = a_t * h_tm1 + b_t, where a and b depend on the inputs alone. Such steps can be
joined in any order, so that a sequence of T steps takes log2(T) rounds.
"""

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


def _scan(a, b):
    """(A, B), both (B, T, U), with which h_t = A_t * h_0 + B_t for every step t.

    (A_t, B_t) takes h from before some steps to after step t: at first from before step
    t itself. Each round joins it to the pair that ends where it begins, so that it
    reaches twice as far back. The number of steps must be known.
    """
    A, B = a, b
    reach = 1
    while reach < a.shape[1]:
        A_t, A_before = A[:, reach:], A[:, :-reach]
        B_t, B_before = B[:, reach:], B[:, :-reach]
        B = ops.concatenate([B[:, :reach], A_t * B_before + B_t], axis=1)
        A = ops.concatenate([A[:, :reach], A_t * A_before], axis=1)
        reach = 2 * reach
    return A, B


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
    """A layer that computes all steps of its cell at once."""

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
        A, B = _scan(a, b)
        (h_0,) = initial_state
        hs = A * ops.expand_dims(h_0, 1) + B
        outputs = hs
        if mask is not None:
            # A step is not 0 if it, or one before it, has been seen.
            is_shown = mask
            if not self.zero_output_for_mask:
                is_shown = ops.cumsum(ops.cast(mask, "int32"), axis=1) > 0
            outputs = ops.where(ops.expand_dims(is_shown, -1), hs, 0.0)
        if not self.return_sequences:
            outputs = outputs[:, -1:]
        return outputs[:, -1], outputs, [hs[:, -1]]
