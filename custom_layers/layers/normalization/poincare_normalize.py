"""Poincaré normalization: vectors are kept inside a ball, where trees have room."""

from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.private_keras import build_at_init
from ...common.types import Axes, Config, Shape
from .base import _checked_axis, _positive_axes
from .moments import _in_float32


@keras.saving.register_keras_serializable(package="keras_cookbook")
class PoincareNormalize(keras.layers.Layer):
    """Brings vectors that left the Poincaré ball back to its edge.

    y = x * (1 - epsilon) / ||x||   if ||x|| > 1 - epsilon
    y = x                           otherwise

    In the ball, distances grow without bound towards the edge, so that it has room for
    the leaves of a tree. The distance of u and v is
    arcosh(1 + 2 ||u - v||^2 / ((1 - ||u||^2) (1 - ||v||^2))),
    and there is none outside, where no step of an optimizer must lead.

    Args:
        axis: the axis or axes along which the entries of a vector lie.
        epsilon: distance of the longest vectors from the edge, in [0, 1). Half
            precision rounds 1 - 1e-5 to 1 and needs 1e-2.

    Input and output shape: any, the same.
    Raises: TypeError for an axis that is neither an integer nor a list of integers,
        ValueError for an axis that the input lacks, and for another epsilon.
    Keras has no such class. TensorFlow Addons' has a gradient of NaN at 0.

    The first of these two embeddings has left the ball:

    >>> x = keras.ops.array([[3.0, 4.0], [0.3, 0.4]])
    >>> print(PoincareNormalize(epsilon=0.1)(x).numpy().round(2))
    [[0.54 0.72]
     [0.3  0.4 ]]

    Paper: Nickel, Kiela, "Poincaré embeddings for learning hierarchical
    representations", 2017. https://arxiv.org/abs/1705.08039
    """

    def __init__(self, axis: Axes = 1, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _checked_axis(axis)
        self.epsilon = python_number(epsilon)
        if not 0 <= self.epsilon < 1:
            raise ValueError(
                "`epsilon` must be a number of at least 0 and below 1. "
                f"Received: epsilon={epsilon}"
            )
        self.supports_masking = True
        self.autocast = False  # float16 cannot hold features above 65,504
        build_at_init(self)

    def call(self, inputs):
        x = _in_float32(inputs)
        longest = 1 - self.epsilon
        square = ops.sum(ops.square(x), axis=self.axis, keepdims=True)
        # Inside the ball the root is that of a constant, whose gradient is finite.
        norm = ops.sqrt(ops.maximum(square, longest**2))
        y = ops.where(square > longest**2, x * (longest / norm), x)
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        _positive_axes(self.axis, input_shape)
        return input_shape

    def get_config(self) -> Config:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
