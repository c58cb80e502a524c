"""NASCell, a recurrent cell that a search found, as a cell for keras.layers.RNN."""

from typing import Any

import keras
from keras import ops

from ...common.checks import positive_integer
from ...common.types import Config, Constraint, Initializer, Regularizer, Seed
from .cell import _Cell


@keras.saving.register_keras_serializable(package="keras_cookbook")
class NASCell(_Cell):
    """One step of the cell that neural architecture search found for language models.

    u_0, ..., u_7 = x W,  v_0, ..., v_7 = h_tm1 U + b
    l_0 = tanh(sigmoid(u_0 + v_0) * relu(u_1 + v_1))
    l_1 = tanh(sigmoid(u_2 + v_2) + relu(u_3 * v_3))
    l_2 = tanh(tanh(u_4 + v_4) * sigmoid(u_5 + v_5))
    l_3 = sigmoid(tanh(u_6 + v_6) + sigmoid(u_7 + v_7))
    c = tanh(l_0 + c_tm1) * l_1
    h = tanh(c * tanh(l_2 + l_3)), with a projection h = tanh(...) P

    Args:
        units: size U of the carry c, a positive integer.
        projection: size of h; None makes it U, without P.
        use_bias: whether b is added.
        kernel_*, recurrent_*, bias_*: initializers, regularizers and constraints of
            W, U and b.
        projection_initializer: initializer of P.
        dropout, recurrent_dropout: rates at which entries of x and of h_tm1 are
            dropped in training, with one mask for all steps of a sequence.
        seed: integer that makes the dropout repeatable.

    Input: x (B, D) and [h_tm1, c_tm1]. Output: h and [h, c].
    Raises: ValueError for units, and for a projection, that is not a positive integer.
    Differs from TensorFlow Addons: the states are [h, c], as those of an LSTM; Addons
        has [c, h].

    With a projection, the memory is larger than the output that is fed back, so that
    there are fewer weights:

    >>> for projection in (None, 10):
    ...     rnn = keras.layers.RNN(NASCell(100, projection))
    ...     rnn.build((None, 7, 5))
    ...     print(rnn.count_params())
    84000
    13000

    Paper: Zoph and Le, "Neural architecture search with reinforcement learning", 2017.
    https://arxiv.org/abs/1611.01578
    """

    gates = 8

    def __init__(
        self,
        units: int,
        projection: int | None = None,
        use_bias: bool = False,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "glorot_uniform",
        projection_initializer: Initializer = "glorot_uniform",
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
            activation="tanh",
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
        if projection is not None:
            self.output_size = positive_integer(projection, "projection")
        self.projection = None if projection is None else self.output_size
        self.projection_initializer = keras.initializers.get(projection_initializer)
        self.state_size = [self.output_size, self.units]

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        if self.projection is not None:
            self.projection_kernel = self.add_weight(
                name="projection_kernel",
                shape=(self.units, self.projection),
                initializer=self.projection_initializer,
            )

    def call(self, inputs, states, training: bool = False):
        h_tm1, c_tm1 = states
        W, U, b = self._current_weights()
        mask_x, mask_h = self._dropout_masks(inputs, h_tm1, training)
        x_W = self._product(inputs, W, mask_x)
        h_U = self._product(h_tm1, U, mask_h)
        u = ops.split(x_W, 8, axis=-1)
        v = ops.split(h_U if b is None else h_U + b, 8, axis=-1)
        sigmoid, relu, tanh = ops.sigmoid, ops.relu, ops.tanh
        l_0 = tanh(sigmoid(u[0] + v[0]) * relu(u[1] + v[1]))
        l_1 = tanh(sigmoid(u[2] + v[2]) + relu(u[3] * v[3]))
        l_2 = tanh(tanh(u[4] + v[4]) * sigmoid(u[5] + v[5]))
        l_3 = sigmoid(tanh(u[6] + v[6]) + sigmoid(u[7] + v[7]))
        c = tanh(l_0 + c_tm1) * l_1
        h = tanh(c * tanh(l_2 + l_3))
        if self.projection is not None:
            h = ops.matmul(h, self.projection_kernel)
        return h, [h, c]

    def get_config(self) -> Config:
        P = keras.initializers.serialize(self.projection_initializer)
        config = {
            **super().get_config(),
            "projection": self.projection,
            "projection_initializer": P,
        }
        del config["activation"]
        return config
