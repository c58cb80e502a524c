"""Unit normalization: vectors are scaled to length 1."""

from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.private_keras import build_at_init
from ...common.types import Axes, Config, Shape
from .base import _positive_axes
from .moments import _in_float32


def _unit(x, axis: Axes | None = None, epsilon: float = 1e-7):
    """x / max(||x||, epsilon), in float32 at least."""
    y = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
    square = ops.sum(ops.square(y), axis=axis, keepdims=True)
    return ops.cast(y * ops.rsqrt(ops.maximum(square, epsilon**2)), x.dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class UnitNormalization(keras.layers.Layer):
    """Scales vectors to length 1.

    y = x / max(||x||, 1e-12), ||x|| the Euclidean norm over `axis`

    Args:
        axis: the axis or axes along which the entries of a vector lie.

    Input and output shape: any, the same.
    Raises: TypeError for an axis that is neither an integer nor a list of integers,
        ValueError for an axis that the input lacks.
    Differs from Keras: half precision is computed in float32 from the uncast input, so
        that vectors with entries above 65,504 get length 1 too; a zero vector has a
        finite gradient.

    >>> y = UnitNormalization()(keras.ops.array([[3.0, 4.0]]))
    >>> [round(float(v), 2) for v in y[0]]
    [0.6, 0.8]

    Paper: Wang, Xiang, Cheng, Yuille, "NormFace: L2 hypersphere embedding for face
    verification", 2017. https://arxiv.org/abs/1704.06369
    """

    def __init__(self, axis: Axes = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        axis = python_number(axis)
        if not isinstance(axis, int | list | tuple):
            raise TypeError(
                "Invalid value for `axis` argument: expected an int or a list/tuple of "
                f"ints. Received: axis={axis}"
            )
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.supports_masking = True
        self.autocast = False  # float16 cannot hold features above 65,504
        build_at_init(self)

    def call(self, inputs):
        y = _unit(_in_float32(inputs), self.axis, 1e-12)
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        _positive_axes(self.axis, input_shape)
        return input_shape

    def get_config(self) -> Config:
        return {**super().get_config(), "axis": self.axis}
