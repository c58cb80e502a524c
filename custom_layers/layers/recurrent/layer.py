"""What SimpleRNN, LSTM and GRU share: a cell of this folder, run over a sequence."""

import operator
from typing import Any

import keras
from keras import ops

from ...common.fused import can_fuse
from ...common.inputs import as_booleans
from ...common.private_keras import never_cast
from ...common.types import Config
from .cell import _Cell
from .fused import FEWEST_UNITS, _run_fused
from .gpu import _has_gpu, _run_on_gpu


class _StatefulRNN(keras.layers.RNN):
    """Keras's loop over the steps of a sequence, whose states last on every backend."""

    @property
    def variables(self) -> list:
        """All variables; on JAX also the states of a stateful layer.

        A compiled step of JAX changes only the variables that a layer names. Keras does
        not name these states, so that they stay 0 there in `fit` and `predict`. They
        are not weights: a file does not hold them.
        """
        variables = super().variables
        if keras.backend.backend() == "jax":
            variables = [*variables, *keras.tree.flatten(self.states or [])]
        return variables


def _of_cell(name: str) -> Any:
    """The attribute of that name, which a layer has from its cell; it is read only."""
    return property(operator.attrgetter(f"cell.{name}"))


class _LayerOfCell(_StatefulRNN):
    """A layer of one cell, which holds the options and the weights of a step."""

    cell: Any
    units: int = _of_cell("units")
    activation = _of_cell("activation")
    use_bias: bool = _of_cell("use_bias")
    kernel_initializer = _of_cell("kernel_initializer")
    bias_initializer = _of_cell("bias_initializer")
    kernel_regularizer = _of_cell("kernel_regularizer")
    bias_regularizer = _of_cell("bias_regularizer")
    kernel_constraint = _of_cell("kernel_constraint")
    bias_constraint = _of_cell("bias_constraint")
    dropout: float = _of_cell("dropout")

    def __init__(self, cell: Any, **kwargs: Any) -> None:
        super().__init__(cell, **kwargs)
        self.supports_masking = True  # the nightly build of Keras says False for an RNN
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, sequences_shape: tuple, initial_state_shape: Any = None) -> None:
        super().build(sequences_shape, initial_state_shape)
        for state in keras.tree.flatten(self.states or []):
            never_cast(state)

    def call(
        self,
        sequences,
        initial_state=None,
        mask=None,
        training: bool = False,
        sequences_mask=None,  # where an initial_state is given, Keras passes this one
    ):
        _refuse_no_steps(sequences)
        mask = sequences_mask if mask is None else mask
        return super().call(sequences, initial_state, as_booleans(mask), training)

    @property
    def zero_output_for_mask(self) -> bool:
        """Whether masked steps return zeros, which concerns sequences of outputs only.

        The single last output is that of the last step that is not masked.
        """
        return self._zero_output_for_mask and self.return_sequences

    @zero_output_for_mask.setter
    def zero_output_for_mask(self, value: bool) -> None:
        self._zero_output_for_mask = value

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
    def from_config(cls, config: Config) -> "_LayerOfCell":
        return cls(**config)


class _RecurrentLayer(_LayerOfCell):
    """A recurrent layer: what it computes at a step depends on the step before."""

    cell: _Cell
    kernel_on_gpu: str | None = None  # its name in Keras
    use_cudnn: str | bool  # only where there is such a kernel
    recurrent_initializer = _of_cell("recurrent_initializer")
    recurrent_regularizer = _of_cell("recurrent_regularizer")
    recurrent_constraint = _of_cell("recurrent_constraint")
    recurrent_dropout: float = _of_cell("recurrent_dropout")

    def inner_loop(self, sequences, initial_state, mask, training: bool = False):
        with self.cell.weights_read_once():
            if self.kernel_on_gpu is None or self.use_cudnn is False:
                return self._loop(sequences, initial_state, mask, training)
            return _run_on_gpu(self, sequences, initial_state, mask, training)

    def _loop(self, sequences, initial_state, mask, training: bool = False):
        """(last output, outputs, last states), by the cell or by its fused formula."""
        if self.unroll:
            return self._unrolled_loop(sequences, initial_state, mask, training)
        if self._can_fuse(sequences, training):
            return self._fused_loop(sequences, initial_state, mask)
        return super().inner_loop(sequences, initial_state, mask, training)

    def _unrolled_loop(self, sequences, initial_state, mask, training: bool):
        """(last output, outputs, last states), with the loop written out.

        Keras's own unrolled loop applies the mask in the wrong order of time, or fails,
        if the sequence is read backwards.
        """
        states = [ops.copy(state) for state in initial_state]
        steps = range(sequences.shape[1])
        y, outputs = None, []
        for t in reversed(steps) if self.go_backwards else steps:
            y_t, new_states = self.cell(sequences[:, t], states, training=training)
            if mask is not None:
                is_seen = _with_rank(mask[:, t], len(y_t.shape))
                repeats = y is not None and not self.zero_output_for_mask
                y_t = ops.where(is_seen, y_t, y if repeats else ops.zeros_like(y_t))
                pairs = zip(new_states, states)
                new_states = [ops.where(is_seen, new, old) for new, old in pairs]
            y, states = y_t, new_states
            outputs.append(y)
        outputs = outputs if self.return_sequences else outputs[-1:]
        return y, ops.stack(outputs, axis=1), states

    def _can_fuse(self, sequences, training: bool) -> bool:
        return (
            self.cell.fused_formula is not None
            and self.cell.compute_dtype == "float32"
            and not self.recurrent_dropout
            and self.units >= FEWEST_UNITS
            and can_fuse(training, sequences)
            and not _has_gpu()  # where nobody has measured it
        )

    def _fused_loop(self, sequences, initial_state, mask):
        """(last output, outputs, last states), by the formula of the cell, fused."""
        W, U, b = self.cell.weights_of_fused_loop()
        mask_x = self.cell.get_dropout_mask(sequences[:, 0])
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        inputs = [sequences]
        if mask_x is not None:
            masks = mask_x if isinstance(mask_x, list) else [mask_x]
            inputs = [sequences * ops.expand_dims(m, 1) for m in masks]
        states, hs = _run_fused(
            self.cell.fused_formula,
            inputs,
            (W, U, b),
            initial_state,
            mask,
            self.return_sequences,
        )
        h = states[0]
        if mask is not None:
            # A step is not 0 if it, or one before it, has been seen.
            is_seen = ops.cumsum(ops.cast(mask, "int32"), axis=1) > 0
            h = ops.where(is_seen[:, -1:], h, 0.0)
            if self.return_sequences:
                is_seen = mask if self.zero_output_for_mask else is_seen
                hs = ops.where(ops.expand_dims(is_seen, -1), hs, 0.0)
        return h, hs if self.return_sequences else ops.expand_dims(h, 1), states


def _with_rank(mask, rank: int):
    """The mask with axes of length 1 at its end, `rank` axes in all."""
    missing = [1] * (rank - len(mask.shape))
    return ops.reshape(mask, (*ops.shape(mask), *missing))


def _refuse_no_steps(sequences):
    """Raises a ValueError for sequences that are known to have no step."""
    if sequences.shape[1] == 0:
        raise ValueError(
            "A recurrent layer needs sequences of at least one step. "
            f"Received: sequences.shape={tuple(sequences.shape)}"
        )
