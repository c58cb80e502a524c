"""Rectifiers: zero or a gentle slope below a threshold, the identity above it."""

import keras
from keras import ops

from ..common.private_keras import build_at_init


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
    """ReLU with a ceiling of 6, which low-precision arithmetic can hold.

    y = min(max(x, 0), 6)

    Args: x of any shape and float dtype. Returns: y, the same.

    Calls keras.ops's kernel: written out, the formula takes 1.5 to 2 times Keras's
    time, and with a gradient in closed form twice.

    >>> [float(y) for y in relu6(keras.ops.array([-2.0, 8.0]))]
    [0.0, 6.0]

    Paper: Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.
    https://www.cs.toronto.edu/~kriz/conv-cifar10-aug2010.pdf
    """
    return ops.relu6(x)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def leaky_relu(x, negative_slope=0.2):
    """ReLU that leaks: a small gradient below zero, so that no unit dies.

    y = max(x, 0) - negative_slope * max(-x, 0)

    Args: x of any shape and float dtype; negative_slope, a number. Returns: y, as x.

    Calls keras.ops's kernel: written out, the formula takes over twice Keras's time,
    and so does a gradient in closed form.

    >>> [float(y) for y in leaky_relu(keras.ops.array([-2.0, 3.0]), 0.5)]
    [-1.0, 3.0]

    Paper: Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic
    models", 2013. https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf
    """
    return ops.leaky_relu(x, negative_slope=negative_slope)


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
        build_at_init(self)

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


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LeakyReLU(keras.layers.Layer):
    """Leaky ReLU as a layer; the formula stands at `leaky_relu`.

    Args:
        negative_slope: slope >= 0 below zero.

    Input and output shape: any, the same.
    Raises: ValueError for a slope that is None or negative.
    Differs from Keras: the old argument name `alpha` is not taken.

    >>> float(LeakyReLU(0.5)(keras.ops.array(-2.0)))
    -1.0

    Paper: Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic
    models", 2013. https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf
    """

    def __init__(self, negative_slope=0.3, **kwargs):
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(
                "The negative_slope value of a Leaky ReLU layer cannot be None or "
                "negative value. Expected a float >= 0, such as 0.3. "
                f"Received: negative_slope={negative_slope}"
            )
        self.negative_slope = negative_slope
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs):
        return leaky_relu(inputs, self.negative_slope)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "negative_slope": self.negative_slope}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class PReLU(keras.layers.Layer):
    """Leaky ReLU whose slopes below zero are learned.

    y = max(x, 0) - alpha * max(-x, 0)

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: start value, penalty
            and projection of alpha.
        shared_axes: axes, counted from 1, along which one alpha serves for all
            entries: [1, 2] gives one to each channel of a (B, H, W, C) image.

    Input and output shape: any with the batch axis first, the same.
    Raises: ValueError for shared_axes that the input lacks, and where an axis that is
        not shared has an unknown size.
    Differs from Keras: which meets these in the shape of its weight, with an IndexError
        or a message that names no argument.

    >>> PReLU(shared_axes=[1, 2])(keras.ops.ones((1, 4, 4, 3))).shape
    TensorShape([1, 4, 4, 3])

    Paper: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015.
    https://arxiv.org/abs/1502.01852
    """

    def __init__(
        self,
        alpha_initializer="Zeros",
        alpha_regularizer=None,
        alpha_constraint=None,
        shared_axes=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = keras.initializers.get(alpha_initializer)
        self.alpha_regularizer = keras.regularizers.get(alpha_regularizer)
        self.alpha_constraint = keras.constraints.get(alpha_constraint)
        if isinstance(shared_axes, int):
            shared_axes = [shared_axes]
        self.shared_axes = None if shared_axes is None else list(shared_axes)
        self.supports_masking = True

    def build(self, input_shape):
        shared = self.shared_axes or []
        if not set(shared) <= set(range(1, len(input_shape))):
            raise ValueError(
                "`shared_axes` must be axes of the input after the batch. Received: "
                f"shared_axes={self.shared_axes}, input_shape={input_shape}"
            )
        shape = [1 if i in shared else n for i, n in enumerate(input_shape)]
        if None in shape[1:]:
            raise ValueError(
                "Every axis of unknown size must be in `shared_axes`. Received: "
                f"shared_axes={self.shared_axes}, input_shape={input_shape}"
            )
        self.alpha = self.add_weight(
            name="alpha",
            shape=shape[1:],
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        own = set(range(1, len(shape))) - set(shared) if shared else ()
        axes = {i: shape[i] for i in own}
        self.input_spec = keras.layers.InputSpec(ndim=len(shape), axes=axes)

    def call(self, inputs):
        # A sum: the gradient of a difference would negate an array of x's size.
        return ops.relu(inputs) + -self.alpha * ops.relu(-inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "alpha_initializer": keras.initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": keras.regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": keras.constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
