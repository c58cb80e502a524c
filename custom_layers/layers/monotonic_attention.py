"""Monotonic attention: a decoder that reads its memory from left to right, once."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from ..common.checks import number_from_zero, one_of, python_number
from ..common.types import Config, Seed
from .seq2seq import AttentionDecoderCell

MODES = ("parallel", "recursive", "hard")


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MonotonicAttentionDecoderCell(AttentionDecoderCell):
    """One step of a decoder that moves through its memory from left to right only.

    p_s = sigmoid(score(q, m_s) + r + noise)     the probability to stop at place s
    alpha = monotonic_attention(p, alpha_tm1)    it walks on from where it stopped last
    context = sum_s alpha_s m_s

    score, and all else, are as in `AttentionDecoderCell`. It is for speech, handwriting
    and other tasks whose output has the order of the input. In the mode "hard", each
    output needs only the part of the memory that was read so far, so that a decoder
    can begin before its input has ended, and all steps together read it once.

    Train with "parallel" and a noise, which drives p towards 0 and 1. Then answer with
    a cell of the mode "hard" that has the same weights.

    Args:
        cell, attention: as in `AttentionDecoderCell`.
        mode: of `monotonic_attention`: "parallel", "recursive" or "hard", which has no
            gradient.
        sigmoid_noise: standard deviation of the noise in training. It is drawn once per
            sequence and place, not at every step.
        score_bias_init: start value of r. A negative one, such as -4, lets attention
            reach far at first.
        seed: seed of the noise.

    Input: x (B, D) and [*states of the cell, for "luong" a_tm1 (B, U), alpha_tm1
        (B, S)]. Output: a (B, U) and the new states. At first alpha is 1 at place 0.
    Raises: ValueError for another mode, for a noise below 0, and for what
        `AttentionDecoderCell` refuses.

    >>> cell = MonotonicAttentionDecoderCell(keras.layers.GRUCell(3), score_bias_init=0)
    >>> cell.build((2, 5), memory_shape=(2, 7, 4))
    >>> with cell.attend_to(keras.ops.zeros((2, 7, 4))):  # all p are 1 / 2
    ...     states = cell.get_initial_state(2)
    ...     alpha = cell.attention_weights(keras.ops.ones((2, 5)), states)
    >>> print(keras.ops.convert_to_numpy(alpha[0, :4]))
    [0.5    0.25   0.125  0.0625]

    Paper: Raffel et al., "Online and linear-time attention by enforcing monotonic
    alignments", 2017, https://arxiv.org/abs/1704.00784
    """

    def __init__(
        self,
        cell: keras.layers.Layer,
        attention: str = "bahdanau",
        mode: str = "parallel",
        sigmoid_noise: float = 0.0,
        score_bias_init: float = 0.0,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cell, attention, **kwargs)
        self.mode = one_of(mode, MODES, "mode")
        self.sigmoid_noise = number_from_zero(sigmoid_noise, "sigmoid_noise")
        self.score_bias_init = python_number(score_bias_init)
        self.seed = python_number(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.state_size = [*self.state_size, None]  # alpha is as long as the memory
        self._noise = self._alpha_tm1 = None
        self._is_training: bool | None = False

    def build(self, input_shape: tuple, memory_shape: tuple) -> None:
        super().build(input_shape, memory_shape)
        start = keras.initializers.Constant(self.score_bias_init)
        self.score_bias = self.add_weight(name="score_bias", initializer=start)

    @contextlib.contextmanager
    def attend_to(self, memory: Any, mask: Any = None) -> Iterator[None]:
        """A context in which the cell reads memory (B, S, M), where mask (B, S)."""
        with super().attend_to(memory, mask):
            if self.sigmoid_noise:
                shape = ops.shape(memory)[:2]
                draws = keras.random.normal(shape, seed=self.seed_generator)
                noise = self.sigmoid_noise * draws
                self._noise = ops.cast(noise, self.compute_dtype)
            try:
                yield
            finally:
                self._noise = None

    def _run(self, inputs, states, training: bool | None):
        *states, self._alpha_tm1 = states
        self._is_training = training
        try:
            a, new, alpha = super()._run(inputs, states, training)
        finally:
            self._alpha_tm1 = None
        return a, [*new, alpha], alpha

    def _align(self, score, mask):
        score = score + ops.cast(self.score_bias, score.dtype)
        if self._is_training and self._noise is not None:
            score = score + self._noise
        is_hard = self.mode == "hard"
        p = ops.cast(score > 0, score.dtype) if is_hard else ops.sigmoid(score)
        p = ops.where(mask, p, ops.zeros_like(p))
        return monotonic_attention(p, self._alpha_tm1, self.mode)

    def get_initial_state(self, batch_size: int | None = None) -> list:
        if self._memory is None:
            raise ValueError(
                "The first attention is as long as the memory: call "
                "`get_initial_state` within `with cell.attend_to(memory):`."
            )
        sizes = self.state_size[:-1]
        zeros = [ops.zeros((batch_size, n), self.compute_dtype) for n in sizes]
        place = _places(self._memory[0][..., 0])
        return [*zeros, ops.cast(place == 1, self.compute_dtype)]

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "mode": self.mode,
            "sigmoid_noise": self.sigmoid_noise,
            "score_bias_init": self.score_bias_init,
            "seed": self.seed,
        }


def monotonic_attention(p_choose, previous_attention, mode: str = "parallel"):
    """The attention of a walk that begins where the last one stopped.

    At each place s, it stops with the probability p_s, or goes on to the next place.
    alpha_s = p_s q_s,  q_s = (1 - p_(s-1)) q_(s-1) + previous_s     q_s: it comes to s

    Args:
        p_choose: p (B, S), from 0 to 1; in the mode "hard", 0 or 1.
        previous_attention: alpha (B, S) of the step before; of the first step, 1 at
            place 0.
        mode: "recursive" computes q place by place; "parallel" computes all at once,
            from products of 1 - p; "hard" finds the first place from the last one on
            where p is 1.

    Returns: alpha (B, S). Its sum is below 1 where the walk may not stop at all.
    Raises: ValueError for another mode.
    Differs from TensorFlow Addons: "parallel" needs no division, which loses the
    attention behind places where p is near 1; it takes S^2 numbers per sample.

    >>> previous = [[0.0, 1.0, 0.0, 0.0, 0.0]]
    >>> alpha = monotonic_attention([[1.0, 0.0, 0.0, 1.0, 1.0]], previous, mode="hard")
    >>> print(keras.ops.convert_to_numpy(alpha))  # from place 1 on, 3 is the first
    [[0. 0. 0. 1. 0.]]
    >>> alpha = monotonic_attention([[0.5, 0.5, 0.5, 0.5, 0.5]], previous)
    >>> print(keras.ops.convert_to_numpy(alpha).round(4))
    [[0.     0.5    0.25   0.125  0.0625]]

    Paper: Raffel et al., "Online and linear-time attention by enforcing monotonic
    alignments", 2017, https://arxiv.org/abs/1704.00784
    """
    p, previous = (ops.convert_to_tensor(x) for x in (p_choose, previous_attention))
    dtype = p.dtype
    is_double = keras.backend.standardize_dtype(dtype) == "float64"
    wide = "float64" if is_double else "float32"
    p, previous = ops.cast(p, wide), ops.cast(previous, wide)
    formulas = {"parallel": _parallel, "recursive": _recursive, "hard": _hard}
    alpha = formulas[one_of(mode, MODES, "mode")](p, previous)
    return ops.cast(alpha, dtype)


def _recursive(p, previous):
    """q_s = (1 - p_(s-1)) q_(s-1) + previous_s, place by place."""

    def step(q, inputs):
        p_before, start = inputs
        q = (1 - p_before) * q + start
        return q, q

    p_before = ops.concatenate([ops.zeros_like(p[:, :1]), p[:, :-1]], axis=1)
    inputs = (ops.transpose(p_before), ops.transpose(previous))  # S B
    _, q = ops.scan(step, ops.zeros_like(p[:, 0]), inputs)
    return p * ops.transpose(q)


def _parallel(p, previous):
    """q_s = sum over k <= s of previous_k * product over k <= l < s of (1 - p_l)."""
    goes_on = ops.log(ops.maximum(1 - p, 1e-10))
    total = ops.cumsum(goes_on, axis=1) - goes_on  # of the places before
    place = _places(p)
    is_before = place[:, None, :] <= place[:, :, None]  # B S k
    way = total[:, :, None] - total[:, None, :]
    product = ops.exp(ops.where(is_before, way, -1e9))
    return p * ops.einsum("bsk,bk->bs", product, previous)


def _hard(p, previous):
    """1 at the first place with p = 1 that is not before the last one; else 0."""
    p = p * ops.cumsum(previous, axis=1)
    stops_before = ops.cumsum(p, axis=1) - p
    return ops.where(stops_before > 0, ops.zeros_like(p), p)


def _places(x):
    """1, 2, 3, ... along the axis 1 of x (B, S), whose size may be unknown."""
    return ops.cumsum(ops.ones_like(x), axis=1)
