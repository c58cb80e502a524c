"""What the layers of this room share: a seed, the call, and fast random numbers."""

import math
from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.inputs import as_floats
from ...common.private_keras import build_at_init
from ...common.types import Config, Seed, Shape


class _Noise(keras.layers.Layer):
    """A layer that changes its input at random in training, and otherwise returns it.

    A subclass writes `_add_noise(inputs)`. The strength of its noise, a number from 0
    to 1, is `self.rate`; a subclass that calls it otherwise overrides `_strength`.
    """

    def __init__(self, strength: float, seed: Seed, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = python_number(seed)
        if strength > 0:
            self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs, training: bool = False):
        inputs = as_floats(inputs, self.compute_dtype)
        if training and self._strength() > 0:
            return self._add_noise(inputs)
        return inputs

    def _strength(self) -> float:
        return self.rate

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {**super().get_config(), "seed": self.seed}


def _fraction(value: float, name: str, may_be_one: bool = True) -> float:
    """`value`, a number from 0 to 1.

    Raises: ValueError outside these bounds, and for 1 unless it `may_be_one`.
    """
    if not 0 <= value <= 1 or (value == 1 and not may_be_one):
        raise ValueError(
            f"Invalid value received for argument `{name}`. Expected a "
            f"float value between 0 and 1{'' if may_be_one else ', below 1'}. "
            f"Received: {name}={value}"
        )
    return value


def _random_integers(n: int, bits: int, seed: keras.random.SeedGenerator):
    """n signed integers of 16 or 32 random bits each.

    They are cut from words of 64 bits, which XLA draws far faster on CPUs. JAX has
    words of 32 bits only.
    """
    width = 32 if keras.backend.backend() == "jax" else 64
    half = 2 ** (width - 1)
    words = keras.random.randint(
        shape=(n // (width // bits) + 1, 1),
        minval=-half,
        maxval=half - 1,
        dtype=f"int{width}",
        seed=seed,
    )
    integers = ops.view(words, f"int{bits}")
    return ops.reshape(integers, (-1,))[:n]


def _bernoulli(shape, rate: float, seed: keras.random.SeedGenerator):
    """True with probability 1 - rate, rounded to a multiple of 2^-16."""
    threshold = min(round(rate * 2**16), 2**16 - 1) - 2**15
    integers = _random_integers(math.prod(shape), 16, seed)
    return ops.reshape(integers >= ops.cast(threshold, "int16"), shape)


def _normal(shape, dtype: str, seed: keras.random.SeedGenerator):
    """Standard normal numbers, by the method of Box and Muller.

    Two independent uniform numbers u, v make two independent normal ones:
    sqrt(-2 log u) cos(2 pi v) and sqrt(-2 log u) sin(2 pi v).
    """
    n = math.prod(shape)
    half = (n + 1) // 2
    integers = _random_integers(2 * half, 32, seed)
    uniform = ops.cast(integers, "float32") * 2.0**-32  # in [-0.5, 0.5)
    u = ops.maximum(uniform[:half] + 0.5, 2.0**-27)  # above 0, whose log is infinite
    v = uniform[half:]
    r = ops.sqrt(-2 * ops.log(u))
    angle = 2 * math.pi * v
    e = ops.concatenate([r * ops.cos(angle), r * ops.sin(angle)])
    return ops.cast(ops.reshape(e[:n], shape), dtype)
