"""Convolution: one small kernel slides over the input, the same at every place."""

import keras
from keras import ops


def _as_tuple(value, rank, name):
    """An integer or a sequence of `rank` positive integers as a tuple."""
    values = (value,) * rank if isinstance(value, int) else value
    try:
        values = tuple(values)
        valid = len(values) == rank and all(int(n) == n and n > 0 for n in values)
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ValueError(
            f"The `{name}` argument must be a tuple of {rank} integers > 0, or one "
            f"such integer. Received {name}={value}"
        )
    return values


class _Convolution(keras.layers.Layer):
    """Kernel, bias and activation over `rank` spatial axes."""

    rank = None
    paddings = ("valid", "same")

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = filters
        self.kernel_size = _as_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = _as_tuple(strides, self.rank, "strides")
        self.padding = padding.lower()
        self.data_format = data_format or keras.config.image_data_format()
        self.dilation_rate = _as_tuple(dilation_rate, self.rank, "dilation_rate")
        self.groups = groups
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.input_spec = keras.layers.InputSpec(min_ndim=self.rank + 2)
        self.bias = None
        self._check_arguments()

    def _check_arguments(self):
        if self.filters <= 0:
            raise ValueError(
                "Invalid value for argument `filters`. Expected a strictly positive "
                f"value, such as 32. Received filters={self.filters}."
            )
        if self.groups <= 0:
            raise ValueError(
                "The number of groups must be a positive integer. "
                f"Received: groups={self.groups}."
            )
        if self.filters % self.groups != 0:
            raise ValueError(
                "The number of filters must be evenly divisible by the number of "
                f"groups. Received: groups={self.groups}, filters={self.filters}."
            )
        if self.padding not in self.paddings:
            raise ValueError(
                f"The `padding` argument must be one of {self.paddings}. "
                f"Received: {self.padding}"
            )
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}"
            )

    def build(self, input_shape):
        channel_axis = -1 if self.data_format == "channels_last" else 1
        channels = input_shape[channel_axis]
        if channels % self.groups != 0:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number "
                f"of groups. Received groups={self.groups}, but the input has "
                f"{channels} channels (full input shape is {input_shape})."
            )
        self.input_spec = keras.layers.InputSpec(
            min_ndim=self.rank + 2, axes={channel_axis: channels}
        )
        self.compute_output_shape(input_shape)  # refuses an input below the kernel
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _convolve(self, inputs, kernel):
        return ops.conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )

    def call(self, inputs):
        y = self._convolve(inputs, self.kernel)
        if self.bias is not None:
            ones = (1,) * self.rank
            shape = (*ones, -1) if self.data_format == "channels_last" else (-1, *ones)
            y = ops.add(y, ops.reshape(self.bias, (1, *shape)))
        if self.activation is not None:
            y = self.activation(y)
        return y

    def compute_output_shape(self, input_shape):
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        kernel = (*self.kernel_size, channels // self.groups, self.filters)
        kernel = keras.KerasTensor(kernel)
        return self._convolve(keras.KerasTensor(input_shape), kernel).shape

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Conv2D(_Convolution):
    """Two-dimensional convolution (a cross-correlation, as everywhere in this field).

    y[b, i, j, f] = activation(bias[f]
        + sum over p, q, c of x[b, i * stride_h + p, j * stride_w + q, c]
                              * kernel[p, q, c, f])

    Args:
        filters: number of output channels F.
        kernel_size: (h, w) of the kernel, or one integer for both.
        strides: step of the kernel, likewise.
        padding: "valid" adds nothing, "same" adds zeros so that stride 1 keeps H, W.
        data_format: "channels_last", "channels_first"; None means Keras's setting.
        dilation_rate: distance of the kernel's taps; above 1 only with strides 1.
        groups: channels and filters are split into so many independent convolutions.
        activation: function applied to the sum; None leaves it linear.
        use_bias, kernel_..., bias_..., activity_regularizer: as in Dense.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, H', W', F), H' = (H - dilation * (h - 1) - 1) // stride + 1 for
        "valid", ceil(H / stride) for "same".
    Raises: ValueError for sizes that are no positive integers, filters or channels
        that groups does not divide, an input smaller than the kernel.
    Differs from Keras: no LoRA and no quantization.

    >>> Conv2D(8, 3)(keras.ops.ones((1, 5, 5, 2))).shape
    TensorShape([1, 3, 3, 8])

    Paper: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to
    document recognition", 1998. https://doi.org/10.1109/5.726791
    """

    rank = 2
