"""Gradient centralization: gradients whose mean is zero for each unit."""

import keras
from keras import ops

from .wrapper import _GradientWrapper


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GradientCentralization(_GradientWrapper):
    """Gradient centralization: the mean of each unit's gradient is taken away.

    g_i = g_i - mean(g_i)

    g_i is the gradient of the weights that lead to unit i: a column of a kernel, or a
    filter. So the sum of a unit's weights stays what it is, which acts as a constraint:
    what all inputs of a layer have in common, such as the brightness of an image, does
    not drive its weights. Vectors, such as biases, keep their gradients.

    Args:
        inner_optimizer: the optimizer that receives the centred gradients, or its name.
        name: the optimizer's name.

    Raises: ValueError for an inner LossScaleOptimizer.
    Not in Keras.

    Bright inputs make a common gradient that is larger than what tells them apart:

    >>> w, b = keras.Variable([[1.0], [0.0], [-1.0]]), keras.Variable([0.0])
    >>> optimizer = GradientCentralization(keras.optimizers.SGD(0.1))
    >>> gradients = [keras.ops.array([[11.0], [10.0], [9.0]]), keras.ops.ones(1)]
    >>> optimizer.apply(gradients, [w, b])
    >>> print(w.numpy().ravel().round(3), b.numpy())
    [ 0.9  0.  -0.9] [-0.1]

    Paper: Yong et al., "Gradient centralization: a new optimization technique for deep
    neural networks", 2020, https://arxiv.org/abs/2004.01461
    """

    def changed(self, g, w):
        if len(g.shape) < 2:
            return g
        inputs = tuple(range(len(g.shape) - 1))
        return g - ops.mean(g, axis=inputs, keepdims=True)
