"""Levels of noise: how noise is added to samples, and how it is taken out again."""

from collections.abc import Callable, Sequence

import numpy as np
from keras import ops

from ...common.checks import ascending_pair, one_of, positive_integer
from ...common.types import Config


class _Process:
    """Levels of noise, from 0 (none) to `timesteps`, and the steps between them.

    a, b: the shares of the sample and of the noise at each level; a^2 + b^2 = 1.
    """

    def __init__(
        self,
        timesteps: int,
        schedule: str,
        prediction: str,
        value_range: Sequence[float] | None,
    ) -> None:
        self.timesteps = positive_integer(timesteps, "timesteps")
        self.schedule = one_of(schedule, tuple(SCHEDULES), "schedule")
        self.prediction = one_of(prediction, ("velocity", "noise"), "prediction")
        self.value_range = None
        if value_range is not None:
            self.value_range = ascending_pair(value_range, "value_range")
        kept = SCHEDULES[schedule](self.timesteps)  # (a_t / a_(t-1))^2
        alpha_bar = np.cumprod([1.0, *kept])
        a = np.sqrt(alpha_bar)
        self.a = a.astype("float32")
        b = np.sqrt(1 - alpha_bar)
        self.b = b.astype("float32")

    @property
    def options(self) -> Config:
        """The arguments, for a configuration."""
        return {
            "timesteps": self.timesteps,
            "schedule": self.schedule,
            "prediction": self.prediction,
            "value_range": self.value_range and [*self.value_range],
        }

    def pairs(self, steps: int) -> np.ndarray:
        """(t, s) of each step from `timesteps` down to 0, at most one per timestep."""
        levels = min(positive_integer(steps, "steps"), self.timesteps)
        places = np.linspace(self.timesteps, 0, levels + 1)
        times = np.round(places)
        times = times.astype("int32")
        return np.stack([times[:-1], times[1:]], axis=1)

    def _shares(self, t, x):
        """a_t and b_t, of one t or of one for each sample, to be multiplied by x."""
        ones = (1,) * (len(x.shape) - 1)
        shape = (-1, *ones)
        a = ops.take(ops.convert_to_tensor(self.a), t)
        b = ops.take(ops.convert_to_tensor(self.b), t)
        a = ops.reshape(a, shape)
        b = ops.reshape(b, shape)
        return a, b

    def noisy(self, x, e, t):
        """x_t: the samples x with noise e at level t."""
        x = ops.convert_to_tensor(x)
        e = ops.convert_to_tensor(e)
        a, b = self._shares(t, x)
        return a * x + b * e

    def target(self, x, e, t):
        """What the denoiser is to return for x_t."""
        x = ops.convert_to_tensor(x)
        e = ops.convert_to_tensor(e)
        if self.prediction == "noise":
            return e
        a, b = self._shares(t, x)
        return a * e - b * x

    def cleaned(self, x_t, predicted, t):
        """(x_0, e): what the sample and its noise are by the denoiser's answer."""
        x_t = ops.convert_to_tensor(x_t)
        predicted = ops.convert_to_tensor(predicted)
        a, b = self._shares(t, x_t)
        if self.prediction == "noise":
            e = predicted
            x_0 = (x_t - b * e) / a
        else:
            x_0 = a * x_t - b * predicted
            e = b * x_t + a * predicted
        if self.value_range is not None:
            x_0 = ops.clip(x_0, *self.value_range)
            e = (x_t - a * x_0) / b
        return x_0, e

    def step(self, x_t, predicted, t, s, eta=0.0, z=0.0):
        """x_s for s < t, with standard normal numbers z."""
        x_0, e = self.cleaned(x_t, predicted, t)
        a_t, b_t = self._shares(t, x_t)
        a_s, b_s = self._shares(s, x_t)

        lost = 1 - ops.square(a_t / a_s)
        v = ops.square(eta * b_s / b_t) * lost
        rest = ops.square(b_s) - v
        rest = ops.maximum(rest, 0)  # rounding may make it negative

        mean = a_s * x_0 + ops.sqrt(rest) * e
        sigma = ops.sqrt(v)
        return mean + ops.multiply(sigma, z)


def _cosine(timesteps: int) -> np.ndarray:
    """The share of the signal's variance that each timestep keeps: a cosine squared.

    Paper: Nichol, Dhariwal, "Improved denoising diffusion probabilistic models", 2021.
    https://arxiv.org/abs/2102.09672
    """
    offset = 0.008  # so that the first steps add enough noise to be seen
    share = np.arange(timesteps + 1) / timesteps
    place = (share + offset) / (1 + offset)
    a = np.cos(place * np.pi / 2)
    alpha_bar = np.square(a)
    kept = alpha_bar[1:] / alpha_bar[:-1]
    return np.maximum(kept, 0.001)


def _linear(timesteps: int) -> np.ndarray:
    """The same where what is lost grows by equal steps: of 1000, 0.0001 to 0.02."""
    beta = np.linspace(0.1, 20, timesteps) / timesteps
    beta = np.minimum(beta, 0.999)
    return 1 - beta


SCHEDULES: dict[str, Callable[[int], np.ndarray]] = {
    "cosine": _cosine,
    "linear": _linear,
}
