"""Schedules that let the learning rate rise before it falls; see also cosine."""

import math

import keras
from keras import ops

from ...common.checks import one_of, python_number
from ...common.types import Config
from .base import _as_rate, _positive


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Noam(keras.optimizers.schedules.LearningRateSchedule):
    """The Transformer's schedule: linear warm-up, then the inverse root of the step.

    lr = scale * d_model^-0.5 * min(n^-0.5, n * warmup_steps^-1.5)
    n = step + 1 is the number of the update: 1, 2, 3, ...

    Args:
        d_model: width of the model, > 0.
        warmup_steps: length of the warm-up, > 0; the rate is highest at its end.
        scale: factor of the whole rate.
        name: label of the operation.

    Call: step, a scalar from 0 -> learning rate, a scalar.
    Raises: ValueError for a d_model or warmup_steps that is not positive.
    Not in Keras.

    >>> schedule = Noam(d_model=100, warmup_steps=25)
    >>> [round(float(schedule(step)), 4) for step in (0, 24, 99)]
    [0.0008, 0.02, 0.01]

    Paper: Vaswani et al., "Attention is all you need", section 5.3, 2017,
    https://arxiv.org/abs/1706.03762
    """

    def __init__(
        self,
        d_model: int,
        warmup_steps: float = 4000,
        scale: float = 1.0,
        name: str = "Noam",
    ) -> None:
        super().__init__()
        self.d_model = _positive(d_model, "d_model")
        self.warmup_steps = _positive(warmup_steps, "warmup_steps")
        self.scale = python_number(scale)
        self.name = name

    def __call__(self, step):
        with keras.name_scope(self.name):
            n = ops.cast(step, keras.config.floatx()) + 1
            rise = n * self.warmup_steps**-1.5
            return self.scale * self.d_model**-0.5 * ops.minimum(ops.rsqrt(n), rise)

    def get_config(self) -> Config:
        return {
            "d_model": self.d_model,
            "warmup_steps": self.warmup_steps,
            "scale": self.scale,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CyclicalLearningRate(keras.optimizers.schedules.LearningRateSchedule):
    """Cyclical rates: up and down between two bounds, in a straight line each way.

    cycle = floor(1 + t / (2 * step_size))
    x = |t / step_size - 2 * cycle + 1|              1 at the bottom, 0 at the top
    lr = initial + (maximal - initial) * (1 - x) * scale
    scale: triangular 1; triangular2 1 / 2^(cycle - 1); exp_range gamma^t

    Args:
        initial_learning_rate, maximal_learning_rate: the bounds.
        step_size: steps from bottom to top, half a cycle, > 0.
        mode: "triangular", "triangular2" (amplitude halved every cycle) or
            "exp_range" (amplitude shrinks by gamma every step).
        gamma: used by "exp_range".
        name: label of the operation.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError for an unknown mode, or a step_size that is not positive.
    Not in Keras.

    >>> schedule = CyclicalLearningRate(0.1, 0.5, step_size=10, mode="triangular2")
    >>> [round(float(schedule(t)), 3) for t in (0, 5, 10, 20, 30, 50)]
    [0.1, 0.3, 0.5, 0.1, 0.3, 0.2]

    Paper: Smith, "Cyclical learning rates for training neural networks", 2015,
    https://arxiv.org/abs/1506.01186
    """

    def __init__(
        self,
        initial_learning_rate: float,
        maximal_learning_rate: float,
        step_size: float,
        mode: str = "triangular",
        gamma: float = 1.0,
        name: str = "CyclicalLearningRate",
    ) -> None:
        super().__init__()
        modes = ("triangular", "triangular2", "exp_range")
        self.initial_learning_rate = python_number(initial_learning_rate)
        self.maximal_learning_rate = python_number(maximal_learning_rate)
        self.step_size = _positive(step_size, "step_size")
        self.mode = one_of(mode, modes, "mode")
        self.gamma = python_number(gamma)
        self.name = name

    def __call__(self, step):
        with keras.name_scope(self.name):
            low = _as_rate(self.initial_learning_rate)
            t = ops.cast(step, low.dtype)
            cycle = ops.floor(1 + t / (2 * self.step_size))
            x = ops.abs(t / self.step_size - 2 * cycle + 1)
            amplitude = (self.maximal_learning_rate - low) * (1 - x)
            if self.mode == "triangular2":
                amplitude = amplitude * ops.power(ops.cast(0.5, t.dtype), cycle - 1)
            elif self.mode == "exp_range":
                amplitude = amplitude * ops.power(ops.cast(self.gamma, t.dtype), t)
            return low + amplitude

    def get_config(self) -> Config:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "maximal_learning_rate": self.maximal_learning_rate,
            "step_size": self.step_size,
            "mode": self.mode,
            "gamma": self.gamma,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """One cycle over the whole training: a rise to a high rate, a fall to nearly zero.

    rise, t <= up:  from maximal / div_factor to maximal,  up = pct_start * total - 1
    fall, t > up:   from maximal to maximal / div_factor / final_div_factor at total - 1
    both along half a cosine: b + (a - b) * (1 + cos(pi * p)) / 2, p from 0 to 1

    Args:
        maximal_learning_rate: the highest rate.
        total_steps: number of steps of the training.
        pct_start: share of the steps in the rise, in (0, 1).
        div_factor: the highest rate as a multiple of the first.
        final_div_factor: the first rate as a multiple of the last.
        name: label of the operation.

    Call: step, a scalar -> learning rate, a scalar; past the end, the last rate.
    Raises: ValueError if the rise or the fall would last less than a step.
    Not in Keras; the steps are those of torch's OneCycleLR.

    >>> schedule = OneCycle(1.0, total_steps=20, pct_start=0.5)
    >>> [round(float(schedule(t)), 2) for t in (0, 9, 14, 19)]
    [0.04, 1.0, 0.5, 0.0]

    Paper: Smith and Topin, "Super-convergence: very fast training of neural networks
    using large learning rates", 2017, https://arxiv.org/abs/1708.07120
    """

    def __init__(
        self,
        maximal_learning_rate: float,
        total_steps: int,
        pct_start: float = 0.3,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        name: str = "OneCycle",
    ) -> None:
        super().__init__()
        if not 1 < pct_start * total_steps < total_steps:
            raise ValueError(
                "`pct_start` * `total_steps` must be above 1 and below `total_steps`, "
                "or there is no rise or no fall. Received: "
                f"pct_start={pct_start}, total_steps={total_steps}"
            )
        self.maximal_learning_rate = python_number(maximal_learning_rate)
        self.total_steps = python_number(total_steps)
        self.pct_start = python_number(pct_start)
        self.div_factor = python_number(div_factor)
        self.final_div_factor = python_number(final_div_factor)
        self.name = name

    def __call__(self, step):
        with keras.name_scope(self.name):
            top = _as_rate(self.maximal_learning_rate)
            start = top / self.div_factor
            t = ops.minimum(ops.cast(step, top.dtype), self.total_steps - 1)
            up = self.pct_start * self.total_steps - 1
            rise = _along_cosine(start, top, t / up)
            p = (t - up) / (self.total_steps - 1 - up)
            fall = _along_cosine(top, start / self.final_div_factor, p)
            return ops.where(t <= up, rise, fall)

    def get_config(self) -> Config:
        return {
            "maximal_learning_rate": self.maximal_learning_rate,
            "total_steps": self.total_steps,
            "pct_start": self.pct_start,
            "div_factor": self.div_factor,
            "final_div_factor": self.final_div_factor,
            "name": self.name,
        }


def _along_cosine(a, b, p):
    """The value between a at p = 0 and b at p = 1, along half a cosine."""
    return b + (a - b) * (1 + ops.cos(math.pi * p)) / 2
