"""Stochastic depth: residual branches that are left out for whole samples."""

from typing import Any

import keras
from keras import ops

from ...common.types import Config, Seed
from .dropout import Dropout


@keras.saving.register_keras_serializable(package="keras_cookbook")
class StochasticDepth(Dropout):
    """Drop path: silences whole samples, at the end of a residual branch.

    training:  y = x * m / (1 - rate), m of shape (B, 1, ..., 1) ~ Bernoulli(1 - rate)
    inference: y = x

    Args:
        rate: share of samples set to zero, in [0, 1].
        seed: an integer that makes the noise repeatable.

    Input and output shape: any with a batch axis, the same.
    Raises: ValueError for a rate outside [0, 1].
    Keras has no such class. The paper multiplies by 1 - rate in inference instead of
    dividing in training; the averages are the same.

    >>> StochasticDepth(0.2)(keras.ops.ones((2, 4, 4, 3))).shape
    TensorShape([2, 4, 4, 3])

    Paper: Huang, Sun, Liu, Sedra, Weinberger, "Deep networks with stochastic depth",
    2016. https://arxiv.org/abs/1603.09382
    """

    def __init__(self, rate: float, seed: Seed = None, **kwargs: Any) -> None:
        super().__init__(rate, seed=seed, **kwargs)

    def _shape_of_noise(self, inputs):
        return [ops.shape(inputs)[0], *[1] * (len(inputs.shape) - 1)]

    def get_config(self) -> Config:
        config = super().get_config()
        del config["noise_shape"]
        return config
