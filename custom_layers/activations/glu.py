"""The gated linear unit as a function; the layer with weights is `layers.GLU`."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
def glu(x, axis: int = -1):
    """Gated linear unit, whose second half of features gates the first half.

    y = a * sigmoid(b), where x holds a and b side by side along `axis`

    Args:
        x: tensor of float dtype whose size along `axis` is even.
        axis: axis of the features.

    Returns: y of the same dtype as x, half as large along `axis`.
    Raises: ValueError for an odd size.

    >>> [float(y) for y in glu(keras.ops.array([6.0, 8.0, 0.0, 0.0]))]
    [3.0, 4.0]

    Paper: Dauphin, Fan, Auli, Grangier, "Language modeling with gated convolutional
    networks", 2016. https://arxiv.org/abs/1612.08083
    """
    x = ops.convert_to_tensor(x)
    if x.shape[axis] % 2:
        raise ValueError(
            "axis size must be divisible by 2. "
            f"Received: x.shape={x.shape} with axis={axis}"
        )
    a, b = ops.split(x, 2, axis=axis)
    return a * ops.sigmoid(b)
