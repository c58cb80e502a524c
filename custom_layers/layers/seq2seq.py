"""Sequence to sequence: a recurrent decoder that attends to an encoder's outputs."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from ..common.checks import known_sizes, minus_infinity, one_of
from ..common.inputs import as_booleans
from ..common.private_keras import never_cast
from ..common.types import Config
from .attention.scaled_dot_product import _softmax_over_keys
from .recurrent.layer import _refuse_no_steps, _StatefulRNN


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AttentionDecoderCell(keras.layers.Layer):
    """One step of a decoder: a recurrent cell that reads a memory through attention.

    attend(q) = sum_s alpha_s m_s,  alpha = softmax_s(score(q, m_s)), 0 at padding

    "bahdanau": score = v . tanh(q W_q + m_s W_m)     "luong": score = q . (m_s W_m)
        context = attend(h_tm1)                           h = cell([x, a_tm1], h_tm1)
        h = cell([x, context], h_tm1)                     context = attend(h)
    a = tanh([context, h] W_a), the output of the step, in both

    The memory m (B, S, M) is the output of an encoder. The cell reads it within
    `with cell.attend_to(memory, mask):`; `AttentionDecoder` does this for sequences.
    In that context `cell.attention_weights(x, states)` returns alpha (B, S) to look at.

    Args:
        cell: recurrent cell whose first state is its output h (B, U), such as a GRUCell
            or LSTMCell, ours or Keras's.
        attention: "bahdanau" or "luong".

    Input: x (B, D) and [*states of the cell], for "luong" with a_tm1 (B, U) at the
        end. Output: a (B, U) and the new states.
    Raises: ValueError for another attention, for a cell that is not a recurrent cell,
        and for a call without a memory.
    Differs from the papers: "bahdanau" has Luong's tanh in place of a maxout readout.

    >>> cell = AttentionDecoderCell(keras.layers.GRUCell(3))
    >>> cell.build((1, 5), memory_shape=(1, 3, 4))
    >>> memory, mask = keras.ops.ones((1, 3, 4)), keras.ops.array([[True, True, False]])
    >>> with cell.attend_to(memory, mask):
    ...     states = cell.get_initial_state(1)
    ...     alpha = cell.attention_weights(keras.ops.ones((1, 5)), states)
    >>> alpha.numpy().tolist()  # two equal words share it, padding gets nothing
    [[0.5, 0.5, 0.0]]

    Paper: Bahdanau, Cho, Bengio, "Neural machine translation by jointly learning to
    align and translate", 2015, https://arxiv.org/abs/1409.0473; Luong, Pham, Manning,
    "Effective approaches to attention-based neural machine translation", 2015,
    https://arxiv.org/abs/1508.04025
    """

    def __init__(
        self, cell: keras.layers.Layer, attention: str = "bahdanau", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if not hasattr(cell, "state_size") or not hasattr(cell, "call"):
            raise ValueError(
                "`cell` must be a recurrent cell with `call` and `state_size`, such as "
                f"keras.layers.GRUCell(64), got {cell}"
            )
        self.cell = cell
        self.attention = one_of(attention, ("bahdanau", "luong"), "attention")
        self.output_size = self.units = cell.output_size
        self.state_size = keras.tree.flatten(cell.state_size)
        if attention == "luong":
            self.state_size = [*self.state_size, self.units]
        self._memory: tuple | None = None

    def build(self, input_shape: tuple, memory_shape: tuple) -> None:
        known_sizes(input_shape, [-1], self)
        U, (M,) = self.units, known_sizes(memory_shape, [-1], self)
        fed = M if self.attention == "bahdanau" else U
        self.widths = (input_shape[-1] + fed, U)
        if not self.cell.built:
            self.cell.build((input_shape[0], self.widths[0]))
        self.memory_kernel = self._add("memory_kernel", (M, U))
        self.output_kernel = self._add("output_kernel", (M + U, U))
        if self.attention == "bahdanau":
            self.query_kernel = self._add("query_kernel", (U, U))
            self.score_vector = self._add("score_vector", (U,))

    def _add(self, name, shape):
        return self.add_weight(name=name, shape=shape, initializer="glorot_uniform")

    @contextlib.contextmanager
    def attend_to(self, memory: Any, mask: Any = None) -> Iterator[None]:
        """A context in which the cell reads memory (B, S, M), where mask (B, S)."""
        memory = ops.convert_to_tensor(memory, dtype=self.compute_dtype)
        if mask is None:
            mask = ops.ones(ops.shape(memory)[:2], dtype="bool")
        keys = ops.matmul(memory, ops.cast(self.memory_kernel, memory.dtype))  # B S U
        self._memory = (memory, keys, as_booleans(mask))
        has_dropout = hasattr(self.cell, "reset_dropout_mask")
        if has_dropout:  # the cell draws one mask here, for all steps
            batch, (width_x, width_h) = ops.shape(memory)[0], self.widths
            x = ops.zeros((batch, width_x), self.compute_dtype)
            h = ops.zeros((batch, width_h), self.compute_dtype)
            self.cell.get_dropout_mask(x)
            self.cell.get_recurrent_dropout_mask(h)
        try:
            yield
        finally:
            self._memory = None
            if has_dropout:
                self.cell.reset_dropout_mask()
                self.cell.reset_recurrent_dropout_mask()

    def call(self, inputs, states, training: bool = False):
        a, new, _ = self._run(inputs, states, training)
        return a, new

    def attention_weights(self, inputs, states):
        """alpha (B, S), with which `call` weighs the memory for these arguments."""
        return self._run(inputs, states, training=False)[2]

    def _run(self, inputs, states, training: bool | None):
        """(a, new states, alpha) of one step."""
        if self._memory is None:
            raise ValueError(
                "The decoder has no memory: call the cell within "
                "`with cell.attend_to(memory):`, or run it as "
                "`AttentionDecoder(cell)(sequences, memory)`."
            )
        if self.attention == "bahdanau":
            context, alpha = self._attend(states[0])
            h, new = self._step([inputs, context], states, training)
        else:
            *states, a_tm1 = states
            h, new = self._step([inputs, a_tm1], states, training)
            context, alpha = self._attend(h)
        read = ops.concatenate([context, h], axis=-1)
        a = ops.tanh(ops.matmul(read, self.output_kernel))
        if self.attention == "luong":
            new = [*new, a]
        return a, new, alpha

    def _step(self, inputs, states, training: bool | None):
        """(h, new states) of the cell, which is given the inputs side by side."""
        takes_training = "training" in self.cell.call_signature_parameters
        options = {"training": training} if takes_training else {}
        inputs = ops.concatenate(inputs, axis=-1)
        h, new = self.cell(inputs, list(states), **options)
        h = ops.cast(h, self.compute_dtype)
        new = [ops.cast(state, self.compute_dtype) for state in keras.tree.flatten(new)]
        return h, new

    def _attend(self, q):
        """(context (B, M), alpha (B, S)) for q (B, U): context = sum_s alpha_s m_s."""
        memory, keys, mask = self._memory
        if self.attention == "bahdanau":
            sums = keys + ops.matmul(q, self.query_kernel)[:, None]
            score = ops.sum(self.score_vector * ops.tanh(sums), axis=-1)
        else:
            score = ops.einsum("bu,bsu->bs", q, keys)
        alpha = self._align(score, mask)
        context = ops.einsum("bs,bsm->bm", alpha, memory)
        return context, alpha

    def _align(self, score, mask):
        """alpha (B, S) from the scores (B, S)."""
        score = ops.where(mask, score, minus_infinity(score.dtype))
        return _softmax_over_keys(score)

    def get_initial_state(self, batch_size: int | None = None) -> list:
        return [ops.zeros((batch_size, n), self.compute_dtype) for n in self.state_size]

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "attention": self.attention,
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict | None = None
    ) -> "AttentionDecoderCell":
        return cls(**_with_cell(config, custom_objects))


def _with_cell(config, custom_objects):
    """The configuration, with the cell as an object."""
    cell = keras.saving.deserialize_keras_object(config["cell"], custom_objects)
    return {**config, "cell": cell}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AttentionDecoder(_StatefulRNN):
    """A recurrent decoder that attends to a memory, run over target sequences.

    a_t, states_t = cell(x_t, states_tm1) for all t, where the cell reads the memory

    Teacher forcing: call it on the embedded targets shifted right, with
    return_sequences=True. Decoding: call it on one step at a time, (B, 1, D), with
    return_state=True and the states of the step before as initial_state, or call the
    cell itself; the weights are the same.

    Args:
        cell: an `AttentionDecoderCell`.
        **kwargs: those of keras.layers.RNN: return_sequences, return_state, unroll, ...

    Call: sequences (B, T, D), memory (B, S, M), initial_state (the states of the cell;
        for "luong" the last may be missing, then a_0 = 0), sequences_mask (B, T),
        memory_mask (B, S), training. By default the masks are those of the inputs.
    Output shape: (B, U), or (B, T, U) with return_sequences.
    Raises: ValueError for a cell that is not an `AttentionDecoderCell`, and for
        sequences without steps.

    >>> cell = AttentionDecoderCell(keras.layers.GRUCell(3))
    >>> decoder = AttentionDecoder(cell, return_sequences=True, return_state=True)
    >>> x, memory = keras.random.normal((1, 6, 5)), keras.random.normal((1, 7, 4))
    >>> y, h = decoder(x, memory)  # training reads the whole sequence
    >>> before, h = decoder(x[:, :5], memory)  # decoding goes on from a state
    >>> after, h = decoder(x[:, 5:], memory, initial_state=[h])
    >>> bool(keras.ops.all(abs(after - y[:, 5:]) < 1e-5))
    True

    Paper: Sutskever, Vinyals, Le, "Sequence to sequence learning with neural
    networks", 2014. https://arxiv.org/abs/1409.3215
    """

    def __init__(self, cell: AttentionDecoderCell, **kwargs: Any) -> None:
        if not isinstance(cell, AttentionDecoderCell):
            raise ValueError(f"`cell` must be an AttentionDecoderCell, got {cell}")
        super().__init__(cell, **kwargs)

    def build(
        self,
        sequences_shape: tuple,
        memory_shape: tuple,
        initial_state_shape: Any = None,
    ) -> None:
        if not self.cell.built:
            self.cell.build((sequences_shape[0], sequences_shape[-1]), memory_shape)
        super().build(sequences_shape)
        for state in keras.tree.flatten(self.states or []):
            never_cast(state)

    def call(
        self,
        sequences,
        memory,
        initial_state=None,
        sequences_mask=None,
        memory_mask=None,
        training: bool = False,
    ):
        _refuse_no_steps(sequences)
        mask = as_booleans(sequences_mask)
        with self.cell.attend_to(memory, memory_mask):
            if initial_state is not None and len(initial_state) < len(self.state_size):
                first = self.get_initial_state(ops.shape(sequences)[0])
                initial_state = [*initial_state, *first[len(initial_state) :]]
            return super().call(sequences, initial_state, mask, training)

    def compute_output_shape(
        self,
        sequences_shape: tuple,
        memory_shape: tuple,
        initial_state_shape: Any = None,
    ) -> tuple:
        shapes = super().compute_output_shape(sequences_shape)
        if self.return_state and None in self.state_size:  # as long as the memory
            shapes = (*shapes, (sequences_shape[0], memory_shape[1]))
        return shapes

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict | None = None
    ) -> "AttentionDecoder":
        return cls(**_with_cell(config, custom_objects))
