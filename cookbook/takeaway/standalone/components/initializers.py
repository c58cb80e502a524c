"""Initializers for kernels whose last axis is the output."""

import math
import random
from typing import Any

import keras


class HeNormal(keras.initializers.Initializer):
    """He (Kaiming) normal: makes up for the half of the signal that ReLU removes.

    w ~ N(0, sqrt(2 / fan_in)), drawn again beyond two deviations
    """

    def __init__(self, seed: int | None = None) -> None:
        # Python's generator, so that keras.utils.set_random_seed governs it.
        self.seed = random.randint(1, 10**9) if seed is None else seed

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Any:
        # The cut at two deviations takes away variance, which the division restores.
        stddev = math.sqrt(2 / math.prod(shape[:-1])) / 0.87962566103423978
        return keras.random.truncated_normal(
            shape, stddev=stddev, dtype=dtype, seed=self.seed
        )
