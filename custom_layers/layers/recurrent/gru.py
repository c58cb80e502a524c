"""GRU, the gated recurrent unit: its cell and the layer that runs it."""

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
from .cell import _as_tensor, _Cell, _like
from .fused import _FORMULA_OF_GRU, _Formula
from .gpu import _is_left_to_xla
from .layer import _of_cell, _RecurrentLayer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GRUCell(_Cell):
    """One step of the gated recurrent unit: gate z mixes old and new, gate r resets.

    z, r = sigma(x W_z + h_tm1 U_z + b_z), sigma(x W_r + h_tm1 U_r + b_r)
    n = activation(x W_n + b_n + r * (h_tm1 U_n + b'_n))    with reset_after
    n = activation(x W_n + b_n + (r * h_tm1) U_n)           without
    h = z * h_tm1 + (1 - z) * n

    With reset_after b has two rows: the first is added to x W, the second to h_tm1 U.

    Args:
        units: size U of the state h, a positive integer.
        activation, recurrent_activation: the functions `activation` and sigma.
        use_bias: whether b is added.
        kernel_*, recurrent_*, bias_*: initializers, regularizers and constraints of
            W, U and b.
        dropout, recurrent_dropout: rates at which entries of x and of h_tm1 are
            dropped in training, with one mask for all steps of a sequence.
        reset_after: whether r acts after the product with U (as on GPUs) or before.
        seed: integer that makes the dropout repeatable.

    Input: x (B, D) and [h_tm1 (B, U)]. Output: h (B, U) and [h].
    Raises: ValueError for units that are not a positive integer.

    >>> cell = GRUCell(1, kernel_initializer="zeros", recurrent_initializer="zeros")
    >>> h, _ = cell(keras.ops.ones((1, 1)), [keras.ops.array([[8.0]])])
    >>> float(h[0, 0])  # z = 1/2 and n = 0: half of the old state
    4.0

    Paper: Cho, van Merrienboer, Gulcehre, Bahdanau, Bougares, Schwenk, Bengio,
    "Learning phrase representations using RNN encoder-decoder for statistical machine
    translation", 2014. https://arxiv.org/abs/1406.1078
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
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
        reset_after: bool = True,
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
        self.reset_after = reset_after
        if reset_after:
            self.bias_shape = (2, 3 * self.units)

    def call(self, inputs, states, training: bool = False):
        h_tm1 = _as_tensor(states)
        sigma = self.recurrent_activation
        W, U, b_x, b_h = self._current_weights()
        mask_x, mask_h = self._dropout_masks(inputs, h_tm1, training)
        x_W = self._product(inputs, W, mask_x) + b_x
        x_z, x_r, x_n = ops.split(x_W, 3, axis=-1)
        if self.reset_after:
            h_U = self._product(h_tm1, U, mask_h) + b_h
            h_z, h_r, h_n = ops.split(h_U, 3, axis=-1)
            r = sigma(x_r + h_r)
            h_n = r * h_n
        else:
            U_zr, U_n = U[:, : 2 * self.units], U[:, 2 * self.units :]
            h_U = self._product(h_tm1, U_zr, mask_h and mask_h[:2])
            h_z, h_r = ops.split(h_U, 2, axis=-1)
            r = sigma(x_r + h_r)
            h_n = self._product(r * h_tm1, U_n, mask_h and mask_h[2:])
        z = sigma(x_z + h_z)
        n = self.activation(x_n + h_n)
        h = z * h_tm1 + (1 - z) * n
        return h, _like(states, h)

    @property
    def fused_formula(self) -> _Formula | None:
        usual = self.reset_after and self._has_usual_activations()
        return _FORMULA_OF_GRU if usual else None

    def _read_weights(self) -> tuple:
        """W, U and the biases of x W and of h_tm1 U (0 where there is none)."""
        W = ops.convert_to_tensor(self.kernel)
        U = ops.convert_to_tensor(self.recurrent_kernel)
        if self.bias is None:
            return W, U, 0, 0
        b = ops.convert_to_tensor(self.bias)
        return (W, U, b[0], b[1]) if self.reset_after else (W, U, b, 0)

    def get_config(self) -> Config:
        sigma = keras.activations.serialize(self.recurrent_activation)
        return {
            **super().get_config(),
            "recurrent_activation": sigma,
            "reset_after": self.reset_after,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GRU(_RecurrentLayer):
    """The gated recurrent unit, run over a sequence.

    h_t = cell(x_t, h_tm1), the step whose formula `GRUCell` shows;
    the output is h_T, or every h_t.

    Args:
        units, activation, ..., recurrent_dropout, seed, reset_after: see `GRUCell`.
        activity_regularizer: penalty on the output.
        return_sequences: whether to return every h_t instead of the last one.
        return_state: whether to return the final h too.
        go_backwards: whether to read the sequence from its last step to its first.
        stateful: whether a batch starts from the final state of the batch before it.
        unroll: whether to write the loop out, step by step.
        zero_output_for_mask: whether masked steps return zeros instead of repeating
            the output of the step before them; it concerns return_sequences only.
        use_cudnn: whether cuDNN runs the sequence on a GPU: "auto" where it can, True
            (an error where it cannot), or False.

    Call: sequences, initial_state, mask (B, T), training. A masked step leaves the
        state as it is.
    Input shape: (B, T, D). Output shape: (B, units), or (B, T, units).
    Raises: ValueError for units that are not a positive integer, or another use_cudnn.
    Differs from Keras: as LSTM does, in its masks, its states and cuDNN.

    >>> keeping = keras.initializers.Constant([100.0, 0.0, 0.0])  # z = 1
    >>> layer, x = GRU(1, bias_initializer=keeping), keras.random.normal((1, 50, 1))
    >>> y = layer(x, initial_state=[keras.ops.array([[0.7]])])
    >>> round(float(y[0, 0]), 4)  # remembered for 50 steps
    0.7

    Paper: Cho, van Merrienboer, Gulcehre, Bahdanau, Bougares, Schwenk, Bengio,
    "Learning phrase representations using RNN encoder-decoder for statistical machine
    translation", 2014. https://arxiv.org/abs/1406.1078
    """

    cell: GRUCell
    kernel_on_gpu = "gru"
    recurrent_activation = _of_cell("recurrent_activation")
    reset_after: bool = _of_cell("reset_after")

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
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
        seed: Seed = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: str | bool = "auto",
        **kwargs: Any,
    ) -> None:
        cell = GRUCell(
            units=units,
            activation=activation,
            recurrent_activation=recurrent_activation,
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
            reset_after=reset_after,
            seed=seed,
            implementation=kwargs.pop("implementation", 2),
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="gru_cell",
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
