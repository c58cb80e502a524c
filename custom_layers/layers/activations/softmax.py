"""Softmax as a layer, which takes a mask."""

from typing import Any

import keras
from keras import ops

from ...activations.softmax import softmax
from ...common.checks import minus_infinity, python_number
from ...common.inputs import as_floats
from ...common.private_keras import build_at_init
from ...common.types import Axes, Config, Shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Softmax(keras.layers.Layer):
    """Softmax as a layer, with a mask for entries that must get no probability.

    y = e^x / sum(e^x) over the entries that the mask keeps, 0 elsewhere; where the
    mask keeps no entry at all, every y is 0

    Args:
        axis: axis of the distribution, or a list of axes.

    Call arguments: inputs; mask, True (or above 0.5) where an entry counts. Each
        dimension of the mask is 1 or that of inputs.
    Input and output shape: any, the same.
    Raises: ValueError for a mask that does not broadcast to inputs.

    >>> mask = keras.ops.array([True, False, True])
    >>> y = Softmax()(keras.ops.zeros((1, 3)), mask=mask)
    >>> [float(p) for p in y[0]]
    [0.5, 0.0, 0.5]

    Paper: Bridle, "Probabilistic interpretation of feedforward classification network
    outputs", 1990. https://doi.org/10.1007/978-3-642-76153-9_28
    """

    def __init__(self, axis: Axes = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = python_number(axis)
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs, mask=None):
        inputs = as_floats(inputs, self.compute_dtype)
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        if mask is None:
            return softmax(inputs, axis)
        _check_mask(mask.shape, inputs.shape)
        mask = ops.convert_to_tensor(mask)
        if keras.backend.standardize_dtype(mask.dtype) != "bool":
            mask = mask > 0.5
        excluded = ops.cast(minus_infinity(inputs.dtype), inputs.dtype)
        y = softmax(ops.where(mask, inputs, excluded), axis)
        return ops.where(mask, y, ops.cast(0, inputs.dtype))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {**super().get_config(), "axis": self.axis}


def _check_mask(mask_shape: Shape, input_shape: Shape) -> None:
    """Raises a ValueError for a mask that does not broadcast to the inputs."""
    shapes = f"inputs.shape={tuple(input_shape)}, mask.shape={tuple(mask_shape)}"
    if len(mask_shape) > len(input_shape):
        raise ValueError(
            "The `mask` must be broadcastable to `inputs` and must not have more "
            f"dimensions. Received: {shapes}"
        )
    for m, n in zip(reversed(mask_shape), reversed(input_shape)):
        if m != 1 and m != n and None not in (m, n):
            raise ValueError(
                "The `mask` must be broadcastable to `inputs`: each of its dimensions "
                f"must be 1 or that of `inputs`. Received: {shapes}"
            )
