"""Inputs made fit to compute with: floats, masks of booleans, at least one sample."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


def as_floats(inputs: Any, dtype: str) -> Any:
    """The tensor, or each tensor of a nest, with integers cast to `dtype`.

    Keras casts floating-point inputs to the dtype of a layer and leaves integers as
    they are. Images come as uint8, which many operations refuse, and in which others
    wrap around at 255.
    """

    def cast(x):
        if x is None or keras.backend.is_float_dtype(x.dtype):
            return x
        return ops.cast(x, dtype)

    return keras.tree.map_structure(cast, inputs)


def as_booleans(mask: Any) -> Any:
    """The mask as booleans, also from a list, integers or floats; None stays None."""
    return None if mask is None else ops.cast(ops.convert_to_tensor(mask), "bool")


def of_any_batch(function: Callable, x: Any) -> Any:
    """function(x), also where x is known to be an empty batch.

    TensorFlow's convolutions give an empty batch a wrong shape, the gradient of its max
    pooling ends the process, and a maximum refuses an empty tensor. There the function
    gets one sample of zeros, whose result is taken away again.
    """
    if x.shape[0] != 0:
        return function(x)
    one = ops.pad(x, [(0, 1), *[(0, 0)] * (len(x.shape) - 1)])
    return function(one)[:0]
