"""Randomized leaky ReLU as a layer, which is random in training only."""

from typing import Any

import keras

from ...activations.rrelu import rrelu
from ...common.checks import number_from_zero, python_number
from ...common.inputs import as_floats
from ...common.private_keras import build_at_init
from ...common.types import Config, Seed, Shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RReLU(keras.layers.Layer):
    """Randomized leaky ReLU as a layer: its random slopes work against overfitting.

    y = x if x >= 0 else a x
    training:  a ~ Uniform(lower, upper), drawn for each entry of x
    inference: a = (lower + upper) / 2

    Args:
        lower, upper: bounds of the slopes, 0 <= lower <= upper.
        seed: an integer that makes the slopes repeatable.

    Input and output shape: any, the same.
    Raises: ValueError for a lower bound that is negative or above the upper one.
    Keras has no such class. PyTorch's has the same defaults.

    The slopes of training have the mean of that of inference:

    >>> layer, x = RReLU(0.1, 0.3, seed=1), -keras.ops.ones((1000,))
    >>> y = layer(x, training=True)
    >>> round(float(keras.ops.mean(y)), 1), round(float(layer(x)[0]), 1)
    (-0.2, -0.2)

    Paper: Xu, Wang, Chen, Li, "Empirical evaluation of rectified activations in
    convolutional network", 2015. https://arxiv.org/abs/1505.00853
    """

    def __init__(
        self,
        lower: float = 1 / 8,
        upper: float = 1 / 3,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.lower = number_from_zero(lower, "lower")
        self.upper = number_from_zero(upper, "upper")
        if self.lower > self.upper:
            raise ValueError(
                "`lower` must not exceed `upper`. "
                f"Received: lower={lower}, upper={upper}"
            )
        self.seed = python_number(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs, training: bool = False):
        x = as_floats(inputs, self.compute_dtype)
        return rrelu(x, self.lower, self.upper, training, self.seed_generator)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "lower": self.lower,
            "upper": self.upper,
            "seed": self.seed,
        }
