"""The gated linear unit and its variants, such as SwiGLU, as one layer."""

from typing import Any

import keras
from keras import ops

from ...common.checks import known_sizes, positive_integer
from ...common.inputs import as_floats
from ...common.types import (
    Activation,
    Config,
    Constraint,
    Initializer,
    Regularizer,
    Shape,
)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GLU(keras.layers.Layer):
    """Gated linear unit: one projection of x gates another.

    [a, b] = x W + c, where W has D rows and 2 * units columns
    y = a * activation(b)

    The activation "sigmoid" makes GLU, "silu" SwiGLU, "gelu" GEGLU, "relu" ReGLU, and
    None the bilinear layer. A SwiGLU feed-forward block is GLU(hidden, "silu",
    use_bias=False), then Dense(features, use_bias=False).

    Args:
        units: number of output features, a positive integer.
        activation: function of the gate b.
        use_bias: whether c is added.
        kernel_initializer, bias_initializer: start values of W and c.
        kernel_regularizer, bias_regularizer: penalties on W and c.
        kernel_constraint, bias_constraint: projections of W and c after each step.

    Input shape: (B, ..., D). Output shape: (B, ..., units).
    Raises: ValueError for units that are not a positive integer.

    >>> layer = GLU(1, kernel_initializer="identity")  # a is x_1 and b is x_2
    >>> y = layer(keras.ops.array([[6.0, 0.0], [6.0, -1000.0]]))
    >>> y.numpy().tolist()  # through a half open gate, and through a closed one
    [[3.0], [0.0]]

    Paper: Shazeer, "GLU variants improve transformer", 2020.
    https://arxiv.org/abs/2002.05202
    """

    def __init__(
        self,
        units: int,
        activation: Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = positive_integer(units, "units")
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

    def build(self, input_shape: Shape) -> None:
        (features,) = known_sizes(input_shape, [-1], self)
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
        y = ops.matmul(as_floats(inputs, self.compute_dtype), self.kernel)
        if self.bias is not None:
            y = ops.add(y, self.bias)
        a, b = ops.split(y, 2, axis=-1)
        return a * self.activation(b)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> Config:
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
