"""Gaussian noise, multiplied (Gaussian dropout) or added."""

import math
from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.types import Config, Seed
from .base import _fraction, _Noise, _normal


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GaussianDropout(_Noise):
    """Multiplies by noise with mean 1 and the variance of Dropout's noise.

    training:  y = x * (1 + sqrt(rate / (1 - rate)) * e), e ~ Normal(0, 1)
    inference: y = x

    Args:
        rate: the rate of the Dropout layer that has the same variance, in [0, 1).
        seed: an integer that makes the noise repeatable.

    Input and output shape: any, the same.
    Raises: ValueError for a rate outside [0, 1).
    Differs from Keras: the same seed gives other noise; the constructor refuses a rate
        of 1; integers become floats.

    >>> y = GaussianDropout(0.2, seed=1)(keras.ops.ones(20_000), training=True)
    >>> round(float(keras.ops.mean(y)), 1), round(float(keras.ops.std(y)), 1)
    (1.0, 0.5)

    Paper: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: a
    simple way to prevent neural networks from overfitting", 2014, section 10.
    https://jmlr.org/papers/v15/srivastava14a.html
    """

    def __init__(self, rate: float, seed: Seed = None, **kwargs: Any) -> None:
        super().__init__(_fraction(rate, "rate", may_be_one=False), seed, **kwargs)
        self.rate = python_number(rate)

    def _add_noise(self, inputs):
        stddev = math.sqrt(self.rate / (1 - self.rate))
        e = _normal(ops.shape(inputs), inputs.dtype, self.seed_generator)
        return inputs * (1 + stddev * e)

    def get_config(self) -> Config:
        return {**super().get_config(), "rate": self.rate}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GaussianNoise(_Noise):
    """Adds normal noise to its input in training.

    training:  y = x + stddev * e, e ~ Normal(0, 1)
    inference: y = x

    Args:
        stddev: standard deviation of the noise, in [0, 1].
        seed: an integer that makes the noise repeatable.

    Input and output shape: any, the same.
    Raises: ValueError for a stddev outside [0, 1].
    Differs from Keras: the same seed gives other noise; integers become floats.

    >>> y = GaussianNoise(0.5, seed=1)(3 * keras.ops.ones(20_000), training=True)
    >>> round(float(keras.ops.mean(y)), 1), round(float(keras.ops.std(y)), 1)
    (3.0, 0.5)

    Paper: Bishop, "Training with noise is equivalent to Tikhonov regularization", 1995.
    https://doi.org/10.1162/neco.1995.7.1.108
    """

    def __init__(self, stddev: float, seed: Seed = None, **kwargs: Any) -> None:
        super().__init__(_fraction(stddev, "stddev"), seed, **kwargs)
        self.stddev = python_number(stddev)

    def _strength(self) -> float:
        return self.stddev

    def _add_noise(self, inputs):
        e = _normal(ops.shape(inputs), inputs.dtype, self.seed_generator)
        return inputs + self.stddev * e

    def get_config(self) -> Config:
        return {**super().get_config(), "stddev": self.stddev}
