"""Random initializers: start values that make the units differ from each other.

Each takes a `seed`: an integer repeats the same draw at every call, a SeedGenerator
gives a new draw at every call, and None draws an integer.
"""

import operator
import random
from typing import Any

import keras

from ..common.checks import python_number
from ..common.types import Config, Seed


class _RandomInitializer(keras.initializers.Initializer):
    """Holds the seed and its configuration."""

    def __init__(self, seed: Seed = None) -> None:
        self._init_seed = python_number(seed)
        self.seed = _resolved(seed)

    def get_config(self) -> Config:
        return {"seed": keras.saving.serialize_keras_object(self._init_seed)}


def _resolved(seed: Any) -> int | keras.random.SeedGenerator:
    """The seed to draw with: a number is chosen for None, a configuration is read."""
    if seed is None:
        # Python's generator, so that keras.utils.set_random_seed governs it.
        return random.randint(1, 10**9)
    if isinstance(seed, dict):
        return keras.saving.deserialize_keras_object(seed)
    if isinstance(seed, keras.random.SeedGenerator):
        return seed
    try:
        return operator.index(seed)
    except TypeError:
        raise ValueError(
            f"Invalid value for `seed`: got {seed!r}, expected an integer or a "
            "keras.random.SeedGenerator."
        ) from None


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RandomNormal(_RandomInitializer):
    """Normal initializer: draws from a normal distribution.

    w ~ N(mean, stddev)

    Args:
        mean: mean of the distribution.
        stddev: standard deviation of the distribution.
        seed: integer or keras.random.SeedGenerator; None draws an integer.

    Call: (shape, dtype) -> weight of that shape.

    >>> w = RandomNormal(stddev=0.1, seed=1)((10_000,))
    >>> round(float(keras.ops.std(w)), 2)
    0.1
    >>> bool(keras.ops.max(abs(w)) > 0.3)  # a few are far from the mean
    True

    Paper: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep
    convolutional neural networks", 2012. https://doi.org/10.1145/3065386
    """

    def __init__(
        self, mean: float = 0.0, stddev: float = 0.05, seed: Seed = None
    ) -> None:
        super().__init__(seed)
        self.mean = python_number(mean)
        self.stddev = python_number(stddev)

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None):
        return keras.random.normal(shape, self.mean, self.stddev, dtype, self.seed)

    def get_config(self) -> Config:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TruncatedNormal(RandomNormal):
    """Truncated normal initializer: no weight is far from the mean.

    w ~ N(mean, stddev), drawn again beyond two standard deviations

    Args:
        mean: mean of the distribution.
        stddev: standard deviation of the distribution before the cut.
        seed: integer or keras.random.SeedGenerator; None draws an integer.

    Call: (shape, dtype) -> weight of that shape.

    >>> w = TruncatedNormal(stddev=0.1, seed=1)((10_000,))
    >>> bool(keras.ops.max(abs(w)) < 0.201)  # none is beyond two deviations
    True

    Source: https://en.wikipedia.org/wiki/Truncated_normal_distribution
    """

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None):
        return keras.random.truncated_normal(
            shape, self.mean, self.stddev, dtype, self.seed
        )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RandomUniform(_RandomInitializer):
    """Uniform initializer: draws from an interval, each value as likely as the others.

    w ~ U(minval, maxval)

    Args:
        minval: lower end of the interval.
        maxval: upper end of the interval, which is never drawn.
        seed: integer or keras.random.SeedGenerator; None draws an integer.

    Call: (shape, dtype) -> weight of that shape.

    >>> w = RandomUniform(-1.0, 1.0, seed=1)((10_000,))
    >>> bool(keras.ops.max(abs(w)) <= 1)
    True
    >>> round(float(keras.ops.mean(abs(w) < 0.2)), 1)  # a fifth of the interval
    0.2

    Paper: LeCun, Bottou, Orr, Müller, "Efficient backprop", 1998.
    http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf
    """

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: Seed = None
    ) -> None:
        super().__init__(seed)
        self.minval = python_number(minval)
        self.maxval = python_number(maxval)

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None):
        return keras.random.uniform(shape, self.minval, self.maxval, dtype, self.seed)

    def get_config(self) -> Config:
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}
