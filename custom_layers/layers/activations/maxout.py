"""Maxout: the largest of each group of features."""

from typing import Any

import keras
from keras import ops

from ...common.checks import positive_integer, python_number
from ...common.inputs import as_floats, of_any_batch
from ...common.private_keras import build_at_init
from ...common.types import Config, Shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Maxout(keras.layers.Layer):
    """Maxout, which passes on the largest of each group of features.

    y_i = max(x_(i*k), ..., x_(i*k + k-1)), k = features / num_units

    After a linear Dense layer or convolution with k times the features it is the
    maxout unit of the paper: a convex function made of k learned linear pieces.

    Args:
        num_units: number of groups, which is the number of output features.
        axis: axis of the features.

    Input shape: any. Output shape: the same with num_units along `axis`.
    Raises: ValueError for num_units that are not a positive integer, or that do not
        divide the number of features.

    >>> y = Maxout(2)(keras.ops.array([[1.0, 5.0, -3.0, -4.0]]))
    >>> [float(m) for m in y[0]]
    [5.0, -3.0]

    Paper: Goodfellow, Warde-Farley, Mirza, Courville, Bengio, "Maxout networks",
    2013. https://arxiv.org/abs/1302.4389
    """

    def __init__(self, num_units: int, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_units = positive_integer(num_units, "num_units")
        self.axis = python_number(axis)
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs):
        inputs = as_floats(inputs, self.compute_dtype)
        return of_any_batch(self._largest_of_groups, inputs)

    def _largest_of_groups(self, inputs):
        features = inputs.shape[self.axis]
        if features is None or features % self.num_units:
            raise ValueError(
                "The number of features must be a known multiple of `num_units`. "
                f"Received: inputs.shape={inputs.shape}, axis={self.axis}, "
                f"num_units={self.num_units}"
            )
        axis = self.axis % len(inputs.shape)
        shape = ops.shape(inputs)
        groups = (self.num_units, features // self.num_units)
        pieces = ops.reshape(inputs, (*shape[:axis], *groups, *shape[axis + 1 :]))
        return ops.max(pieces, axis=axis + 1)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shape = list(input_shape)
        shape[self.axis] = self.num_units
        return tuple(shape)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_units": self.num_units,
            "axis": self.axis,
        }
