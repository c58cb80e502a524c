"""Constant initializers: start values that do not depend on random numbers."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.types import Config


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Constant(keras.initializers.Initializer):
    """Constant initializer: one given value everywhere, or a given array.

    w = value

    Args:
        value: a number, or an array that broadcasts to the weight's shape.

    Call: (shape, dtype) -> weight of that shape.

    >>> [float(w) for w in Constant(2.5)((2,))]
    [2.5, 2.5]

    Source: Keras's `Constant`, https://keras.io/api/layers/initializers/
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None):
        dtype = keras.backend.standardize_dtype(dtype)
        w = ops.broadcast_to(ops.cast(self.value, dtype), shape)
        return ops.copy(w)  # on torch a broadcast's entries share their memory

    def get_config(self) -> Config:
        return {"value": keras.saving.serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config: Config) -> "Constant":
        return cls(keras.saving.deserialize_keras_object(config["value"]))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Zeros(keras.initializers.Initializer):
    """Zero initializer, the usual start of a bias.

    w = 0

    It does not suit the kernels of two layers in a row: all units of the first would
    get the same gradient and stay equal.
    Call: (shape, dtype) -> weight of that shape.

    >>> [float(w) for w in Zeros()((2,))]
    [0.0, 0.0]

    Source: Keras's `Zeros`, https://keras.io/api/layers/initializers/
    """

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None):
        return ops.zeros(shape, dtype=dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Ones(keras.initializers.Initializer):
    """Initializer of ones, the usual start of a factor such as a normalization's gamma.

    w = 1

    Call: (shape, dtype) -> weight of that shape.

    >>> [float(w) for w in Ones()((2,))]
    [1.0, 1.0]

    Source: Keras's `Ones`, https://keras.io/api/layers/initializers/
    """

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None):
        return ops.ones(shape, dtype=dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Identity(keras.initializers.Initializer):
    """Identity matrix: a layer, or a recurrent step, starts by changing nothing.

    w = gain * I

    Args:
        gain: factor of the matrix.

    Call: (shape, dtype) -> matrix of that shape, which need not be square.
    Raises: ValueError for a shape that does not have two axes.
    Differs from Keras: the configuration keeps the gain, which Keras's loses.

    >>> [float(w) for w in Identity(gain=2.0)((2, 2))[0]]
    [2.0, 0.0]

    Paper: Le, Jaitly, Hinton, "A simple way to initialize recurrent networks of
    rectified linear units", 2015. https://arxiv.org/abs/1504.00941
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = python_number(gain)

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None):
        if len(shape) != 2:
            raise ValueError(
                "Identity matrix initializer can only be used for 2D matrices. "
                f"Received: shape={tuple(shape)} of rank {len(shape)}."
            )
        dtype = keras.backend.standardize_dtype(dtype)
        return ops.cast(self.gain, dtype) * ops.eye(*shape, dtype=dtype)

    def get_config(self) -> Config:
        return {"gain": self.gain}
