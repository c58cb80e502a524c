"""ELU and its relatives: the identity above 0, a saturating exponential below."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
def elu(x, alpha: float = 1.0):
    """Exponential linear unit, whose negative values pull the mean output towards 0.

    y = x                     if x > 0
    y = alpha * (e^x - 1)     otherwise

    Args:
        x: tensor of any shape and float dtype.
        alpha: minus the value that very negative inputs approach.

    Returns: y of the same shape and dtype as x.

    It calls the kernel of keras.ops: written out, the formula takes over twice Keras's
    time.

    >>> [float(y) for y in elu(keras.ops.array([-1000.0, 2.0]), alpha=0.5)]
    [-0.5, 2.0]

    Paper: Clevert, Unterthiner, Hochreiter, "Fast and accurate deep network learning
    by exponential linear units (ELUs)", 2015. https://arxiv.org/abs/1511.07289
    """
    return ops.elu(x, alpha=alpha)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def selu(x):
    """Self-normalizing ELU, which keeps mean 0 and variance 1 from layer to layer.

    y = scale * elu(x, alpha), scale = 1.05070098, alpha = 1.67326324

    Use it with LecunNormal and AlphaDropout. It calls the kernel of keras.ops: written
    out, the formula takes over twice Keras's time.

    Args: x of any shape and float dtype. Returns: y of the same shape and dtype.

    >>> round(float(selu(keras.ops.array(1.0))), 6)
    1.050701

    Paper: Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural
    networks", 2017. https://arxiv.org/abs/1706.02515
    """
    return ops.selu(x)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def celu(x, alpha: float = 1.0):
    """Continuously differentiable ELU: its slope at 0 is 1 for every alpha.

    y = max(x, 0) + alpha * (e^(min(x, 0) / alpha) - 1)

    Args:
        x: tensor of any shape and float dtype.
        alpha: minus the value that very negative inputs approach, a number > 0.

    Returns: y of the same shape and dtype as x.

    >>> [float(y) for y in celu(keras.ops.array([-1000.0, 2.0]), alpha=0.5)]
    [-0.5, 2.0]

    Paper: Barron, "Continuously differentiable exponential linear units", 2017.
    https://arxiv.org/abs/1704.07483
    """
    x = ops.convert_to_tensor(x)
    return ops.relu(x) + alpha * ops.expm1(ops.minimum(x, 0) / alpha)
