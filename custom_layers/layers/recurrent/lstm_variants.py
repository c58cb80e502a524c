"""Two relatives of the LSTM cell: with layer normalization, and with peepholes."""

import keras
from keras import ops

from .cells import LSTMCell, _product


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LayerNormLSTMCell(LSTMCell):
    """LSTM step with normalized sums, which keeps long sequences stable.

    N(v; gamma) = gamma * (v - mean(v)) / sqrt(variance(v) + epsilon)
    z_i, z_f, z_g, z_o = N(x W; gamma_x) + N(h_tm1 U; gamma_h) + b
    c = sigma(z_f) * c_tm1 + sigma(z_i) * activation(z_g)
    h = sigma(z_o) * activation(N(c; gamma_c) + beta_c)

    Args:
        units: size U of h and c, a positive integer.
        epsilon: added to the variance.
        gamma_initializer, beta_initializer: start values of gamma and beta.
        **kwargs: the other arguments of `LSTMCell`.

    Input: x (B, D) and [h_tm1, c_tm1], (B, U) each. Output: h (B, U) and [h, c].
    Raises: ValueError for units that are no positive integer.

    >>> x = keras.ops.ones((2, 7, 5))
    >>> keras.layers.RNN(LayerNormLSTMCell(3))(x).shape
    TensorShape([2, 3])

    Paper: Ba, Kiros, Hinton, "Layer normalization", 2016.
    https://arxiv.org/abs/1607.06450
    """

    def __init__(
        self,
        units,
        epsilon=1e-3,
        gamma_initializer="ones",
        beta_initializer="zeros",
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.epsilon = epsilon
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.beta_initializer = keras.initializers.get(beta_initializer)

    def build(self, input_shape):
        super().build(input_shape)
        width = 4 * self.units
        gamma, beta = self.gamma_initializer, self.beta_initializer
        self.gamma_x = self.add_weight((width,), gamma, name="gamma_x")
        self.gamma_h = self.add_weight((width,), gamma, name="gamma_h")
        self.gamma_c = self.add_weight((self.units,), gamma, name="gamma_c")
        self.beta_c = self.add_weight((self.units,), beta, name="beta_c")

    def call(self, inputs, states, training=False):
        h_tm1, c_tm1 = states
        mask_x, mask_h = self._masks(inputs, h_tm1, training)
        x_W = self._normalized(_product(inputs, self.kernel, mask_x), self.gamma_x)
        h_U = _product(h_tm1, self.recurrent_kernel, mask_h)
        z = x_W + self._normalized(h_U, self.gamma_h)
        z = z if self.bias is None else z + self.bias
        i, f, g, o = ops.split(z, 4, axis=-1)
        sigma = self.recurrent_activation
        c = sigma(f) * c_tm1 + sigma(i) * self.activation(g)
        N_c = self._normalized(c, self.gamma_c) + self.beta_c
        h = sigma(o) * self.activation(N_c)
        return h, [h, c]

    def _normalized(self, v, gamma):
        """N(v; gamma), with its statistics in float32 at least."""
        v = ops.cast(v, keras.backend.result_type(v.dtype, "float32"))
        centred = v - ops.mean(v, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
        normal = centred * ops.rsqrt(variance + self.epsilon)
        return gamma * ops.cast(normal, self.compute_dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class PeepholeLSTMCell(LSTMCell):
    """LSTM step whose gates see the carry itself, for precise timing.

    z_i, z_f, z_g, z_o = x W + h_tm1 U + b
    i, f = sigma(z_i + p_i * c_tm1), sigma(z_f + p_f * c_tm1)
    c = f * c_tm1 + i * activation(z_g)
    o = sigma(z_o + p_o * c)
    h = o * activation(c)

    Args:
        units: size U of h and c, a positive integer.
        peephole_initializer: start values of p (3, U), the rows p_i, p_f, p_o.
        **kwargs: the other arguments of `LSTMCell`.

    Input: x (B, D) and [h_tm1, c_tm1], (B, U) each. Output: h (B, U) and [h, c].
    Raises: ValueError for units that are no positive integer.

    >>> x = keras.ops.ones((2, 7, 5))
    >>> keras.layers.RNN(PeepholeLSTMCell(3))(x).shape
    TensorShape([2, 3])

    Paper: Gers, Schraudolph, Schmidhuber, "Learning precise timing with LSTM recurrent
    networks", 2002. https://www.jmlr.org/papers/v3/gers02a.html
    """

    def __init__(self, units, peephole_initializer="glorot_uniform", **kwargs):
        super().__init__(units, **kwargs)
        self.peephole_initializer = keras.initializers.get(peephole_initializer)

    def build(self, input_shape):
        super().build(input_shape)
        self.peephole = self.add_weight(
            (3, self.units), self.peephole_initializer, name="peephole"
        )

    def call(self, inputs, states, training=False):
        h_tm1, c_tm1 = states
        i, f, g, o = ops.split(self._sum(inputs, h_tm1, training), 4, axis=-1)
        sigma = self.recurrent_activation
        p_i, p_f, p_o = (self.peephole[k] for k in range(3))
        c = sigma(f + p_f * c_tm1) * c_tm1 + sigma(i + p_i * c_tm1) * self.activation(g)
        h = sigma(o + p_o * c) * self.activation(c)
        return h, [h, c]

    def get_config(self):
        return {
            **super().get_config(),
            "peephole_initializer": keras.initializers.serialize(
                self.peephole_initializer
            ),
        }
