"""What the convolutions share: the geometry of a sliding kernel, its bias, its call."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ...common.checks import (
    channel_order,
    integer_tuple,
    positive_integer,
    without_adapters,
)
from ...common.inputs import as_floats, of_any_batch
from ...common.types import (
    Activation,
    Config,
    Constraint,
    DataFormat,
    Initializer,
    Regularizer,
    Shape,
    Size,
)

# A name such as "same", or (before, after) for each axis: the numbers of zeros.
ConvolutionPadding = str | Sequence[Sequence[int]]


class _SlidingKernel(keras.layers.Layer):
    """What every convolution shares: geometry, bias and activation.

    A subclass sets `rank`, its number of spatial axes, and writes `_add_kernels`,
    which makes its weights, and `_convolve`, which uses them.
    """

    rank = 0
    _paddings: tuple[str, ...] = ("valid", "same")

    def __init__(
        self,
        *,
        kernel_size: Size,
        strides: Size,
        padding: ConvolutionPadding,
        data_format: DataFormat,
        dilation_rate: Size,
        activation: Activation,
        use_bias: bool,
        bias_initializer: Initializer,
        bias_regularizer: Regularizer,
        bias_constraint: Constraint,
        activity_regularizer: Regularizer,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activity_regularizer=activity_regularizer,
            **without_adapters(kwargs, type(self).__name__),
        )
        self.kernel_size = integer_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = integer_tuple(strides, self.rank, "strides")
        self.padding = self._checked_padding(padding)
        self.data_format = channel_order(data_format)
        self.dilation_rate = integer_tuple(dilation_rate, self.rank, "dilation_rate")
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.input_spec = keras.layers.InputSpec(ndim=self.rank + 2)
        self.bias = None

    def _checked_padding(self, padding: Any) -> Any:
        if isinstance(padding, str):
            padding = padding.lower()
            if padding in self._paddings:
                return padding
        elif len(padding) == self.rank:
            return tuple(integer_tuple(pair, 2, "padding", 0) for pair in padding)
        raise ValueError(
            f"The `padding` argument must be a list/tuple of {self.rank} pairs "
            f"(before, after) or one of {self._paddings}. Received: {padding}"
        )

    @property
    def _channel_axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError(
                f"Expected a known number of channels. Received: {input_shape=}, "
                f"data_format={self.data_format}."
            )
        self.input_spec = keras.layers.InputSpec(
            ndim=self.rank + 2, axes={self._channel_axis: channels}
        )
        self.compute_output_shape(input_shape)  # refuses an input below the kernel
        self._add_kernels(channels)
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self._output_channels(channels),),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _add_kernels(self, channels: int) -> None:
        raise NotImplementedError

    def _convolve(self, inputs, padding: str):
        raise NotImplementedError

    def _output_channels(self, channels: Any) -> Any:
        raise NotImplementedError

    def call(self, inputs):
        self.compute_output_shape(inputs.shape)  # refuses an input below the kernel
        inputs, padding = as_floats(inputs, self.compute_dtype), self.padding
        pads = self._pads()
        if pads is not None:
            inputs, padding = self._with_zeros(inputs, pads), "valid"
        y = of_any_batch(lambda x: self._convolve(x, padding), inputs)
        if self.bias is not None and self._channel_axis == -1:
            y = ops.add(y, self.bias)
        elif self.bias is not None:
            # ops.add would take it for a vector along W where W has as many columns.
            y = y + ops.reshape(self.bias, (-1, *(1,) * self.rank))
        if self.activation is not None:
            y = self.activation(y)
        return y

    def _pads(self) -> Any:
        """Explicit (before, after) zeros for each axis; None for "valid" and "same"."""
        if self.padding == "causal":
            return [(self.dilation_rate[0] * (self.kernel_size[0] - 1), 0)]
        return None if isinstance(self.padding, str) else self.padding

    def _with_zeros(self, inputs, pads: Any):
        none = (0, 0)
        if self.data_format == "channels_last":
            return ops.pad(inputs, [none, *pads, none])
        return ops.pad(inputs, [none, none, *pads])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        last = self.data_format == "channels_last"
        places = input_shape[1:-1] if last else input_shape[2:]
        lengths = [self._output_length(n, axis) for axis, n in enumerate(places)]
        if any(n is not None and n <= 0 for n in lengths):
            raise ValueError(
                "Computed output size would be zero or negative. Received "
                f"input shape {input_shape}, kernel_size={self.kernel_size}, "
                f"strides={self.strides}, dilation_rate={self.dilation_rate}, "
                f"padding={self.padding}."
            )
        channels = self._output_channels(input_shape[self._channel_axis])
        shape = (*lengths, channels) if last else (channels, *lengths)
        return (input_shape[0], *shape)

    def _output_length(self, length: int | None, axis: int) -> int | None:
        stride = self.strides[axis]
        if length is None:
            return None
        if self.padding == "same":
            return -(-length // stride)
        before, after = (self._pads() or [(0, 0)] * self.rank)[axis]
        reach = self.dilation_rate[axis] * (self.kernel_size[axis] - 1)
        return (before + length + after - reach - 1) // stride + 1

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
        }


class _FilterKernel(_SlidingKernel):
    """A sliding kernel in which every filter sees all channels, or those of its group.

    Convolutions and transposed convolutions are of this kind.
    """

    def __init__(
        self,
        *,
        filters: int,
        kernel_initializer: Initializer,
        kernel_regularizer: Regularizer,
        kernel_constraint: Constraint,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = positive_integer(filters, "filters")
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}"
            )

    def _add_kernel(self, shape: Shape) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=shape,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def _output_channels(self, channels: Any) -> Any:
        return self.filters

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
        }
