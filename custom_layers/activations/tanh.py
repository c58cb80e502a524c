"""The hyperbolic tangent and its relatives: S-shaped curves from -1 to 1.

`sigmoid.py` holds the curves from 0 to 1. tanh is an elementwise primitive of
keras.ops: it is numerically safe, and it is compiled as one kernel.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
def tanh(x):
    """Hyperbolic tangent, an S-shaped curve through the origin.

    y = (e^x - e^-x) / (e^x + e^-x) = 2 * sigmoid(2 * x) - 1

    Args: x of any shape and float dtype. Returns: y of the same shape and dtype.

    >>> [round(float(y), 4) for y in tanh(keras.ops.array([-1000.0, 0.0, 1.0]))]
    [-1.0, 0.0, 0.7616]

    Paper: LeCun, Bottou, Orr, Müller, "Efficient backprop", 1998.
    http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf
    """
    return ops.tanh(x)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def hard_tanh(x):
    """Hyperbolic tangent made of three straight lines, which is cheap to compute.

    y = min(max(x, -1), 1)

    Args: x of any shape and float dtype. Returns: y of the same shape and dtype.

    >>> [float(y) for y in hard_tanh(keras.ops.array([-2.0, 0.5, 2.0]))]
    [-1.0, 0.5, 1.0]

    Paper: Collobert, "Large scale machine learning", 2004.
    https://ronan.collobert.com/pub/2004_phdthesis_lip6.pdf
    """
    return ops.clip(x, -1.0, 1.0)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def softsign(x):
    """S-shaped curve whose slope fades slowly, as 1 / x^2 where tanh's fades as e^-x.

    y = x / (1 + |x|)

    Args: x of any shape and float dtype. Returns: y of the same shape and dtype.

    It calls the kernel of keras.ops: written out, the formula takes twice Keras's time.

    >>> float(softsign(keras.ops.array(3.0)))
    0.75

    Paper: Turian, Bergstra, Bengio, "Quadratic features and deep architectures for
    chunking", 2009. https://aclanthology.org/N09-2062/
    """
    return ops.softsign(x)
