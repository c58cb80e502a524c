"""Learning-rate schedules, computed in float32."""

import math
from typing import Any

from keras import ops
from keras.optimizers.schedules import LearningRateSchedule


class _Schedule(LearningRateSchedule):
    """A schedule that computes `_rate(start, t)` from its first rate and the step."""

    initial_learning_rate: float

    def __call__(self, step: Any) -> Any:
        start = ops.cast(self.initial_learning_rate, "float32")
        return self._rate(start, ops.cast(step, "float32"))

    def _rate(self, start: Any, t: Any) -> Any:
        raise NotImplementedError


class CosineDecay(LearningRateSchedule):
    """Half a cosine, from the initial rate down to `alpha` times that rate.

    lr = initial * ((1 - alpha) * (1 + cos(pi * t / T)) / 2 + alpha),  T = decay_steps
    """

    def __init__(
        self, initial_learning_rate: float, decay_steps: int, alpha: float = 0.0
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha

    def __call__(self, step: Any) -> Any:
        progress = ops.minimum(ops.cast(step, "float32") / self.decay_steps, 1)
        cosine = (1 + ops.cos(math.pi * progress)) / 2
        start = ops.cast(self.initial_learning_rate, "float32")
        return start * ((1 - self.alpha) * cosine + self.alpha)


class WarmupCosine(LearningRateSchedule):
    """Linear warm-up to a peak, then half a cosine to zero, over the whole training.

    warm-up, t < W: lr = start + (peak - start) * t / W,  start = peak / div_factor
    decay, t >= W:  lr = peak * (1 + cos(pi * (t - W) / (total_steps - W))) / 2
    with W = warmup * total_steps, rounded down
    """

    def __init__(
        self,
        peak_learning_rate: float,
        total_steps: int,
        warmup: float = 0.1,
        div_factor: float = 20.0,
    ) -> None:
        self.peak_learning_rate = peak_learning_rate
        self.start = peak_learning_rate / div_factor
        self.warmup_steps = int(warmup * total_steps)
        self.decay_steps = total_steps - self.warmup_steps

    def __call__(self, step: Any) -> Any:
        t = ops.cast(step, "float32")
        start = ops.cast(self.start, "float32")
        peak = ops.cast(self.peak_learning_rate, "float32")
        rise = start + (peak - start) * t / max(self.warmup_steps, 1)
        progress = ops.minimum((t - self.warmup_steps) / self.decay_steps, 1)
        fall = peak * (1 + ops.cos(math.pi * progress)) / 2
        return ops.where(t < self.warmup_steps, rise, fall)
