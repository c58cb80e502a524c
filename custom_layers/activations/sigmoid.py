"""The sigmoid and its relatives: S-shaped curves from 0 to 1.

`tanh.py` holds the curves from -1 to 1. The sigmoid is an elementwise primitive of
keras.ops: it is numerically safe, and it is compiled as one kernel.
"""

import keras
from keras import ops

from .softplus import softplus


@keras.saving.register_keras_serializable(package="keras_cookbook")
def sigmoid(x):
    """Logistic function, which turns a score into a probability.

    y = 1 / (1 + e^-x)

    Args: x of any shape and float dtype. Returns: y of the same shape and dtype.

    >>> float(sigmoid(keras.ops.array(0.0)))
    0.5

    Paper: Verhulst, "Notice sur la loi que la population poursuit dans son
    accroissement", 1838. https://en.wikipedia.org/wiki/Logistic_function
    """
    return ops.sigmoid(x)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def log_sigmoid(x):
    """Logarithm of the sigmoid, which stays finite where the sigmoid rounds to 0.

    y = log(1 / (1 + e^-x)) = -softplus(-x)

    Args: x of any shape and float dtype. Returns: y of the same shape and dtype.

    >>> float(log_sigmoid(keras.ops.array(-1000.0)))
    -1000.0
    """
    return -softplus(-ops.convert_to_tensor(x))


@keras.saving.register_keras_serializable(package="keras_cookbook")
def hard_sigmoid(x):
    """Sigmoid made of three straight lines, which is cheap to compute.

    y = min(max(x + 3, 0), 6) / 6

    Args: x of any shape and float dtype. Returns: y of the same shape and dtype.

    >>> [float(y) for y in hard_sigmoid(keras.ops.array([-3.0, 0.0, 3.0]))]
    [0.0, 0.5, 1.0]

    Paper: Courbariaux, Bengio, David, "BinaryConnect", 2015.
    https://arxiv.org/abs/1511.00363
    """
    x = ops.convert_to_tensor(x)
    return ops.relu6(x + 3) * (1 / 6)
