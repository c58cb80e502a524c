"""Sequence to sequence: a recurrent decoder that attends to an encoder's outputs."""

import contextlib

import keras
from keras import ops

_MASKED = -3e4  # exp() of it is 0, and float16 can hold it


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AttentionDecoderCell(keras.layers.Layer):
    """One step of a decoder: a recurrent cell that reads the memory through attention.

    attend(q) = sum_s alpha_s m_s,  alpha = softmax_s(score(q, m_s)), padding left out

    "bahdanau": score = v . tanh(q W_q + m_s W_m)     "luong": score = q . (m_s W_m)
        context = attend(h_tm1)                           h = cell([x, a_tm1], h_tm1)
        h = cell([x, context], h_tm1)                     context = attend(h)
    a = tanh([context, h] W_a), the output of the step, in both.

    The memory m (B, S, M) is the encoder's output; `with cell.attend_to(memory, mask):`
    makes it known. `AttentionDecoder` does so for whole sequences. For a picture of
    alpha (B, S) call `cell.attention_weights(x, states)` there.

    Args:
        cell: recurrent cell whose first state is its output h (B, U), such as a GRUCell
            or LSTMCell, ours or Keras's.
        attention: "bahdanau" or "luong".

    Input: x (B, D) and [*states of the cell], for "luong" also a_tm1 (B, U) at the
        end. Output: a (B, U) and the new states.
    Raises: ValueError for another attention, a cell that is none, or no memory.
    Differs from the papers: Bahdanau's maxout readout is the tanh of Luong's.

    >>> cell = AttentionDecoderCell(keras.layers.GRUCell(3))
    >>> cell.build((2, 5), memory_shape=(2, 7, 4))
    >>> with cell.attend_to(keras.ops.ones((2, 7, 4))):
    ...     a, states = cell(keras.ops.ones((2, 5)), cell.get_initial_state(2))
    >>> a.shape
    TensorShape([2, 3])

    Paper: Bahdanau, Cho, Bengio, "Neural machine translation by jointly learning to
    align and translate", 2015, https://arxiv.org/abs/1409.0473; Luong, Pham, Manning,
    "Effective approaches to attention-based neural machine translation", 2015,
    https://arxiv.org/abs/1508.04025
    """

    def __init__(self, cell, attention="bahdanau", **kwargs):
        super().__init__(**kwargs)
        if not hasattr(cell, "state_size") or not hasattr(cell, "call"):
            raise ValueError(
                "`cell` must be a recurrent cell with `call` and `state_size`, such as "
                f"keras.layers.GRUCell(64), got {cell}"
            )
        if attention not in ("bahdanau", "luong"):
            raise ValueError(
                f'`attention` must be "bahdanau" or "luong", got {attention!r}'
            )
        self.cell = cell
        self.attention = attention
        self.output_size = self.units = cell.output_size
        self.state_size = keras.tree.flatten(cell.state_size)
        if attention == "luong":
            self.state_size = [*self.state_size, self.units]
        self._memory = None

    def build(self, input_shape, memory_shape):
        U, M = self.units, memory_shape[-1]
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
    def attend_to(self, memory, mask=None):
        """Within this context the cell reads memory (B, S, M), where mask (B, S)."""
        memory = ops.convert_to_tensor(memory, dtype=self.compute_dtype)
        if mask is None:
            mask = ops.ones(ops.shape(memory)[:2], dtype="bool")
        keys = ops.matmul(memory, ops.cast(self.memory_kernel, memory.dtype))  # B S U
        self._memory = (memory, keys, ops.cast(mask, "bool"))
        has_dropout = hasattr(self.cell, "reset_dropout_mask")
        if has_dropout:  # one mask for all steps
            x, h = (ops.zeros((ops.shape(memory)[0], n)) for n in self.widths)
            self.cell.get_dropout_mask(ops.cast(x, self.compute_dtype))
            self.cell.get_recurrent_dropout_mask(ops.cast(h, self.compute_dtype))
        try:
            yield
        finally:
            self._memory = None
            if has_dropout:
                self.cell.reset_dropout_mask()
                self.cell.reset_recurrent_dropout_mask()

    def call(self, inputs, states, training=False):
        a, new, _ = self._run(inputs, states, training)
        return a, new

    def attention_weights(self, inputs, states):
        """alpha (B, S): what `call` with these arguments reads of the memory."""
        return self._run(inputs, states, training=False)[2]

    def _run(self, inputs, states, training):
        if self._memory is None:
            raise ValueError(
                "The decoder has no memory: call it within `attend_to(memory)`, or run "
                "it as `AttentionDecoder(cell)(sequences, memory)`."
            )
        if self.attention == "bahdanau":
            context, alpha = self._attend(states[0])
            h, new = self._step([inputs, context], states, training)
        else:
            *states, a_tm1 = states
            h, new = self._step([inputs, a_tm1], states, training)
            context, alpha = self._attend(h)
        a = ops.tanh(ops.matmul(ops.concatenate([context, h], -1), self.output_kernel))
        return a, [*new, a] if self.attention == "luong" else new, alpha

    def _step(self, inputs, states, training):
        takes = "training" in self.cell.call_signature_parameters
        given = {"training": training} if takes else {}
        h, new = self.cell(ops.concatenate(inputs, axis=-1), list(states), **given)
        return ops.cast(h, self.compute_dtype), [
            ops.cast(state, self.compute_dtype) for state in keras.tree.flatten(new)
        ]

    def _attend(self, q):
        """The memory's mean (B, M) weighted by its score for q (B, U); the weights."""
        memory, keys, mask = self._memory
        if self.attention == "bahdanau":
            sums = keys + ops.matmul(q, self.query_kernel)[:, None]
            score = ops.sum(self.score_vector * ops.tanh(sums), axis=-1)
        else:
            score = ops.einsum("bu,bsu->bs", q, keys)
        score = ops.where(mask, score, ops.cast(_MASKED, score.dtype))
        alpha = ops.softmax(score)
        return ops.einsum("bs,bsm->bm", alpha, memory), alpha

    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, n), self.compute_dtype) for n in self.state_size]

    def get_config(self):
        return {
            **super().get_config(),
            "cell": keras.saving.serialize_keras_object(self.cell),
            "attention": self.attention,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**_with_cell(config, custom_objects))


def _with_cell(config, custom_objects):
    cell = keras.saving.deserialize_keras_object(config["cell"], custom_objects)
    return {**config, "cell": cell}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AttentionDecoder(keras.layers.RNN):
    """Runs an `AttentionDecoderCell` over target sequences, attending to a memory.

    a_t, states_t = cell(x_t, states_tm1), for all t, the memory in sight

    Teacher forcing: call it on the embedded targets shifted right, with
    return_sequences=True. Decoding: call it on one step at a time, (B, 1, D), with
    return_state=True and the states of the step before as initial_state, or call the
    cell itself; the weights are the same.

    Args:
        cell: an `AttentionDecoderCell`.
        **kwargs: of keras.layers.RNN: return_sequences, return_state, unroll, ...

    Call: sequences (B, T, D), memory (B, S, M), initial_state (the cell's states; one
        fewer for "luong", then a_0 = 0), sequences_mask (B, T), memory_mask (B, S),
        training. Masks that the inputs carry are used.
    Output shape: (B, U), or (B, T, U) with return_sequences.
    Raises: ValueError for a cell that is no `AttentionDecoderCell`.

    >>> cell = AttentionDecoderCell(keras.layers.LSTMCell(3), attention="luong")
    >>> decoder = AttentionDecoder(cell, return_sequences=True)
    >>> decoder(keras.ops.ones((2, 6, 5)), keras.ops.ones((2, 7, 4))).shape
    TensorShape([2, 6, 3])

    Paper: Sutskever, Vinyals, Le, "Sequence to sequence learning with neural
    networks", 2014. https://arxiv.org/abs/1409.3215
    """

    def __init__(self, cell, **kwargs):
        if not isinstance(cell, AttentionDecoderCell):
            raise ValueError(f"`cell` must be an AttentionDecoderCell, got {cell}")
        super().__init__(cell, **kwargs)

    def build(self, sequences_shape, memory_shape, initial_state_shape=None):
        if not self.cell.built:
            self.cell.build((sequences_shape[0], sequences_shape[-1]), memory_shape)
        super().build(sequences_shape)

    def call(
        self,
        sequences,
        memory,
        initial_state=None,
        sequences_mask=None,
        memory_mask=None,
        training=False,
    ):
        if initial_state is not None and len(initial_state) < len(self.state_size):
            zeros = self.get_initial_state(ops.shape(sequences)[0])
            initial_state = [*initial_state, zeros[-1]]
        with self.cell.attend_to(memory, memory_mask):
            return super().call(sequences, initial_state, sequences_mask, training)

    def compute_output_shape(
        self, sequences_shape, memory_shape, initial_state_shape=None
    ):
        return super().compute_output_shape(sequences_shape)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**_with_cell(config, custom_objects))
