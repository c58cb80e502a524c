"""StackedRNNCells: several recurrent cells as one, each of which reads the last."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ...common.private_keras import CellWithDropout
from ...common.types import Config


@keras.saving.register_keras_serializable(package="keras_cookbook")
class StackedRNNCells(keras.layers.Layer, CellWithDropout):
    """Several recurrent cells as one: each reads the output of the cell below it.

    x_1, state_1 = cell_1(x, state_1)
    x_2, state_2 = cell_2(x_1, state_2), and so on; the output is that of the last cell

    Args:
        cells: list of recurrent cells of this library, of Keras or of your own, with
            `call` and `state_size`; the first one reads the input.

    Input: x (B, D) and [state_1, state_2, ...], where each state has the form that its
        cell gives it. Output: that of the last cell, and the new states.
    Raises: ValueError for an empty list, and for what is not a cell.
    Differs from Keras: a stack of a single cell has the states of a stack too, and so
        it works with a mask and on JAX; the cells draw their dropout masks without
        being run for it; the configuration that `from_config` reads stays as it is.

    A stack computes what one layer after the other does, in a single loop that can stop
    after any step and go on, as a decoder does:

    >>> x = keras.random.normal((2, 7, 5), seed=1)
    >>> cells = [keras.layers.GRUCell(4), keras.layers.LSTMCell(3)]
    >>> y = keras.layers.RNN(StackedRNNCells(cells))(x)
    >>> for cell in cells:
    ...     x = keras.layers.RNN(cell, return_sequences=True)(x)
    >>> bool(keras.ops.max(keras.ops.abs(x[:, -1] - y)) < 1e-6)
    True

    Paper: Graves, "Generating sequences with recurrent neural networks", 2013.
    https://arxiv.org/abs/1308.0850
    """

    def __init__(self, cells: Sequence, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not cells:
            raise ValueError(
                f"There must be at least one cell. Received: cells={cells}"
            )
        for cell in cells:
            for member in ("call", "state_size"):
                if not hasattr(cell, member):
                    raise ValueError(
                        "Every cell must have `call` and `state_size`, as "
                        f"keras.layers.GRUCell(64) has. Received: {cell}, without "
                        f"`{member}`"
                    )
        self.cells = list(cells)

    @property
    def state_size(self) -> list:
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        return _output_size(self.cells[-1])

    def build(self, input_shape: tuple) -> None:
        for cell in self.cells:
            if isinstance(cell, keras.layers.Layer) and not cell.built:
                cell.build(input_shape)
                cell.built = True
            input_shape = (input_shape[0], _output_size(cell))

    def call(self, inputs, states, training: bool = False):
        x, new_states = inputs, []
        for cell, state in zip(self.cells, states, strict=True):
            is_nested = keras.tree.is_nested(state)
            run = cell if callable(cell) else cell.call
            taken = getattr(cell, "call_signature_parameters", ())
            options = {"training": training} if "training" in taken else {}
            x, new = run(x, list(state) if is_nested else [state], **options)
            new = list(new) if keras.tree.is_nested(new) else [new]
            new_states.append(new if is_nested else new[0])
        return self._cast([x, new_states])

    def _cast(self, tensors):
        """The same nest in the dtype of the stack: a cell may have another one."""
        return keras.tree.map_structure(
            lambda tensor: ops.cast(tensor, self.compute_dtype), tensors
        )

    def get_initial_state(self, batch_size: int | None = None) -> list:
        return [self._zeros_for(cell, batch_size) for cell in self.cells]

    def _zeros_for(self, cell, batch_size):
        """The initial state of a cell, in the form that the cell gives it."""
        if hasattr(cell, "get_initial_state"):
            return cell.get_initial_state(batch_size=batch_size)
        return keras.tree.map_structure(
            lambda size: ops.zeros((batch_size, size), dtype=self.compute_dtype),
            cell.state_size,
        )

    def get_dropout_mask(self, step_input):
        """Draws the masks of all cells; `keras.layers.RNN` calls it before its loop.

        They are the same for all steps of a sequence.
        """
        x, batch_size = step_input, ops.shape(step_input)[0]
        for cell in self.cells:
            if hasattr(cell, "get_dropout_mask"):
                state = keras.tree.flatten(self._zeros_for(cell, batch_size))
                cell.get_dropout_mask(x)
                cell.get_recurrent_dropout_mask(state[0])
            shape = (batch_size, _output_size(cell))
            x = ops.zeros(shape, dtype=self.compute_dtype)

    def get_recurrent_dropout_mask(self, step_input):
        """Does nothing: `get_dropout_mask` has drawn these masks too."""

    def reset_dropout_mask(self) -> None:
        for cell in self.cells:
            if hasattr(cell, "reset_dropout_mask"):
                cell.reset_dropout_mask()

    def reset_recurrent_dropout_mask(self) -> None:
        for cell in self.cells:
            if hasattr(cell, "reset_recurrent_dropout_mask"):
                cell.reset_recurrent_dropout_mask()

    def get_config(self) -> Config:
        cells = [keras.saving.serialize_keras_object(cell) for cell in self.cells]
        return {**super().get_config(), "cells": cells}

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict | None = None
    ) -> "StackedRNNCells":
        config = dict(config)
        cells = [
            keras.saving.deserialize_keras_object(cell, custom_objects)
            for cell in config.pop("cells")
        ]
        return cls(cells, **config)


def _output_size(cell) -> int:
    """The number of features that a cell returns."""
    size = getattr(cell, "output_size", None)
    return keras.tree.flatten(cell.state_size)[0] if size is None else size
