"""LiSHT: x scaled by its own hyperbolic tangent."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
def lisht(x):
    """Linearly scaled hyperbolic tangent, a smooth |x| whose slope is flat on no side.

    y = x * tanh(x)

    Args: x of any shape and float dtype. Returns: y of the same shape and dtype.

    Where a ReLU is silent, LiSHT learns as fast as on the other side:

    >>> [round(float(y), 4) for y in lisht(keras.ops.array([-2.0, 0.0, 2.0]))]
    [1.9281, 0.0, 1.9281]

    Paper: Roy, Manna, Dubey, Chaudhuri, "LiSHT: non-parametric linearly scaled
    hyperbolic tangent activation function for neural networks", 2019.
    https://arxiv.org/abs/1901.05894
    """
    x = ops.convert_to_tensor(x)
    return x * ops.tanh(x)
