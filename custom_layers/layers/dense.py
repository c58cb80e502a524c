"""Dense layer: every output unit is a weighted sum of all input features."""

from typing import Any

import keras
from keras import ops

from ..common.checks import known_sizes, positive_integer, without_quantization
from ..common.inputs import as_floats
from ..common.types import (
    Activation,
    Config,
    Constraint,
    Initializer,
    Regularizer,
    Shape,
)
from .lora import _Adaptable


class _Affine(_Adaptable):
    """What Dense and EinsumDense share: kernel, bias, activation and their options."""

    def __init__(
        self,
        *,
        activation: Activation,
        kernel_initializer: Initializer,
        bias_initializer: Initializer,
        kernel_regularizer: Regularizer,
        bias_regularizer: Regularizer,
        kernel_constraint: Constraint,
        bias_constraint: Constraint,
        **kwargs: Any,
    ) -> None:
        super().__init__(**without_quantization(kwargs, type(self).__name__))
        self.activation = keras.activations.get(activation)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.bias = None

    @property
    def kernel(self):
        """W, with the adapters of LoRA where they are enabled."""
        if self._adapted()[1] is None:
            raise AttributeError("The layer has a `kernel` once it is built.")
        return self._sum()

    @property
    def lora_kernel_a(self):
        """A, the first matrix of LoRA."""
        return self._lora_a

    @property
    def lora_kernel_b(self):
        """B, the second matrix of LoRA."""
        return self._lora_b

    def _adapted(self) -> tuple[str, Any, Regularizer, Any]:
        W = getattr(self, "_kernel", None)
        return "kernel", W, self.kernel_regularizer, self.kernel_constraint

    def _add_kernel(self, shape: Shape, initializer: Initializer) -> None:
        self._kernel = self.add_weight(
            name="kernel",
            shape=shape,
            initializer=initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def _add_bias(self, shape: Shape) -> None:
        self.bias = self.add_weight(
            name="bias",
            shape=shape,
            initializer=self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Dense(_Affine):
    """Fully connected layer: every output unit sees every input feature.

    y = activation(x W + b)

    Args:
        units: number of output features, a positive integer.
        activation: function applied to x W + b; None leaves the layer linear.
        use_bias: whether b is added.
        kernel_initializer, bias_initializer: start values of W and b.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties on
            W, b and y.
        kernel_constraint, bias_constraint: projections of W and b after each step.
        lora_rank, lora_alpha: freeze W and train A B besides, as `enable_lora` does.

    Input shape: (B, ..., D), dense or sparse. Output shape: (B, ..., units).
    Raises: ValueError if units is not a positive integer, and where a configuration of
        Keras asks for quantization.
    Differs from Keras: no quantization; the constructor's lora_alpha counts; a layer
        with LoRA keeps W frozen when it is thawed, and can train after it is loaded.

    >>> threshold = keras.initializers.Constant(-1.5)
    >>> layer = Dense(1, kernel_initializer="ones", bias_initializer=threshold)
    >>> y = layer(keras.ops.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]))
    >>> [bool(score > 0) for score in y[:, 0]]  # a perceptron that computes AND
    [False, False, False, True]

    LoRA adapts a trained layer by few weights, here 2 * 4 * 64 + 64 of 4,160:

    >>> layer = Dense(64)
    >>> layer.build((None, 64))
    >>> layer.enable_lora(rank=4)
    >>> sum(int(keras.ops.size(weight)) for weight in layer.trainable_weights)
    576

    Papers: Hu et al., "LoRA: low-rank adaptation of large language models", 2021,
    https://arxiv.org/abs/2106.09685; Rosenblatt, "The perceptron: a probabilistic model
    for information storage and organization in the brain", 1958.
    https://doi.org/10.1037/h0042519
    """

    def __init__(
        self,
        units: int,
        activation: Activation = None,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation=activation,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            **kwargs,
        )
        self.units = positive_integer(units, "units")
        self.use_bias = use_bias
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        (features,) = known_sizes(input_shape, [-1], self)
        self._add_kernel((features, self.units), self.kernel_initializer)
        if self.use_bias:
            self._add_bias((self.units,))
        self._adapt_if_asked()
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs):
        x = as_floats(inputs, self.compute_dtype)
        if len(x.shape) == 2:
            return self._of_rows(x)
        # With a matrix of rows, TensorFlow adds the bias within the product.
        y = self._of_rows(ops.reshape(x, (-1, x.shape[-1])))
        return ops.reshape(y, (*ops.shape(x)[:-1], self.units))

    def _of_rows(self, x):
        y = ops.matmul(x, self.kernel)
        if self.bias is not None:
            y = ops.add(y, self.bias)
        return y if self.activation is None else self.activation(y)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "units": self.units,
            "use_bias": self.use_bias,
        }
