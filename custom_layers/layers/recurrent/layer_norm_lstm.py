"""LSTM with layer normalization, as a cell for keras.layers.RNN."""

from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.initial_values import fresh
from ...common.types import Config, Initializer
from .lstm import LSTMCell


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LayerNormLSTMCell(LSTMCell):
    """One step of an LSTM with normalized sums, which keeps long sequences stable.

    N(v; gamma) = gamma * (v - mean(v)) / sqrt(variance(v) + epsilon)
    z_i, z_f, z_g, z_o = N(x W; gamma_x) + N(h_tm1 U; gamma_h) + b
    i, f, o = sigma(z_i), sigma(z_f), sigma(z_o)
    c = f * c_tm1 + i * activation(z_g)
    h = o * activation(N(c; gamma_c) + beta_c)

    Args:
        units: size U of h and c, a positive integer.
        epsilon: number added to the variance.
        gamma_initializer, beta_initializer: initializers of gamma and beta.
        **kwargs: the other arguments of `LSTMCell`.

    Input: x (B, D) and [h_tm1, c_tm1], each (B, U). Output: h (B, U) and [h, c].
    Raises: ValueError for units that are not a positive integer.

    >>> layer = keras.layers.RNN(LayerNormLSTMCell(8))
    >>> x = keras.random.normal((1, 9, 4))
    >>> change = layer(1000.0 * x) - layer(10.0 * x)
    >>> bool(keras.ops.all(abs(change) < 0.01))  # large inputs saturate no gate
    True

    Paper: Ba, Kiros, Hinton, "Layer normalization", 2016.
    https://arxiv.org/abs/1607.06450
    """

    def __init__(
        self,
        units: int,
        epsilon: float = 1e-3,
        gamma_initializer: Initializer = "ones",
        beta_initializer: Initializer = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        self.epsilon = python_number(epsilon)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.beta_initializer = keras.initializers.get(beta_initializer)

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        of_gates = (4 * self.units,)
        of_carry = (self.units,)
        gamma = self.gamma_initializer
        beta = self.beta_initializer
        self.gamma_x = self.add_weight(of_gates, gamma, name="gamma_x")
        self.gamma_h = self.add_weight(of_gates, fresh(gamma), name="gamma_h")
        self.gamma_c = self.add_weight(of_carry, fresh(gamma), name="gamma_c")
        self.beta_c = self.add_weight(of_carry, beta, name="beta_c")

    def call(self, inputs, states, training: bool = False):
        h_tm1, c_tm1 = states
        W, U, b = self._current_weights()
        mask_x, mask_h = self._dropout_masks(inputs, h_tm1, training)
        x_W = self._product(inputs, W, mask_x)
        h_U = self._product(h_tm1, U, mask_h)
        N_x = self._normalized(x_W, self.gamma_x)
        N_h = self._normalized(h_U, self.gamma_h)
        z = N_x + N_h
        if b is not None:
            z = z + b

        z_i, z_f, z_g, z_o = ops.split(z, 4, axis=-1)
        sigma = self.recurrent_activation
        i = sigma(z_i)
        f = sigma(z_f)
        o = sigma(z_o)
        c = f * c_tm1 + i * self.activation(z_g)
        N_c = self._normalized(c, self.gamma_c)
        h = o * self.activation(N_c + self.beta_c)
        return h, [h, c]

    def _normalized(self, v, gamma):
        """N(v; gamma), with its statistics in float32 at least."""
        v = ops.cast(v, keras.backend.result_type(v.dtype, "float32"))
        centred = v - ops.mean(v, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        normal = centred * ops.rsqrt(variance + self.epsilon)
        normal = ops.cast(normal, self.compute_dtype)
        return gamma * normal

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
        }
