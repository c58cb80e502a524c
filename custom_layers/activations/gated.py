"""Gated activations: features that decide how much of other features passes."""

import keras
from keras import ops

from ..common.private_keras import build_at_init


@keras.saving.register_keras_serializable(package="keras_cookbook")
def glu(x, axis=-1):
    """Gated linear unit: the second half of x is a gate on the first.

    y = a * sigmoid(b), where x is a and b side by side along `axis`

    Args: x whose `axis` has an even size. Returns: y, half as large along `axis`.
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


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GLU(keras.layers.Layer):
    """Gated linear unit as a layer: one projection of x, gated by another.

    [a, b] = x W + c, W of D rows and 2 * units columns
    y = a * activation(b)

    activation "sigmoid" is GLU, "silu" is SwiGLU, "gelu" GEGLU, "relu" ReGLU, None
    the bilinear layer. A SwiGLU feed-forward block is GLU(hidden, "silu",
    use_bias=False), then Dense(features, use_bias=False).

    Args:
        units: number of output features, a positive integer.
        activation: function of the gate b.
        use_bias: whether c is added.
        kernel_initializer, bias_initializer: start values of W and c.
        kernel_regularizer, bias_regularizer: penalties on W and c.
        kernel_constraint, bias_constraint: projections of W and c after each step.

    Input shape: (B, ..., D). Output shape: (B, ..., units).
    Raises: ValueError for units that are no positive integer.

    >>> GLU(4, "silu")(keras.ops.ones((2, 3))).shape
    TensorShape([2, 4])

    Paper: Shazeer, "GLU variants improve transformer", 2020.
    https://arxiv.org/abs/2002.05202
    """

    def __init__(
        self,
        units,
        activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _check_positive(units, "units")
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True
        self.bias = None

    def build(self, input_shape):
        features = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features, 2 * self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(2 * self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs):
        y = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            y = ops.add(y, self.bias)
        a, b = ops.split(y, 2, axis=-1)
        return a * self.activation(b)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Maxout(keras.layers.Layer):
    """Lets only the largest of each group of features through.

    y_i = max(x_(i*k), ..., x_(i*k + k-1)), k = features / num_units

    After a linear Dense or convolution with k times the features it is the maxout
    unit: a convex function of k learned linear pieces.

    Args:
        num_units: number of groups, which is the number of features left.
        axis: axis of the features.

    Input shape: any. Output shape: the same with num_units along `axis`.
    Raises: ValueError for num_units that are no positive integer, or that do not
        divide the number of features.

    >>> y = Maxout(2)(keras.ops.array([[1.0, 5.0, -3.0, -4.0]]))
    >>> [float(m) for m in y[0]]
    [5.0, -3.0]

    Paper: Goodfellow, Warde-Farley, Mirza, Courville, Bengio, "Maxout networks",
    2013. https://arxiv.org/abs/1302.4389
    """

    def __init__(self, num_units, axis=-1, **kwargs):
        super().__init__(**kwargs)
        _check_positive(num_units, "num_units")
        self.num_units = num_units
        self.axis = axis
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs):
        features = inputs.shape[self.axis]
        if features is None or features % self.num_units:
            raise ValueError(
                "The number of features must be a known multiple of `num_units`. "
                f"Received: inputs.shape={inputs.shape}, axis={self.axis}, "
                f"num_units={self.num_units}"
            )
        axis = self.axis % len(inputs.shape)
        shape = ops.shape(inputs)
        groups = (self.num_units, features // self.num_units)
        pieces = ops.reshape(inputs, (*shape[:axis], *groups, *shape[axis + 1 :]))
        return ops.max(pieces, axis=axis + 1)

    def compute_output_shape(self, input_shape):
        shape = list(input_shape)
        shape[self.axis] = self.num_units
        return tuple(shape)

    def get_config(self):
        return {
            **super().get_config(),
            "num_units": self.num_units,
            "axis": self.axis,
        }


def _check_positive(value, name):
    if not isinstance(value, int) or value <= 0:
        raise ValueError(
            f"Invalid value for `{name}`: got {name}={value}, "
            "expected a positive integer, such as 64."
        )
