"""Layers of weights without options that no recipe uses."""

from typing import Any

import keras
from keras import ops


class Dense(keras.layers.Layer):
    """Fully connected layer: every output unit sees every input feature.

    y = activation(x W + b)
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        kernel_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def call(self, inputs):
        inputs = ops.cast(inputs, self.compute_dtype)
        # With a matrix of rows, TensorFlow adds the bias within the product.
        y = ops.matmul(ops.reshape(inputs, (-1, inputs.shape[-1])), self.kernel)
        if self.use_bias:
            y = ops.add(y, self.bias)
        return ops.reshape(self.activation(y), (*ops.shape(inputs)[:-1], self.units))


class Embedding(keras.layers.Layer):
    """Table of vectors, from which each integer picks a row: y = E[x].

    It is a Dense layer on one-hot vectors, y = onehot(x) E, without the product.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        mask_zero: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.shape = input_dim, output_dim
        self.mask_zero = mask_zero
        self.initializer = keras.initializers.get(embeddings_initializer)

    def build(self, input_shape: tuple) -> None:
        self.embeddings = self.add_weight(
            self.shape, self.initializer, name="embeddings"
        )

    def call(self, inputs):
        return ops.take(self.embeddings, inputs, axis=0)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0) if self.mask_zero else None


class ReversibleEmbedding(Embedding):
    """Embedding that also works in reverse: its table turns vectors into logits.

    y = E[x];  in reverse, logits = x E^T
    """

    def call(self, inputs, reverse: bool = False):
        if reverse:
            return ops.matmul(inputs, ops.transpose(self.embeddings))
        return super().call(inputs)


class _Convolution(keras.layers.Layer):
    """A kernel slides over the input; every filter sees all channels.

    A subclass sets `rank`, its number of spatial axes.
    """

    rank = 0

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: int = 1,
        padding: str = "valid",
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        is_one = isinstance(kernel_size, int)
        self.kernel_size = (kernel_size,) * self.rank if is_one else kernel_size
        self.strides = strides
        self.padding = padding
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_weight(
            (*self.kernel_size, *self._kernel_channels(input_shape[-1])),
            self.kernel_initializer,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight((self.filters,), "zeros", name="bias")

    def _kernel_channels(self, channels: int) -> tuple[int, int]:
        return channels, self.filters

    def _convolve(self, inputs):
        return ops.conv(inputs, self.kernel, self.strides, self.padding)

    def call(self, inputs):
        y = self._convolve(ops.cast(inputs, self.compute_dtype))
        if self.use_bias:
            y = ops.add(y, self.bias)
        return self.activation(y)


class Conv1D(_Convolution):
    """One-dimensional convolution: a kernel slides over a sequence.

    y[b, t, f] = activation(bias[f] + sum over p, c of
        x[b, t * stride + p, c] * kernel[p, c, f])
    """

    rank = 1


class Conv2D(_Convolution):
    """Two-dimensional convolution: a kernel slides over an image.

    As everywhere in this field it is a cross-correlation, whose kernel is not flipped:
    y[b, i, j, f] = activation(bias[f] + sum over p, q, c of
        x[b, i * stride + p, j * stride + q, c] * kernel[p, q, c, f])
    """

    rank = 2


class Conv2DTranspose(_Convolution):
    """Transposed convolution of an image, which becomes `strides` times as large.

    y[b, i, j, f] = activation(bias[f] + sum over k, l, p, q, c with
        k * stride + p = i + top and l * stride + q = j + left
        of x[b, k, l, c] * kernel[p, q, f, c])
    """

    rank = 2

    def _kernel_channels(self, channels: int) -> tuple[int, int]:
        return self.filters, channels

    def _convolve(self, inputs):
        return ops.conv_transpose(inputs, self.kernel, self.strides, self.padding)
