"""SimpleRNN with layer normalization, as a cell for keras.layers.RNN."""

from typing import Any

import keras

from ...common.checks import number_from_zero
from ...common.types import Config, Constraint, Initializer, Regularizer
from .cell import _as_tensor, _like
from .layer_norm_lstm import _normalized
from .simple_rnn import SimpleRNNCell


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LayerNormSimpleRNNCell(SimpleRNNCell):
    """One step of Elman's network with a normalized sum, which no input can saturate.

    N(v; gamma) = gamma * (v - mean(v)) / sqrt(variance(v) + epsilon)
    h = activation(N(x W + h_tm1 U; gamma) + b)

    Args:
        units: size U of the state h, a positive integer.
        epsilon: number added to the variance.
        gamma_initializer, gamma_regularizer, gamma_constraint: of gamma (U).
        **kwargs: the other arguments of `SimpleRNNCell`.

    Input: x (B, D) and [h_tm1 (B, U)]. Output: h (B, U) and [h].
    Raises: ValueError for units that are not a positive integer, and for an epsilon
        below 0.

    Large inputs drive a plain cell to 1 and -1, where tanh has no slope; not this one:

    >>> x = 1000 * keras.random.normal((4, 7, 5), seed=1)
    >>> for cell in (SimpleRNNCell(8), LayerNormSimpleRNNCell(8)):
    ...     slope = 1 - keras.ops.square(keras.layers.RNN(cell)(x))
    ...     print(bool(keras.ops.mean(slope) > 0.2))
    False
    True

    Paper: Ba, Kiros, Hinton, "Layer normalization", 2016.
    https://arxiv.org/abs/1607.06450
    """

    fused_formula = None  # that of SimpleRNNCell normalizes nothing

    def __init__(
        self,
        units: int,
        epsilon: float = 1e-5,
        gamma_initializer: Initializer = "ones",
        gamma_regularizer: Regularizer = None,
        gamma_constraint: Constraint = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, **kwargs)
        self.epsilon = number_from_zero(epsilon, "epsilon")
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.gamma_regularizer = keras.regularizers.get(gamma_regularizer)
        self.gamma_constraint = keras.constraints.get(gamma_constraint)

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.gamma = self.add_weight(
            name="gamma",
            shape=(self.units,),
            initializer=self.gamma_initializer,
            regularizer=self.gamma_regularizer,
            constraint=self.gamma_constraint,
        )

    def call(self, inputs, states, training: bool = False):
        h_tm1 = _as_tensor(states)
        W, U, b = self._current_weights()
        mask_x, mask_h = self._dropout_masks(inputs, h_tm1, training)
        v = self._product(inputs, W, mask_x) + self._product(h_tm1, U, mask_h)
        z = _normalized(v, self.gamma, self.epsilon)
        h = self.activation(z if b is None else z + b)
        return h, _like(states, h)

    def get_config(self) -> Config:
        penalty = keras.regularizers.serialize(self.gamma_regularizer)
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "gamma_regularizer": penalty,
            "gamma_constraint": keras.constraints.serialize(self.gamma_constraint),
        }
