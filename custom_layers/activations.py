"""Activations: the non-linearities between layers.

relu, sigmoid, tanh and exp are elementwise primitives of keras.ops; what is built
from them is written out here.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """Rectified linear unit, with optional leak, ceiling and threshold.

    y = max_value                          if x >= max_value
    y = x                                  if threshold <= x < max_value
    y = negative_slope * (x - threshold)   otherwise

    Args: x of any shape and float dtype. Returns: y, the same.

    >>> [float(y) for y in relu(keras.ops.array([-2.0, 3.0]))]
    [0.0, 3.0]

    Paper: Nair and Hinton, "Rectified linear units improve restricted Boltzmann
    machines", 2010. https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf
    """
    x = ops.convert_to_tensor(x)
    if threshold == 0 and max_value is None and negative_slope == 0:
        return ops.relu(x)
    y = (
        ops.relu(x)
        if threshold == 0
        else ops.where(x > threshold, x, ops.cast(0, x.dtype))
    )
    if max_value is not None:
        y = ops.minimum(y, ops.cast(max_value, x.dtype))
    if negative_slope:
        y = y - negative_slope * ops.relu(threshold - x)
    return y


@keras.saving.register_keras_serializable(package="keras_cookbook")
def softmax(x, axis=-1):
    """Turns logits into a probability distribution along `axis`.

    y = exp(x - max(x)) / sum(exp(x - max(x)))

    Args: x of any shape; axis, an integer or several. Returns: y, the same shape.

    >>> [float(y) for y in softmax(keras.ops.zeros(4))]
    [0.25, 0.25, 0.25, 0.25]

    Paper: Bridle, "Probabilistic interpretation of feedforward classification network
    outputs", 1990. https://doi.org/10.1007/978-3-642-76153-9_28
    """
    x = ops.convert_to_tensor(x)
    shifted = x - ops.stop_gradient(ops.max(x, axis=axis, keepdims=True))
    exp = ops.exp(shifted)
    return exp / ops.sum(exp, axis=axis, keepdims=True)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ReLU(keras.layers.Layer):
    """Rectified linear unit as a layer; the formula stands at `relu`.

    Args:
        max_value: ceiling >= 0; None means none.
        negative_slope: slope >= 0 below the threshold.
        threshold: value >= 0 below which a unit is off.

    Input and output shape: any, the same.
    Raises: ValueError for a negative argument.

    >>> float(ReLU(max_value=6.0)(keras.ops.array(8.0)))
    6.0

    Paper: Nair and Hinton, "Rectified linear units improve restricted Boltzmann
    machines", 2010. https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf
    """

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0:
            raise ValueError(
                "max_value of a ReLU layer cannot be a negative value. "
                f"Received: max_value={max_value}"
            )
        for name, value in (
            ("negative_slope", negative_slope),
            ("threshold", threshold),
        ):
            if value is None or value < 0:
                raise ValueError(
                    f"{name} of a ReLU layer cannot be None or a negative value. "
                    f"Received: {name}={value}"
                )
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold
        self.supports_masking = True
        self._build_at_init()

    def call(self, inputs):
        return relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }
