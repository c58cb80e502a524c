"""LSTM, long short-term memory: its cell and the layer that runs it."""

from typing import Any

import keras
from keras import ops

from ...common.checks import one_of
from ...common.types import (
    Activation,
    Config,
    Constraint,
    Initializer,
    Regularizer,
    Seed,
)
from .cell import _Cell
from .fused import _FORMULA_OF_LSTM, _Formula
from .gpu import _is_left_to_xla
from .layer import _of_cell, _RecurrentLayer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LSTMCell(_Cell):
    """One step of long short-term memory, whose gates write, keep and read a carry c.

    z_i, z_f, z_g, z_o = x W + h_tm1 U + b
    i, f, o = sigma(z_i), sigma(z_f), sigma(z_o)    the gates: write, keep, read
    c = f * c_tm1 + i * activation(z_g)
    h = o * activation(c)

    Args:
        units: size U of h and c, a positive integer.
        activation, recurrent_activation: the functions `activation` and sigma.
        use_bias: whether b is added.
        unit_forget_bias: whether b of the gate f starts at 1, so that c is kept in the
            beginning.
        kernel_*, recurrent_*, bias_*: initializers, regularizers and constraints of
            W, U and b.
        dropout, recurrent_dropout: rates at which entries of x and of h_tm1 are
            dropped in training, with one mask for all steps of a sequence.
        seed: integer that makes the dropout repeatable.

    Input: x (B, D) and [h_tm1, c_tm1], each (B, U). Output: h (B, U) and [h, c].
    Raises: ValueError for units that are not a positive integer.

    >>> x = keras.ops.array([[[1.0], [2.0], [4.0]]])
    >>> W = keras.initializers.Constant([0.0, 0.0, 1.0, 0.0])  # columns i, f, g, o
    >>> for f in (100.0, -100.0):  # with the gate f open, c adds up; closed, it forgets
    ...     b = keras.initializers.Constant([100.0, f, 0.0, 100.0])
    ...     cell = LSTMCell(1, "linear", "sigmoid", True, W, "zeros", b, False)
    ...     print(float(keras.layers.RNN(cell)(x)[0, 0]))
    7.0
    4.0

    Paper: Hochreiter and Schmidhuber, "Long short-term memory", 1997, with the forget
    gate of Gers, Schmidhuber and Cummins, 2000.
    https://doi.org/10.1162/neco.1997.9.8.1735
    """

    gates = 4
    axis = -1  # of the units

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        unit_forget_bias: bool = True,
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
        self.recurrent_activation = keras.activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def call(self, inputs, states, training: bool = False):
        h_tm1, c_tm1 = states
        z = self._sum(inputs, h_tm1, training)  # x W + h_tm1 U + b
        z_i, z_f, z_g, z_o = ops.split(z, 4, axis=self.axis)
        sigma = self.recurrent_activation
        i, f, o = sigma(z_i), sigma(z_f), sigma(z_o)
        c = f * c_tm1 + i * self.activation(z_g)
        h = o * self.activation(c)
        return h, [h, c]

    @property
    def fused_formula(self) -> _Formula | None:
        return _FORMULA_OF_LSTM if self._has_usual_activations() else None

    def _initial_bias(self, shape, dtype=None):
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        b_i = self.bias_initializer((self.units,), dtype=dtype)
        b_f = ops.ones_like(b_i)
        b_go = self.bias_initializer((2 * self.units,), dtype=dtype)
        return ops.concatenate([b_i, b_f, b_go])

    def get_config(self) -> Config:
        sigma = keras.activations.serialize(self.recurrent_activation)
        return {
            **super().get_config(),
            "recurrent_activation": sigma,
            "unit_forget_bias": self.unit_forget_bias,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LSTM(_RecurrentLayer):
    """Long short-term memory, run over a sequence.

    h_t, c_t = cell(x_t, h_tm1, c_tm1), the step whose formula `LSTMCell` shows;
    the output is h_T, or every h_t.

    Args:
        units, activation, ..., recurrent_dropout, seed: see `LSTMCell`.
        activity_regularizer: penalty on the output.
        return_sequences: whether to return every h_t instead of the last one.
        return_state: whether to return the final h and c too.
        go_backwards: whether to read the sequence from its last step to its first.
        stateful: whether a batch starts from the final state of the batch before it.
        unroll: whether to write the loop out, step by step.
        zero_output_for_mask: whether masked steps return zeros instead of repeating
            the output of the step before them; it concerns return_sequences only.
        use_cudnn: whether cuDNN runs the sequence on a GPU: "auto" where it can, True
            (an error where it cannot), or False.

    Call: sequences, initial_state [h, c], mask (B, T), training. A masked step leaves
        the states as they are.
    Input shape: (B, T, D). Output shape: (B, units), or (B, T, units).
    Raises: ValueError for units that are not a positive integer, for another use_cudnn,
        and for use_cudnn=True where cuDNN cannot run.
    Differs from Keras: use_cudnn=True is an error on JAX and torch too where cuDNN
        cannot run; masks that cuDNN cannot read take the loop; with cuDNN, masked steps
        return what the loop returns; the mask that the input carries counts with an
        initial_state too; zero_output_for_mask leaves a single last output alone; an
        unrolled loop that reads backwards applies the mask in the right order; a
        stateful layer keeps its states in `fit` on JAX, and can be trained and keeps
        its states in mixed precision on torch; a sequence without steps is refused.

    >>> b = keras.initializers.Constant([-100.0, 100.0, 0.0, 100.0])  # f and o are open
    >>> layer = LSTM(1, unit_forget_bias=False, bias_initializer=b)
    >>> h, c = keras.ops.array([[0.0]]), keras.ops.array([[1.0]])
    >>> y = layer(keras.random.normal((1, 50, 1)), initial_state=[h, c])
    >>> round(float(y[0, 0]), 4)  # tanh(1): c is remembered for 50 steps
    0.7616

    Paper: Hochreiter and Schmidhuber, "Long short-term memory", 1997.
    https://doi.org/10.1162/neco.1997.9.8.1735
    """

    cell: LSTMCell
    kernel_on_gpu = "lstm"
    recurrent_activation = _of_cell("recurrent_activation")
    unit_forget_bias: bool = _of_cell("unit_forget_bias")

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Seed = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: str | bool = "auto",
        **kwargs: Any,
    ) -> None:
        cell = LSTMCell(
            units=units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
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
            name="lstm_cell",
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
        self.use_cudnn = one_of(use_cudnn, ("auto", True, False), "use_cudnn")
        self.supports_jit = _is_left_to_xla(self)
