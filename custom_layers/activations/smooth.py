"""Smooth relatives of ReLU: near x for large x, near a constant for very small x."""

import math

import keras
from keras import ops

from ..common.private_keras import build_at_init


@keras.saving.register_keras_serializable(package="keras_cookbook")
def elu(x, alpha=1.0):
    """Exponential linear unit: negative values pull the mean output towards zero.

    y = x                     if x > 0
    y = alpha * (e^x - 1)     otherwise

    Args: x of any shape and float dtype; alpha, a number. Returns: y, as x.

    Calls keras.ops's kernel: written out, the formula takes over twice Keras's time.

    >>> [float(y) for y in elu(keras.ops.array([-1000.0, 2.0]), alpha=0.5)]
    [-0.5, 2.0]

    Paper: Clevert, Unterthiner, Hochreiter, "Fast and accurate deep network learning
    by exponential linear units (ELUs)", 2015. https://arxiv.org/abs/1511.07289
    """
    return ops.elu(x, alpha=alpha)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def selu(x):
    """Self-normalizing ELU: keeps mean 0 and variance 1 from layer to layer.

    y = scale * elu(x, alpha), scale = 1.05070098, alpha = 1.67326324

    Goes with LecunNormal and AlphaDropout. Calls keras.ops's kernel: written out,
    the formula takes over twice Keras's time.

    Args: x of any shape and float dtype. Returns: y, the same.

    >>> round(float(selu(keras.ops.array(1.0))), 6)
    1.050701

    Paper: Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural
    networks", 2017. https://arxiv.org/abs/1706.02515
    """
    return ops.selu(x)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def celu(x, alpha=1.0):
    """ELU whose slope is continuous at 0 for every alpha.

    y = max(x, 0) + alpha * (e^(min(x, 0) / alpha) - 1)

    Args: x of any shape and float dtype; alpha, a number > 0. Returns: y, as x.

    >>> [float(y) for y in celu(keras.ops.array([-1000.0, 2.0]), alpha=0.5)]
    [-0.5, 2.0]

    Paper: Barron, "Continuously differentiable exponential linear units", 2017.
    https://arxiv.org/abs/1704.07483
    """
    x = ops.convert_to_tensor(x)
    return ops.relu(x) + alpha * ops.expm1(ops.minimum(x, 0) / alpha)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def silu(x):
    """Sigmoid linear unit, also called swish: x gated by its own sigmoid.

    y = x * sigmoid(x)

    Args: x of any shape and float dtype. Returns: y, the same.

    >>> float(silu(keras.ops.array(0.0)))
    0.0

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
def gelu(x, approximate=False):
    """Gaussian error linear unit: x times the chance that a normal draw is below x.

    y = x * P(X <= x) = 0.5 * x * (1 + erf(x / sqrt(2)))
    approximate: y = 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))

    Args: x of any shape and float dtype; approximate, whether tanh stands in for erf.
    Returns: y, as x.

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
def mish(x):
    """A smooth curve with a shallow dip below zero, close to silu.

    y = x * tanh(softplus(x)), softplus(x) = log(1 + e^x)

    Args: x of any shape and float dtype. Returns: y, the same.

    >>> round(float(mish(keras.ops.array(1.0))), 4)
    0.8651

    Paper: Misra, "Mish: a self regularized non-monotonic activation function", 2019.
    https://arxiv.org/abs/1908.08681
    """
    x = ops.convert_to_tensor(x)
    return x * ops.tanh(ops.softplus(x))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ELU(keras.layers.Layer):
    """Exponential linear unit as a layer; the formula stands at `elu`.

    Args:
        alpha: minus the value that very negative inputs approach.

    Input and output shape: any, the same.

    >>> float(ELU(alpha=0.5)(keras.ops.array(-1000.0)))
    -0.5

    Paper: Clevert, Unterthiner, Hochreiter, "Fast and accurate deep network learning
    by exponential linear units (ELUs)", 2015. https://arxiv.org/abs/1511.07289
    """

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs):
        return elu(inputs, self.alpha)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Swish(keras.layers.Layer):
    """Swish whose steepness beta is learned, one beta for each channel.

    y = x * sigmoid(beta * x): x / 2 at beta = 0, silu at 1, ReLU as beta grows

    Args:
        axis: axis that has a beta for each of its entries; None: one beta in all.
        beta_initializer, beta_regularizer, beta_constraint: start value, penalty and
            projection of beta.

    Input and output shape: any with the batch axis first, the same.
    Raises: ValueError where `axis` is the batch axis or one of unknown size.

    >>> Swish()(keras.ops.ones((2, 3))).shape
    TensorShape([2, 3])

    Paper: Ramachandran, Zoph, Le, "Searching for activation functions", 2017.
    https://arxiv.org/abs/1710.05941
    """

    def __init__(
        self,
        axis=-1,
        beta_initializer="ones",
        beta_regularizer=None,
        beta_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.axis = axis
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.beta_regularizer = keras.regularizers.get(beta_regularizer)
        self.beta_constraint = keras.constraints.get(beta_constraint)
        self.supports_masking = True

    def build(self, input_shape):
        shape = [1] * len(input_shape)
        if self.axis is not None:
            shape[self.axis] = input_shape[self.axis]
            if self.axis in (0, -len(shape)) or input_shape[self.axis] is None:
                raise ValueError(
                    "`axis` must be an axis of known size after the batch. "
                    f"Received: axis={self.axis}, input_shape={input_shape}"
                )
        self.beta = self.add_weight(
            name="beta",
            shape=shape[1:],
            initializer=self.beta_initializer,
            regularizer=self.beta_regularizer,
            constraint=self.beta_constraint,
        )

    def call(self, inputs):
        return inputs * ops.sigmoid(self.beta * inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "beta_regularizer": keras.regularizers.serialize(self.beta_regularizer),
            "beta_constraint": keras.constraints.serialize(self.beta_constraint),
        }
