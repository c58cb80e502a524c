"""Stochastic depth: residual branches that are left out for whole samples."""

from typing import Any

import keras
from keras import ops

from ...common.inputs import as_floats
from ...common.types import Config, Seed, Shape
from .dropout import Dropout


@keras.saving.register_keras_serializable(package="keras_cookbook")
class StochasticDepth(Dropout):
    """Drop path: silences whole samples, at the end of a residual branch.

    training:  y = x * m / (1 - rate), m of shape (B, 1, ..., 1) ~ Bernoulli(1 - rate)
    inference: y = x
    Of a list [shortcut, x] it returns shortcut + y, the sum that follows anyway.

    Args:
        rate: share of samples set to zero, in [0, 1].
        seed: an integer that makes the noise repeatable.

    Input and output shape: any with a batch axis, the same; or a list of two such
        tensors, whose sum has that shape. The mask of the list is the shortcut's.
    Raises: ValueError for a rate outside [0, 1], and for a list of another length.
    Keras has no such class. The paper multiplies by 1 - rate in inference instead of
    dividing in training; the averages are the same. TensorFlow Addons takes the same
    list, multiplies as the paper does, draws one m for the whole batch, and is given
    survival_probability = 1 - rate.

    >>> x = keras.ops.ones((100, 3))
    >>> y = StochasticDepth(0.5)([x, 10 * x], training=True)  # shortcut, branch
    >>> sorted(set(map(tuple, y.numpy().tolist())))  # without the branch, or with it
    [(1.0, 1.0, 1.0), (21.0, 21.0, 21.0)]

    Paper: Huang, Sun, Liu, Sedra, Weinberger, "Deep networks with stochastic depth",
    2016. https://arxiv.org/abs/1603.09382
    """

    def __init__(self, rate: float, seed: Seed = None, **kwargs: Any) -> None:
        super().__init__(rate, seed=seed, **kwargs)

    def call(self, inputs, training: bool = False):
        if not isinstance(inputs, list | tuple):
            return super().call(inputs, training)
        if len(inputs) != 2:
            raise ValueError(
                "StochasticDepth takes one tensor, or a list [shortcut, residual]. "
                f"Received: a list of length {len(inputs)}"
            )
        shortcut, residual = as_floats(inputs, self.compute_dtype)
        return shortcut + super().call(residual, training)

    def compute_mask(self, inputs, previous_mask):
        is_list = isinstance(inputs, list | tuple)
        return previous_mask[0] if is_list and previous_mask else previous_mask

    def compute_output_shape(self, input_shape: Any) -> Shape:
        is_list = isinstance(input_shape[0], list | tuple)
        return tuple(input_shape[0] if is_list else input_shape)

    def _shape_of_noise(self, inputs):
        return [ops.shape(inputs)[0], *[1] * (len(inputs.shape) - 1)]

    def get_config(self) -> Config:
        config = super().get_config()
        del config["noise_shape"]
        return config
