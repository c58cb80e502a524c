"""What SimpleRNN, LSTM and GRU share: a cell of this folder, run over a sequence."""

from typing import Any

import keras

from ...common.types import Config
from .cell import _Cell


class _RecurrentLayer(keras.layers.RNN):
    """A recurrent layer, whose cell holds the options and the weights of a step."""

    cell: _Cell

    def __init__(self, cell: _Cell, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self.supports_masking = True  # the nightly build of Keras says False for an RNN
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def call(
        self,
        sequences,
        initial_state=None,
        mask=None,
        training: bool = False,
        sequences_mask=None,  # where an initial_state is given, Keras passes this one
    ):
        mask = sequences_mask if mask is None else mask
        return super().call(sequences, initial_state, mask, training)

    @property
    def zero_output_for_mask(self) -> bool:
        """Whether masked steps return zeros, which concerns sequences of outputs only.

        The single last output is that of the last step that is not masked.
        """
        return self._zero_output_for_mask and self.return_sequences

    @zero_output_for_mask.setter
    def zero_output_for_mask(self, value: bool) -> None:
        self._zero_output_for_mask = value

    def inner_loop(self, sequences, initial_state, mask, training: bool = False):
        with self.cell.weights_read_once():
            return super().inner_loop(sequences, initial_state, mask, training)

    @property
    def units(self) -> int:
        return self.cell.units

    @property
    def activation(self):
        return self.cell.activation

    @property
    def use_bias(self) -> bool:
        return self.cell.use_bias

    @property
    def kernel_initializer(self):
        return self.cell.kernel_initializer

    @property
    def recurrent_initializer(self):
        return self.cell.recurrent_initializer

    @property
    def bias_initializer(self):
        return self.cell.bias_initializer

    @property
    def kernel_regularizer(self):
        return self.cell.kernel_regularizer

    @property
    def recurrent_regularizer(self):
        return self.cell.recurrent_regularizer

    @property
    def bias_regularizer(self):
        return self.cell.bias_regularizer

    @property
    def kernel_constraint(self):
        return self.cell.kernel_constraint

    @property
    def recurrent_constraint(self):
        return self.cell.recurrent_constraint

    @property
    def bias_constraint(self):
        return self.cell.bias_constraint

    @property
    def dropout(self) -> float:
        return self.cell.dropout

    @property
    def recurrent_dropout(self) -> float:
        return self.cell.recurrent_dropout

    def get_config(self) -> Config:
        penalty = keras.regularizers.serialize(self.activity_regularizer)
        config = {
            **self.cell.get_config(),
            **super().get_config(),  # the layer's own name, dtype and trainable
            "activity_regularizer": penalty,
            "zero_output_for_mask": self._zero_output_for_mask,
        }
        del config["cell"]
        return config

    @classmethod
    def from_config(cls, config: Config) -> "_RecurrentLayer":
        return cls(**config)
