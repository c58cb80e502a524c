"""What the recurrent cells share: W, U and b, dropout, states and configuration."""

import contextlib
from collections.abc import Iterator
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
from .fused import _Formula


class _Cell(keras.layers.Layer, CellWithDropout):
    """A recurrent cell with the weights W (D, G U), U (U, G U) and b (G U) of G gates.

    A subclass names the number of its gates and computes one step in `call`. Cells run
    inside `keras.layers.RNN`, alone or stacked, and inside the layers of this folder.
    """

    gates = 1
    trains_weights = True  # W, U and b

    def __init__(
        self,
        *,
        units: int,
        activation: Activation,
        use_bias: bool,
        kernel_initializer: Initializer,
        recurrent_initializer: Initializer,
        bias_initializer: Initializer,
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Seed = None,
        implementation: int = 2,
        **kwargs: Any,
    ) -> None:
        units = positive_integer(units, "units")
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.recurrent_constraint = keras.constraints.get(recurrent_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.dropout = min(1.0, max(0.0, python_number(dropout)))
        recurrent_dropout = python_number(recurrent_dropout)
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.seed = python_number(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.implementation = 1 if self.recurrent_dropout else implementation
        if self.gates > 1 and self.implementation == 1:
            self.dropout_mask_count = self.gates  # each gate has noise of its own
        self.state_size: int | list[int] = units
        self.output_size = units
        self.bias_shape: tuple[int, ...] = (self.gates * units,)
        self.bias = None
        self._weights_of_loop: tuple | None = None

    def build(self, input_shape: tuple) -> None:
        of_x, of_h = self._kernel_shapes(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=of_x,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            trainable=self.trains_weights,
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=of_h,
            initializer=self._initial_recurrent_kernel,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
            trainable=self.trains_weights,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=self.bias_shape,
                initializer=self._initial_bias,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                trainable=self.trains_weights,
            )

    def _kernel_shapes(self, input_shape: tuple) -> tuple[tuple, tuple]:
        """The shapes of W and of U."""
        width = self.gates * self.units
        return (input_shape[-1], width), (self.output_size, width)

    def _initial_recurrent_kernel(self, shape, dtype=None):
        return self.recurrent_initializer(shape, dtype=dtype)

    def _initial_bias(self, shape, dtype=None):
        return self.bias_initializer(shape, dtype=dtype)

    @contextlib.contextmanager
    def weights_read_once(self) -> Iterator[None]:
        """A context in which `call` takes W, U and b as they were at its beginning.

        A layer runs its loop over the steps in this context, because reading the
        variables anew at every step takes time.
        """
        self._weights_of_loop = self._read_weights()
        try:
            yield
        finally:
            self._weights_of_loop = None

    def _current_weights(self):
        return self._weights_of_loop or self._read_weights()

    def _read_weights(self) -> tuple:
        """W, U and b (None without a bias), as tensors."""
        W = ops.convert_to_tensor(self.kernel)
        U = ops.convert_to_tensor(self.recurrent_kernel)
        b = None if self.bias is None else ops.convert_to_tensor(self.bias)
        return W, U, b

    @property
    def fused_formula(self) -> _Formula | None:
        """The same step for the fast loop, or None if there is none for the options."""
        return None

    def _has_usual_activations(self) -> bool:
        sigma = getattr(self, "recurrent_activation", keras.activations.sigmoid)
        return (
            self.activation is keras.activations.tanh
            and sigma is keras.activations.sigmoid
        )

    def weights_of_fused_loop(self) -> tuple:
        """W, U and b (0 without a bias)."""
        W = ops.convert_to_tensor(self.kernel)
        U = ops.convert_to_tensor(self.recurrent_kernel)
        if self.bias is None:
            return W, U, ops.zeros(self.bias_shape, W.dtype)
        return W, U, ops.convert_to_tensor(self.bias)

    def _sum(self, x, h_tm1, training: bool | None):
        """x W + h_tm1 U + b, with x and h_tm1 under dropout in training."""
        W, U, b = self._current_weights()
        mask_x, mask_h = self._dropout_masks(x, h_tm1, training)
        z = self._product(x, W, mask_x) + self._product(h_tm1, U, mask_h)
        return z if b is None else z + b

    def _dropout_masks(self, x, h_tm1, training: bool | None):
        """The masks of x and of h_tm1, the same for all steps of a sequence.

        Each is a tensor, a list with one tensor per gate, or None without dropout.
        """
        if not training:
            return None, None
        return self.get_dropout_mask(x), self.get_recurrent_dropout_mask(h_tm1)

    def get_dropout_mask(self, step_input):
        """The dropout mask of Keras, made of floats for inputs of integers too."""
        return super().get_dropout_mask(as_floats(step_input, self.compute_dtype))

    @staticmethod
    def _product(x, kernel, mask):
        """x kernel, where x is multiplied by a dropout mask, or by one per gate."""
        if mask is None:
            return ops.matmul(x, kernel)
        if not isinstance(mask, list):
            return ops.matmul(x * mask, kernel)
        kernels = ops.split(kernel, len(mask), axis=-1)
        products = [
            ops.matmul(x * mask_of_gate, kernel_of_gate)
            for mask_of_gate, kernel_of_gate in zip(mask, kernels)
        ]
        return ops.concatenate(products, axis=-1)

    def get_initial_state(self, batch_size: int | None = None) -> list:
        # Each state is a tensor of its own. On torch, a variable keeps the memory of
        # the tensor that it starts from: h and c of a stateful LSTM would be one.
        return [
            ops.zeros((batch_size, size), dtype=self.compute_dtype)
            for size in keras.tree.flatten(self.state_size)
        ]

    def get_config(self) -> Config:
        regularizers, constraints = keras.regularizers, keras.constraints
        of_kernel = keras.initializers.serialize(self.kernel_initializer)
        of_recurrent = keras.initializers.serialize(self.recurrent_initializer)
        of_bias = keras.initializers.serialize(self.bias_initializer)
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": of_kernel,
            "recurrent_initializer": of_recurrent,
            "bias_initializer": of_bias,
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "recurrent_constraint": constraints.serialize(self.recurrent_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }


def _as_tensor(states):
    """The only state of a cell, which a layer gives as a list of one tensor."""
    return states[0] if keras.tree.is_nested(states) else states


def _like(states, h):
    """The new state h in the form in which the old `states` came."""
    return [h] if keras.tree.is_nested(states) else h
