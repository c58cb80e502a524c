"""Scheduled sampling: a decoder that trains on what it would have said itself."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.inputs import as_booleans
from ..common.types import Config, Seed
from .seq2seq import AttentionDecoder


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ScheduledSamplingDecoder(keras.layers.Layer):
    """Scheduled sampling: in training, a decoder is fed some of its own outputs.

    x_t = embedding(own_tm1) with the probability epsilon, else embedding(given_t)
    a_t, states_t = cell(x_t, states_tm1);  y_t = readout(a_t);  own_t ~ softmax(y_t)

    A decoder that only ever saw true tokens does not know how to go on after a mistake
    of its own. Here it makes mistakes in training, few at first and then more. Without
    `training`, all tokens are the given ones: readout(decoder(embedding(given))).

    Args:
        decoder: an `AttentionDecoder` with return_sequences=True.
        readout: layer that makes the output y (B, V) of a (B, U), such as Dense(V).
        embedding: layer that makes x (B, D) of tokens (B,). None for sequences of
            vectors (B, T, D): then own_t is the output y_t itself, with V = D.
        sampling_probability: epsilon, from 0 to 1; or a schedule, which is called with
            the number of training steps, such as PolynomialDecay(0.0, 10000, 0.25).
        seed: seed of the draws.

    Call: sequences (B, T) of tokens shifted right, or (B, T, D); memory (B, S, M) and
        the other arguments of `AttentionDecoder`. Output shape: (B, T, V).
    Raises: ValueError for a decoder that is not an `AttentionDecoder` or returns
        something else than its outputs, and for a probability outside [0, 1].
    Differs from TensorFlow Addons: one class for its ScheduledEmbeddingTrainingSampler
    and its ScheduledOutputTrainingSampler. XLA can't train it on TensorFlow.

    >>> from custom_layers.layers import AttentionDecoder, AttentionDecoderCell
    >>> cell = AttentionDecoderCell(keras.layers.GRUCell(8))
    >>> decoder = ScheduledSamplingDecoder(
    ...     AttentionDecoder(cell, return_sequences=True),
    ...     readout=keras.layers.Dense(5),
    ...     embedding=keras.layers.Embedding(5, 4),
    ...     sampling_probability=1.0,
    ... )
    >>> memory = keras.ops.ones((1, 3, 6))
    >>> def answer(tokens, training):
    ...     decoder.seed_generator.state.assign([0, 1])
    ...     return decoder(keras.ops.array([tokens]), memory, training=training)
    >>> for training in (True, False):  # with epsilon 1, only the first token counts
    ...     a, b = answer([1, 2, 3], training), answer([1, 4, 3], training)
    ...     print(bool(keras.ops.all(a == b)))
    True
    False

    Paper: Bengio et al., "Scheduled sampling for sequence prediction with recurrent
    neural networks", 2015, https://arxiv.org/abs/1506.03099
    """

    def __init__(
        self,
        decoder: AttentionDecoder,
        readout: keras.layers.Layer,
        embedding: keras.layers.Layer | None = None,
        sampling_probability: float | Callable = 0.25,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        # XLA can't take the gradient of TensorFlow's loop.
        self.supports_jit = keras.backend.backend() != "tensorflow"
        is_decoder = isinstance(decoder, AttentionDecoder)
        if not is_decoder or decoder.return_state or not decoder.return_sequences:
            raise ValueError(
                "`decoder` must be an AttentionDecoder with return_sequences=True and "
                f"return_state=False. Received: decoder={decoder}"
            )
        if not callable(sampling_probability) and not 0 <= sampling_probability <= 1:
            raise ValueError(
                "`sampling_probability` must be from 0 to 1, or a schedule. Received: "
                f"sampling_probability={sampling_probability}"
            )
        self.decoder = decoder
        self.readout = readout
        self.embedding = embedding
        self.sampling_probability = python_number(sampling_probability)
        self.seed = python_number(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)

    def build(
        self,
        sequences_shape: tuple,
        memory_shape: tuple,
        initial_state_shape: Any = None,
    ) -> None:
        shape = sequences_shape
        if self.embedding is not None:
            if not self.embedding.built:
                self.embedding.build(shape)
            shape = self.embedding.compute_output_shape(shape)
        if not self.decoder.built:
            self.decoder.build(shape, memory_shape)
        if not self.readout.built:
            self.readout.build((shape[0], self.decoder.cell.units))
        self.steps = self.add_weight(
            name="steps", dtype="int32", initializer="zeros", trainable=False
        )

    def call(
        self,
        sequences,
        memory,
        initial_state=None,
        sequences_mask=None,
        memory_mask=None,
        training: bool = False,
    ):
        if sequences_mask is None and self.embedding is not None:
            sequences_mask = self.embedding.compute_mask(sequences, None)
        if not training:
            a = self.decoder(
                self._embedded(sequences),
                memory,
                initial_state=initial_state,
                sequences_mask=sequences_mask,
                memory_mask=memory_mask,
            )
            return ops.cast(self.readout(a), self.compute_dtype)
        is_own, u = self._draws(sequences)
        if self.trainable:
            self.steps.assign_add(1)
        mask = ops.ones_like(is_own)
        if sequences_mask is not None:
            mask = as_booleans(sequences_mask)
        with self.decoder.cell.attend_to(memory, memory_mask):
            first = self.decoder.get_initial_state(ops.shape(sequences)[0])
            given = [] if initial_state is None else list(initial_state)
            states = [*given, *first[len(given) :]]
            states = [ops.cast(s, f.dtype) for s, f in zip(states, first)]
            y = self._loop(sequences, is_own, u, mask, states)
        return ops.cast(y, self.compute_dtype)

    def _draws(self, sequences):
        """(whether a step is fed its own output (B, T), a uniform number (B, T))."""
        epsilon = self.sampling_probability
        if callable(epsilon):
            epsilon = ops.cast(epsilon(self.steps), "float32")
        shape = (2, *ops.shape(sequences)[:2])
        draws = keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)
        is_own = draws[0] < epsilon
        # Before the first step, there is no output.
        never = ops.zeros_like(is_own[:, :1])
        return ops.concatenate([never, is_own[:, 1:]], axis=1), draws[1]

    def _loop(self, sequences, is_own, u, mask, states):
        """y (B, T, V), where each step may be fed the output of the step before."""

        def step(carry, inputs):
            own, _, *states = carry
            given, chooses_own, u_t, is_seen = inputs
            chooses_own = _beside(chooses_own, given)
            x = self._embedded(ops.where(chooses_own, own, given))
            a, new = self.decoder.cell(x, states, training=True)
            y = self.readout(a)
            own = y if self.embedding is None else _sampled(y, u_t)
            pairs = zip(new, states)
            new = [ops.where(is_seen[:, None], n, old) for n, old in pairs]
            carry = [ops.cast(own, given.dtype), y, *new]
            return carry, carry

        by_time = [_time_first(x) for x in (sequences, is_own, u, mask)]
        y = ops.zeros_like(self.readout(states[0]))  # h is as large as a
        carry = [ops.zeros_like(sequences[:, 0]), y, *states]
        _, carries = ops.scan(step, carry, by_time)
        return _time_first(carries[1])

    def _embedded(self, tokens):
        return tokens if self.embedding is None else self.embedding(tokens)

    def compute_output_shape(
        self,
        sequences_shape: tuple,
        memory_shape: tuple,
        initial_state_shape: Any = None,
    ) -> tuple:
        batch, steps = sequences_shape[:2]
        units = self.decoder.cell.units
        return self.readout.compute_output_shape((batch, steps, units))

    def get_config(self) -> Config:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "decoder": serialize(self.decoder),
            "readout": serialize(self.readout),
            "embedding": serialize(self.embedding),
            "sampling_probability": serialize(self.sampling_probability),
            "seed": self.seed,
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict | None = None
    ) -> "ScheduledSamplingDecoder":
        deserialize = keras.saving.deserialize_keras_object
        parts = ("decoder", "readout", "embedding", "sampling_probability")
        restored = {
            name: deserialize(python_number(config[name]), custom_objects)
            for name in parts
        }
        return cls(**{**config, **restored})


def _sampled(logits, u):
    """A token (B,) for logits (B, V): the first whose cumulative probability is u."""
    cumulative = ops.cumsum(ops.softmax(ops.cast(logits, "float32")), axis=-1)
    token = ops.sum(ops.cast(cumulative < u[:, None], "int32"), axis=-1)
    return ops.minimum(token, logits.shape[-1] - 1)


def _time_first(x):
    """x with its first two axes, batch and time, swapped."""
    return ops.swapaxes(x, 0, 1)


def _beside(x, other):
    """x (B,) with axes of size 1 for those that `other` has besides."""
    return ops.reshape(x, (-1, *(1,) * (len(other.shape) - 1)))
