"""Root mean square normalization: layer normalization without the mean."""

from typing import Any

import keras
from keras import ops

from ...common.checks import known_sizes, python_number
from ...common.types import Axes, Config, Shape
from .base import _along, _positive_axes
from .fast_normalization import fast_normalization
from .fused import _fuses_normalization, _normalize_channels
from .moments import _in_float32


def rms_normalization(x, scale, axes: Axes = -1, epsilon: float = 1e-6):
    """Root mean square normalization as a function that reads like the paper.

    The layer RMSNormalization computes the same with `fast_normalization`.

    >>> x = keras.ops.array([[2.0, -2.0]])
    >>> [round(float(value), 4) for value in rms_normalization(x, scale=1.0)[0]]
    [1.0, -1.0]

    Paper: Zhang, Sennrich, "Root mean square layer normalization", 2019.
    https://arxiv.org/abs/1910.07467
    """
    mean_square = ops.mean(ops.square(x), axis=axes, keepdims=True)
    return x / ops.sqrt(mean_square + epsilon) * scale


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RMSNormalization(keras.layers.Layer):
    """Layer normalization without its mean: divides by the root mean square.

    y = x / sqrt(mean(x^2) + epsilon) * scale

    Args:
        axis: the axis or axes to take the mean over, which are those of the weight
            `scale`.
        epsilon: added to the mean square.

    Input and output shape: any, the same.
    Raises: ValueError for an axis that the input lacks or whose size is unknown.
    Differs from Keras: the config keeps `axis` as given, and the axes need not be the
        last ones; half precision squares the uncast input, so that features above
        65,504 are normalized too.

    >>> y = RMSNormalization()(keras.ops.array([[2.0, -2.0]]))
    >>> [round(float(value), 4) for value in y[0]]
    [1.0, -1.0]

    Paper: Zhang, Sennrich, "Root mean square layer normalization", 2019.
    https://arxiv.org/abs/1910.07467
    """

    def __init__(self, axis: Axes = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = python_number(axis)
        self.epsilon = python_number(epsilon)
        self.autocast = False  # float16 cannot hold features above 65,504

    def build(self, input_shape: Shape) -> None:
        axes = _positive_axes(self.axis, input_shape)
        self.scale = self.add_weight(
            name="scale",
            shape=known_sizes(input_shape, axes, self),
            initializer="ones",
        )

    def call(self, x, training: bool | None = None):
        x = _in_float32(x)
        axes = _positive_axes(self.axis, x.shape)
        along = _along(axes, self.scale.shape, len(x.shape))
        scale = ops.reshape(ops.cast(self.scale, x.dtype), along)
        if _fuses_normalization(training, x, axes):
            y = _normalize_channels(x, scale, axes=axes, epsilon=self.epsilon)
            return ops.cast(y, self.compute_dtype)
        mean_square = ops.mean(ops.square(x), axis=axes, keepdims=True)
        y = fast_normalization(x, None, mean_square, scale, None, axes, self.epsilon)
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        _positive_axes(self.axis, input_shape)
        return input_shape

    def get_config(self) -> Config:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
