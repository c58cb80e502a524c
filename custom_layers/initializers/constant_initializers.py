"""Constant initializers: start values that no random numbers go into."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Constant(keras.initializers.Initializer):
    """One given value everywhere, or a given array.

    w = value

    Args:
        value: a number, or an array that broadcasts to the weight's shape.

    Call: (shape, dtype) -> weight of that shape.

    >>> [float(w) for w in Constant(2.5)((2,))]
    [2.5, 2.5]

    Source: Keras's `Constant`, https://keras.io/api/layers/initializers/
    """

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        dtype = keras.backend.standardize_dtype(dtype)
        w = ops.broadcast_to(ops.cast(self.value, dtype), shape)
        return ops.copy(w)  # on torch a broadcast's entries share their memory

    def get_config(self):
        return {"value": keras.saving.serialize_keras_object(self.value)}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["value"]))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Zeros(keras.initializers.Initializer):
    """0 everywhere: the usual start of a bias.

    w = 0

    Never for the kernels of two layers in a row: all units would stay the same.
    Call: (shape, dtype) -> weight of that shape.

    >>> [float(w) for w in Zeros()((2,))]
    [0.0, 0.0]

    Source: Keras's `Zeros`, https://keras.io/api/layers/initializers/
    """

    def __call__(self, shape, dtype=None):
        return ops.zeros(shape, dtype=dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Ones(keras.initializers.Initializer):
    """1 everywhere: the usual start of a factor, as of a normalization's gamma.

    w = 1

    Call: (shape, dtype) -> weight of that shape.

    >>> [float(w) for w in Ones()((2,))]
    [1.0, 1.0]

    Source: Keras's `Ones`, https://keras.io/api/layers/initializers/
    """

    def __call__(self, shape, dtype=None):
        return ops.ones(shape, dtype=dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Identity(keras.initializers.Initializer):
    """The identity matrix: a layer, or one step of a recurrence, that changes nothing.

    w = gain * I

    Args:
        gain: factor of the matrix.

    Call: (shape, dtype) -> matrix of that shape, which need not be square.
    Raises: ValueError for a shape that is no matrix's.
    Differs from Keras: the configuration keeps the gain, which Keras's loses.

    >>> [float(w) for w in Identity(gain=2.0)((2, 2))[0]]
    [2.0, 0.0]

    Paper: Le, Jaitly, Hinton, "A simple way to initialize recurrent networks of
    rectified linear units", 2015. https://arxiv.org/abs/1504.00941
    """

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise ValueError(
                "Identity matrix initializer can only be used for 2D matrices. "
                f"Received: shape={tuple(shape)} of rank {len(shape)}."
            )
        dtype = keras.backend.standardize_dtype(dtype)
        return ops.cast(self.gain, dtype) * ops.eye(*shape, dtype=dtype)

    def get_config(self):
        return {"gain": self.gain}
