"""LSTM with peepholes, as a cell for keras.layers.RNN."""

from typing import Any

import keras
from keras import ops

from ...common.types import Config, Initializer
from .lstm import LSTMCell


@keras.saving.register_keras_serializable(package="keras_cookbook")
class PeepholeLSTMCell(LSTMCell):
    """One step of an LSTM whose gates see the carry itself, for precise timing.

    z_i, z_f, z_g, z_o = x W + h_tm1 U + b
    i, f = sigma(z_i + p_i * c_tm1), sigma(z_f + p_f * c_tm1)
    c = f * c_tm1 + i * activation(z_g)
    o = sigma(z_o + p_o * c)
    h = o * activation(c)

    Args:
        units: size U of h and c, a positive integer.
        peephole_initializer: initializer of p (3, U), the rows p_i, p_f and p_o.
        **kwargs: the other arguments of `LSTMCell`.

    Input: x (B, D) and [h_tm1, c_tm1], each (B, U). Output: h (B, U) and [h, c].
    Raises: ValueError for units that are not a positive integer.

    >>> zeros = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
    >>> cell = PeepholeLSTMCell(1, keras.initializers.Constant(-1.0), **zeros)
    >>> h, c = keras.ops.zeros((2, 1)), keras.ops.array([[1.0], [100.0]])
    >>> _, (h, c) = cell(keras.ops.zeros((2, 1)), [h, c])
    >>> [round(float(v), 4) for v in c[:, 0]]  # f sees c: it clears a large one
    [0.5, 0.0]

    Paper: Gers, Schraudolph, Schmidhuber, "Learning precise timing with LSTM recurrent
    networks", 2002. https://www.jmlr.org/papers/v3/gers02a.html
    """

    def __init__(
        self,
        units: int,
        peephole_initializer: Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        self.peephole_initializer = keras.initializers.get(peephole_initializer)

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.peephole = self.add_weight(
            (3, self.units), self.peephole_initializer, name="peephole"
        )

    def call(self, inputs, states, training: bool = False):
        h_tm1, c_tm1 = states
        z = self._sum(inputs, h_tm1, training)  # x W + h_tm1 U + b
        z_i, z_f, z_g, z_o = ops.split(z, 4, axis=-1)
        p_i, p_f, p_o = self.peephole[0], self.peephole[1], self.peephole[2]
        sigma = self.recurrent_activation
        f = sigma(z_f + p_f * c_tm1)
        kept = f * c_tm1
        i = sigma(z_i + p_i * c_tm1)
        c = kept + i * self.activation(z_g)
        o = sigma(z_o + p_o * c)
        h = o * self.activation(c)
        return h, [h, c]

    def get_config(self) -> Config:
        p = keras.initializers.serialize(self.peephole_initializer)
        return {**super().get_config(), "peephole_initializer": p}
