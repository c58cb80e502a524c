"""Dropout: units that fall silent at random, so that none relies on another."""

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.types import Config, Seed
from .base import _bernoulli, _fraction, _Noise


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Dropout(_Noise):
    """Inverted dropout: in training, each unit is silenced with probability `rate`.

    training:  y = x * m / (1 - rate), m ~ Bernoulli(1 - rate)
    inference: y = x

    Args:
        rate: share of units set to zero, in [0, 1].
        noise_shape: shape of m, broadcast to x; None, or None for an axis, means the
            shape of x.
        seed: an integer that makes the noise repeatable.

    Input and output shape: any, the same.
    Raises: ValueError for a rate outside [0, 1], and for a noise_shape that is not a
        sequence of positive integers and None.
    Differs from Keras: the same seed silences other units; the probability is rounded
        to a multiple of 2^-16; integers become floats.

    >>> layer, x = Dropout(0.5, seed=1), keras.ops.ones(10_000)
    >>> y = layer(x, training=True)
    >>> sorted(set(y.numpy().tolist()))  # silent, or louder in their place
    [0.0, 2.0]
    >>> round(float(keras.ops.mean(y)), 1), float(keras.ops.mean(layer(x)))
    (1.0, 1.0)

    Paper: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: a
    simple way to prevent neural networks from overfitting", 2014.
    https://jmlr.org/papers/v15/srivastava14a.html
    """

    def __init__(
        self,
        rate: float,
        noise_shape: Iterable[int | None] | None = None,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(_fraction(rate, "rate"), seed, **kwargs)
        self.rate = python_number(rate)
        self.noise_shape = _checked_noise_shape(noise_shape)

    def _add_noise(self, inputs):
        if self.rate == 1:
            return ops.zeros_like(inputs)
        m = _bernoulli(self._shape_of_noise(inputs), self.rate, self.seed_generator)
        return inputs * (ops.cast(m, inputs.dtype) * (1 / (1 - self.rate)))

    def _shape_of_noise(self, inputs):
        return _filled_in(self.noise_shape, inputs)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": self.noise_shape,
        }


def _filled_in(noise_shape: tuple[int | None, ...] | None, inputs):
    """`noise_shape` with the lengths of the input's axes in place of None."""
    shape = ops.shape(inputs)
    if noise_shape is None:
        return shape
    return [own if n is None else n for n, own in zip(noise_shape, shape)]


def _checked_noise_shape(noise_shape: Any) -> tuple[int | None, ...] | None:
    if noise_shape is None:
        return None
    problem = "Invalid value received for argument `noise_shape`. Expected"
    received = f"Received: noise_shape={noise_shape}"
    if isinstance(noise_shape, str) or not isinstance(noise_shape, Iterable):
        raise ValueError(f"{problem} a tuple or list of integers. {received}")
    noise_shape = python_number(tuple(noise_shape))
    if not all(n is None or isinstance(n, int) for n in noise_shape):
        raise ValueError(f"{problem} all elements to be integers or None. {received}")
    if not all(n is None or n > 0 for n in noise_shape):
        raise ValueError(
            f"{problem} all dimensions to be positive integers or None. {received}"
        )
    return noise_shape
