"""Alpha dropout: dropout that keeps the mean and the variance of its input."""

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.types import Config, Seed
from .base import _bernoulli, _fraction, _Noise
from .dropout import _checked_noise_shape, _filled_in


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AlphaDropout(_Noise):
    """Dropout for SELU networks: keeps the mean 0 and the variance 1 of its input.

    training:  y = a * (x * m - s * (1 - m)) + b, m ~ Bernoulli(1 - rate)
               s = 1.7581, the limit of -selu; a and b restore mean and variance:
               a = ((1 - rate) * (1 + rate * s^2))^-1/2, b = a * rate * s
    inference: y = x

    Args:
        rate: share of units set to -s, in [0, 1).
        noise_shape: shape of m, broadcast to x; None, or None for an axis, means the
            shape of x.
        seed: an integer that makes the noise repeatable.

    Input and output shape: any, the same.
    Raises: ValueError for a rate outside [0, 1), and for a noise_shape that is not a
        sequence of positive integers and None.
    Differs from Keras: as Dropout does; the constructor refuses a rate of 1.

    >>> x = keras.random.normal((20_000,), seed=1)
    >>> y = AlphaDropout(0.5, seed=2)(x, training=True)
    >>> abs(float(keras.ops.mean(y))) < 0.05, abs(float(keras.ops.std(y)) - 1) < 0.05
    (True, True)

    Paper: Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural networks",
    2017. https://arxiv.org/abs/1706.02515
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Iterable[int | None] | None = None,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(_fraction(rate, "rate", may_be_one=False), seed, **kwargs)
        self.rate = python_number(rate)
        self.noise_shape = _checked_noise_shape(noise_shape)

    def _add_noise(self, inputs):
        shape = _filled_in(self.noise_shape, inputs)
        m = _bernoulli(shape, self.rate, self.seed_generator)
        s = 1.6732632423543772 * 1.0507009873554805
        a = ((1 - self.rate) * (1 + self.rate * s**2)) ** -0.5
        b = a * self.rate * s
        return a * ops.where(m, inputs, ops.cast(-s, inputs.dtype)) + b

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": self.noise_shape,
        }
