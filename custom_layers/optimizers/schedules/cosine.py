"""Schedules along half a cosine, optionally after a warm-up."""

import math

import keras
from keras import ops

from ...common.checks import python_number
from ...common.types import Config
from .base import _positive, _Schedule


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CosineDecay(_Schedule):
    """Cosine decay: optionally a linear warm-up, then half a cosine down to a floor.

    warm-up, t < warmup_steps: lr = initial + (target - initial) * t / warmup_steps
    decay, u = t - warmup_steps: lr = peak * ((1 - alpha) * (1 + cos(pi * u / T)) / 2
        + alpha), with T = decay_steps and u held at T once it is reached
    peak is the target, or the initial rate if there is no warm-up

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: length T of the decay, > 0.
        alpha: the floor, as a share of the peak.
        name: label of the operation.
        warmup_target: rate at the end of the warm-up; None means no warm-up.
        warmup_steps: length of the warm-up.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError for decay_steps <= 0.
    Differs from Keras: a rate may be a whole number; beside it, Keras rounds the other
    numbers or fails.

    >>> schedule = CosineDecay(0.0, 100, warmup_target=0.1, warmup_steps=10)
    >>> [round(float(schedule(t)), 3) for t in (0, 5, 10, 60, 110, 200)]
    [0.0, 0.05, 0.1, 0.05, 0.0, 0.0]

    Papers: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm
    restarts", 2016, https://arxiv.org/abs/1608.03983; warm-up: Goyal et al.,
    "Accurate, large minibatch SGD", 2017, https://arxiv.org/abs/1706.02677
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        super().__init__()
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps, "decay_steps")
        self.alpha = python_number(alpha)
        self.name = name
        self.warmup_target = python_number(warmup_target)
        self.warmup_steps = python_number(warmup_steps)

    def _rate(self, start, t):
        if self.warmup_target is None:
            return self._decay(start, t)
        target = ops.cast(self.warmup_target, t.dtype)
        warmup = start + (target - start) * t / max(self.warmup_steps, 1)
        decay = self._decay(target, t - self.warmup_steps)
        return ops.where(t < self.warmup_steps, warmup, decay)

    def _decay(self, peak, u):
        cosine = _cosine(ops.minimum(u / self.decay_steps, 1))
        return peak * ((1 - self.alpha) * cosine + self.alpha)

    def get_config(self) -> Config:
        return {
            "initial_learning_rate": python_number(self.initial_learning_rate),
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CosineDecayRestarts(_Schedule):
    """Cosine decay with warm restarts (SGDR): each decay is longer than the last.

    decay i lasts T_i = first_decay_steps * t_mul^i steps
    lr = initial * ((1 - alpha) * m_mul^i * (1 + cos(pi * u / T_i)) / 2 + alpha)
    with u the steps since decay i began

    Args:
        initial_learning_rate: rate at step 0.
        first_decay_steps: length of the first decay, > 0.
        t_mul: each decay's length as a multiple of the one before it.
        m_mul: each decay's start as a multiple of the one before it.
        alpha: the floor, as a share of the initial rate.
        name: label of the operation.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError for first_decay_steps <= 0.
    Differs from Keras: as CosineDecay does; and rounding never delays a restart, which
    in Keras may come a step late, as on torch at step 20 with first_decay_steps=8 and
    t_mul=1.5.

    >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=10, m_mul=0.5)
    >>> [round(float(schedule(t)), 3) for t in (0, 5, 10, 20, 30)]
    [0.1, 0.05, 0.05, 0.025, 0.025]

    Paper: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm
    restarts", 2016, https://arxiv.org/abs/1608.03983
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        super().__init__()
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = _positive(first_decay_steps, "first_decay_steps")
        self.t_mul = python_number(t_mul)
        self.m_mul = python_number(m_mul)
        self.alpha = python_number(alpha)
        self.name = name

    def _rate(self, start, t):
        p = t / self.first_decay_steps
        if self.t_mul == 1:
            i = ops.floor(p)
            p = p - i
        else:  # decay i begins at p = (1 - t_mul^i) / (1 - t_mul)
            i = ops.log(1 - p * (1 - self.t_mul)) / math.log(self.t_mul)
            i = ops.floor(i + 1e-6)  # else rounding may restart a step late
            length = ops.power(ops.cast(self.t_mul, t.dtype), i)
            p = (p - (1 - length) / (1 - self.t_mul)) / length
        peak = ops.power(ops.cast(self.m_mul, t.dtype), i)
        return start * ((1 - self.alpha) * peak * _cosine(p) + self.alpha)

    def get_config(self) -> Config:
        return {
            "initial_learning_rate": python_number(self.initial_learning_rate),
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class WarmupCosine(CosineDecay):
    """Linear warm-up to a peak, then half a cosine to zero, over the whole training.

    warm-up, t < W: lr = start + (peak - start) * t / W,  start = peak / div_factor
    decay, t >= W:  lr = peak * (1 + cos(pi * (t - W) / (total_steps - W))) / 2
    with W = warmup * total_steps, rounded down

    Args:
        peak_learning_rate: the highest rate, reached at step W.
        total_steps: number of steps of the training, > 0.
        warmup: share of the steps in the warm-up, in [0, 1).
        div_factor: the peak as a multiple of the first rate.
        name: label of the operation.

    Call: step, a scalar -> learning rate, a scalar; past the end, 0.
    Raises: ValueError for total_steps <= 0, or a warmup outside [0, 1).
    Not in Keras, whose CosineDecay with these sizes gives the same rates.

    >>> schedule = WarmupCosine(1.0, total_steps=100)
    >>> [round(float(schedule(t)), 3) for t in (0, 5, 10, 55, 100)]
    [0.05, 0.525, 1.0, 0.5, 0.0]

    Papers: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm
    restarts", 2016, https://arxiv.org/abs/1608.03983; warm-up: Goyal et al.,
    "Accurate, large minibatch SGD", 2017, https://arxiv.org/abs/1706.02677
    """

    def __init__(
        self,
        peak_learning_rate: float,
        total_steps: int,
        warmup: float = 0.1,
        div_factor: float = 20.0,
        name: str = "WarmupCosine",
    ) -> None:
        _positive(total_steps, "total_steps")
        if not 0 <= warmup < 1:
            raise ValueError(
                f"`warmup` must be at least 0 and below 1. Received: warmup={warmup}"
            )
        warmup_steps = int(warmup * total_steps)
        super().__init__(
            initial_learning_rate=peak_learning_rate / div_factor,
            decay_steps=total_steps - warmup_steps,
            warmup_target=peak_learning_rate,
            warmup_steps=warmup_steps,
            name=name,
        )
        self.peak_learning_rate = python_number(peak_learning_rate)
        self.total_steps = python_number(total_steps)
        self.warmup = python_number(warmup)
        self.div_factor = python_number(div_factor)

    def get_config(self) -> Config:
        return {
            "peak_learning_rate": self.peak_learning_rate,
            "total_steps": self.total_steps,
            "warmup": self.warmup,
            "div_factor": self.div_factor,
            "name": self.name,
        }


def _cosine(progress):
    """Half a cosine: 1 at progress 0, 0 at progress 1."""
    return (1 + ops.cos(math.pi * progress)) / 2
