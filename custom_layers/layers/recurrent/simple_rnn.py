"""SimpleRNN, the plain recurrent network: its cell and the layer that runs it."""

from typing import Any

import keras

from ...common.types import (
    Activation,
    Constraint,
    Initializer,
    Regularizer,
    Seed,
)
from .cell import _as_tensor, _Cell, _like
from .fused import _FORMULA_OF_SIMPLE_RNN, _Formula
from .layer import _RecurrentLayer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SimpleRNNCell(_Cell):
    """One step of the plain recurrent network of Elman.

    h = activation(x W + h_tm1 U + b)

    Args:
        units: size U of the state h, a positive integer.
        activation: function of the sum; None leaves the sum as it is.
        use_bias: whether b is added.
        kernel_*, recurrent_*, bias_*: initializers, regularizers and constraints of
            W, U and b.
        dropout, recurrent_dropout: rates at which entries of x and of h_tm1 are
            dropped in training, with one mask for all steps of a sequence.
        seed: integer that makes the dropout repeatable.

    Input: x (B, D) and [h_tm1 (B, U)]. Output: h (B, U) and [h].
    Raises: ValueError for units that are not a positive integer.

    >>> cell = SimpleRNNCell(1, "linear", False, "ones", "ones")  # h = x + h_tm1
    >>> y = keras.layers.RNN(cell)(keras.ops.array([[[1.0], [2.0], [4.0]]]))
    >>> float(y[0, 0])
    7.0

    Paper: Elman, "Finding structure in time", 1990.
    https://doi.org/10.1207/s15516709cog1402_1
    """

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            units=units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **kwargs,
        )

    def call(self, inputs, states, training: bool = False):
        h_tm1 = _as_tensor(states)
        z = self._sum(inputs, h_tm1, training)  # x W + h_tm1 U + b
        h = self.activation(z)
        return h, _like(states, h)

    @property
    def fused_formula(self) -> _Formula | None:
        return _FORMULA_OF_SIMPLE_RNN if self._has_usual_activations() else None


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SimpleRNN(_RecurrentLayer):
    """The plain recurrent network of Elman, run over a sequence.

    h_t = activation(x_t W + h_tm1 U + b); the output is h_T, or every h_t.

    Args:
        units, activation, ..., recurrent_dropout, seed: see `SimpleRNNCell`.
        activity_regularizer: penalty on the output.
        return_sequences: whether to return every h_t instead of the last one.
        return_state: whether to return the final state too.
        go_backwards: whether to read the sequence from its last step to its first.
        stateful: whether a batch starts from the final state of the batch before it.
        unroll: whether to write the loop out, step by step.
        zero_output_for_mask: whether masked steps return zeros instead of repeating
            the output of the step before them; it concerns return_sequences only.

    Call: sequences, initial_state, mask (B, T), training. A masked step leaves the
        state as it is.
    Input shape: (B, T, D). Output shape: (B, units), or (B, T, units).
    Raises: ValueError for units that are not a positive integer.
    Differs from Keras: it applies activity_regularizer; its configuration keeps the
        seed; in its masks and its states it differs as LSTM does.

    >>> half = keras.initializers.Constant(0.5)
    >>> layer = SimpleRNN(1, "linear", False, "ones", half, return_sequences=True)
    >>> y = layer(keras.ops.array([[[8.0], [0.0], [0.0]]]))
    >>> y[0, :, 0].numpy().tolist()  # it remembers, and slowly forgets
    [8.0, 4.0, 2.0]

    Paper: Elman, "Finding structure in time", 1990.
    https://doi.org/10.1207/s15516709cog1402_1
    """

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        cell = SimpleRNNCell(
            units=units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            implementation=kwargs.pop("implementation", 2),
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="simple_rnn_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
