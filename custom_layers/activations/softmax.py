"""Softmax: from scores to a probability distribution.

`sparse.py` holds sparsemax, whose distribution has entries that are exactly 0.
"""

import keras
from keras import ops

from ..common.types import Axes


@keras.saving.register_keras_serializable(package="keras_cookbook")
def softmax(x, axis: Axes | None = -1):
    """Softmax, which turns scores into a probability distribution along `axis`.

    y = e^x / sum(e^x) = e^log_softmax(x)

    Args:
        x: tensor of any shape and float dtype.
        axis: axis of the distribution, several axes, or None for all of them.

    Returns: y of the same shape and dtype as x.
    Differs from Keras: over several axes, y does not carry its logits as
    `_keras_logits`, the attribute in which the losses of Keras look for them.

    Along one axis it calls the kernel of keras.ops: written out, the formula takes
    over twice Keras's time, and with a gradient in closed form 1.6 times.

    >>> [float(y) for y in softmax(keras.ops.zeros(4))]
    [0.25, 0.25, 0.25, 0.25]

    Paper: Bridle, "Probabilistic interpretation of feedforward classification network
    outputs", 1990. https://doi.org/10.1007/978-3-642-76153-9_28
    """
    if isinstance(axis, int):
        return ops.softmax(x, axis=axis)
    return ops.exp(log_softmax(x, axis))


@keras.saving.register_keras_serializable(package="keras_cookbook")
def log_softmax(x, axis: Axes | None = -1):
    """Logarithm of the softmax, which stays finite where the softmax rounds to 0.

    y = s - log(sum(e^s)), s = x - max(x), so that nothing overflows

    Args:
        x: tensor of any shape and float dtype.
        axis: axis of the distribution, several axes, or None for all of them.

    Returns: y of the same shape and dtype as x.

    Along one axis it calls the kernel of keras.ops: written out, the formula takes 1.1
    times Keras's time, and so does a gradient in closed form.

    >>> [float(y) for y in log_softmax(keras.ops.array([0.0, 1000.0]))]
    [-1000.0, 0.0]

    Paper: Bridle, "Probabilistic interpretation of feedforward classification network
    outputs", 1990. https://doi.org/10.1007/978-3-642-76153-9_28
    """
    if isinstance(axis, int):
        return ops.log_softmax(x, axis=axis)
    x = ops.convert_to_tensor(x)
    # Without an initial value, the maximum of an empty batch would be an error.
    largest = ops.max(x, axis=axis, keepdims=True, initial=-float("inf"))
    s = x - ops.stop_gradient(largest)
    return s - ops.log(ops.sum(ops.exp(s), axis=axis, keepdims=True))
