"""Convolution: one small kernel slides over the input, the same at every place."""

import keras
from keras import ops


def _as_tuple(value, rank, name, minimum=1):
    """An integer, or a sequence of `rank` integers, as a tuple."""
    message = f"The `{name}` argument must be a tuple of {rank} integers. "
    try:
        values = (value,) * rank if isinstance(value, int) else tuple(value)
        valid = len(values) == rank and all(int(n) == n for n in values)
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ValueError(f"{message}Received {name}={value}")
    small = {n for n in values if n < minimum}
    if small:
        raise ValueError(
            f"{message}Received {name}={value}, including values {small} "
            f"that do not satisfy `value {'> 0' if minimum else '>= 0'}`"
        )
    return values


def _positive(value, name):
    if value <= 0:
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a strictly positive "
            f"value. Received {name}={value}."
        )
    return value


def _data_format(value):
    value = value or keras.config.image_data_format()
    if value not in ("channels_last", "channels_first"):
        raise ValueError(
            "The `data_format` argument must be 'channels_last' or 'channels_first'. "
            f"Received: data_format={value}"
        )
    return value


class _SlidingKernel(keras.layers.Layer):
    """What every convolution shares: geometry, bias, activation, weights' options.

    A subclass sets `rank`, its number of spatial axes, and `_options`, the prefixes of
    its arguments `..._initializer`, `..._regularizer` and `..._constraint`.
    """

    rank = None
    _options = ("kernel", "bias")
    _paddings = ("valid", "same")

    def __init__(
        self,
        kernel_size,
        strides,
        padding,
        data_format,
        dilation_rate,
        activation,
        use_bias,
        activity_regularizer,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.kernel_size = _as_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = _as_tuple(strides, self.rank, "strides")
        self.padding = self._checked_padding(padding)
        self.data_format = _data_format(data_format)
        self.dilation_rate = _as_tuple(dilation_rate, self.rank, "dilation_rate")
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.input_spec = keras.layers.InputSpec(ndim=self.rank + 2)
        self.bias = None

    def _checked_padding(self, padding):
        if isinstance(padding, str):
            padding = padding.lower()
            if padding in self._paddings:
                return padding
        elif len(padding) == self.rank:
            return tuple(_as_tuple(pair, 2, "padding", 0) for pair in padding)
        raise ValueError(
            f"The `padding` argument must be a list/tuple of {self.rank} pairs "
            f"(before, after) or one of {self._paddings}. Received: {padding}"
        )

    def _refuse_strides_with_dilation(self):
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "`strides > 1` not supported in conjunction with `dilation_rate > 1`. "
                f"Received: strides={self.strides} and "
                f"dilation_rate={self.dilation_rate}"
            )

    def _set_options(self, **options):
        """kernel=(initializer, regularizer, constraint), bias=(...) as attributes."""
        for prefix, (initializer, regularizer, constraint) in options.items():
            setattr(self, f"{prefix}_initializer", keras.initializers.get(initializer))
            setattr(self, f"{prefix}_regularizer", keras.regularizers.get(regularizer))
            setattr(self, f"{prefix}_constraint", keras.constraints.get(constraint))

    def _add(self, name, shape, prefix):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=getattr(self, f"{prefix}_initializer"),
            regularizer=getattr(self, f"{prefix}_regularizer"),
            constraint=getattr(self, f"{prefix}_constraint"),
        )

    @property
    def _channel_axis(self):
        return -1 if self.data_format == "channels_last" else 1

    def build(self, input_shape):
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
            self.bias = self._add("bias", (self._output_channels(channels),), "bias")

    def call(self, inputs):
        pads = self._pads()
        if pads is not None:
            own = (0, 0)
            last = self.data_format == "channels_last"
            inputs = ops.pad(inputs, [own, *pads, own] if last else [own, own, *pads])
        y = self._convolve(inputs, "valid" if pads is not None else self.padding)
        if self.bias is not None and self._channel_axis == -1:
            y = ops.add(y, self.bias)
        elif self.bias is not None:
            # ops.add would take it for a vector along W where W has as many columns.
            y = y + ops.reshape(self.bias, (-1, *(1,) * self.rank))
        if self.activation is not None:
            y = self.activation(y)
        return y

    def _pads(self):
        """Explicit (before, after) zeros of each axis; None for "valid" and "same"."""
        if self.padding == "causal":
            return [(self.dilation_rate[0] * (self.kernel_size[0] - 1), 0)]
        return None if isinstance(self.padding, str) else self.padding

    def compute_output_shape(self, input_shape):
        last = self.data_format == "channels_last"
        lengths = input_shape[1:-1] if last else input_shape[2:]
        lengths = [self._output_length(n, axis) for axis, n in enumerate(lengths)]
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

    def _output_length(self, length, axis):
        stride = self.strides[axis]
        if length is None:
            return None
        if self.padding == "same":
            return -(-length // stride)
        before, after = (self._pads() or [(0, 0)] * self.rank)[axis]
        reach = self.dilation_rate[axis] * (self.kernel_size[axis] - 1)
        return (before + length + after - reach - 1) // stride + 1

    def _output_channels(self, channels):
        return self.filters

    def get_config(self):
        options = {
            f"{prefix}_{kind}": keras.saving.serialize_keras_object(
                getattr(self, f"{prefix}_{kind}")
            )
            for prefix in self._options
            for kind in ("initializer", "regularizer", "constraint")
        }
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            **options,
        }


class _Convolution(_SlidingKernel):
    """Every filter sees all channels of its group."""

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
        window = kernel_size, strides, padding, data_format, dilation_rate
        super().__init__(*window, activation, use_bias, activity_regularizer, **kwargs)
        kernel = kernel_initializer, kernel_regularizer, kernel_constraint
        bias = bias_initializer, bias_regularizer, bias_constraint
        self._set_options(kernel=kernel, bias=bias)
        self.filters = _positive(filters, "filters")
        self.groups = groups
        self._refuse_strides_with_dilation()
        if groups <= 0:
            raise ValueError(
                "The number of groups must be a positive integer. "
                f"Received: groups={groups}."
            )
        if filters % groups != 0:
            raise ValueError(
                "The number of filters must be evenly divisible by the number of "
                f"groups. Received: groups={groups}, filters={filters}."
            )

    def _add_kernels(self, channels):
        if channels % self.groups != 0:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number "
                f"of groups. Received groups={self.groups}, but the input has "
                f"{channels} channels."
            )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self._add("kernel", shape, "kernel")

    def _convolve(self, inputs, padding):
        parts = [
            ops.conv(
                x,
                kernel,
                strides=self.strides,
                padding=padding,
                data_format=self.data_format,
                dilation_rate=self.dilation_rate,
            )
            for x, kernel in zip(
                ops.split(inputs, self.groups, axis=self._channel_axis),
                ops.split(self.kernel, self.groups, axis=-1),
            )
        ]
        return ops.concatenate(parts, axis=self._channel_axis)

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "groups": self.groups,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Conv1D(_Convolution):
    """One-dimensional convolution: a kernel slides along a sequence.

    y[b, t, f] = activation(bias[f]
        + sum over p, c of x[b, t * stride + p * dilation, c] * kernel[p, c, f])

    Args: as in Conv2D, for one axis. padding may also be "causal": zeros before the
        start only, so that y[t] depends on no x after step t * stride.

    Input shape: (B, T, C), or (B, C, T) with channels_first.
    Output shape: (B, T', F), or (B, F, T'); T' as in Conv2D, ceil(T / stride) for
        "causal".
    Raises, differs from Keras: as in Conv2D.

    >>> Conv1D(8, 3, padding="causal")(keras.ops.ones((1, 5, 2))).shape
    TensorShape([1, 5, 8])

    Paper: Waibel, Hanazawa, Hinton, Shikano, Lang, "Phoneme recognition using
    time-delay neural networks", 1989. https://doi.org/10.1109/29.21701
    """

    rank = 1
    _paddings = ("valid", "same", "causal")


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Conv2D(_Convolution):
    """Two-dimensional convolution (a cross-correlation, as everywhere in this field).

    y[b, i, j, f] = activation(bias[f] + sum over p, q, c of
        x[b, i * stride + p * dilation, j * stride + q * dilation, c]
        * kernel[p, q, c, f])

    Args:
        filters: number of output channels F.
        kernel_size: (h, w) of the kernel, or one integer for both.
        strides: step of the kernel, likewise.
        padding: "valid" adds nothing, "same" adds zeros so that stride 1 keeps H, W;
            or one pair (before, after) of numbers of zeros for each axis.
        data_format: "channels_last", "channels_first"; None means Keras's setting.
        dilation_rate: distance of the kernel's taps; above 1 only with strides 1.
        groups: channels and filters are split into so many independent convolutions.
        activation: function applied to the sum; None leaves it linear.
        use_bias, kernel_..., bias_..., activity_regularizer: as in Dense.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, H', W', F), or (B, F, H', W'); ceil(H / stride) for "same", else
        H' = (H + before + after - dilation * (h - 1) - 1) // stride + 1.
    Raises: ValueError for sizes that are no positive integers, filters or channels that
        groups does not divide, an input smaller than the kernel.
    Differs from Keras: no LoRA and no quantization; padding takes pairs. With
        channels_first, Keras on TensorFlow adds the bias along the last axis where that
        has F places; ours goes to the channels.

    >>> Conv2D(8, 3)(keras.ops.ones((1, 5, 5, 2))).shape
    TensorShape([1, 3, 3, 8])

    Paper: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to
    document recognition", 1998. https://doi.org/10.1109/5.726791

    2 to 32 groups on two CPU cores: 0.3 to 0.8 of Keras's time, 0.01 to 0.07 trained.
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Conv3D(_Convolution):
    """Three-dimensional convolution: over a volume, or over the frames of a video.

    y[b, i, j, k, f] = activation(bias[f] + sum over p, q, r, c of
        x[b, i * stride + p * dilation, ..., k * stride + r * dilation, c]
        * kernel[p, q, r, c, f])

    Args, raises, differs from Keras: as in Conv2D, for three axes.

    Input shape: (B, D, H, W, C), or (B, C, D, H, W) with channels_first.
    Output shape: (B, D', H', W', F), or (B, F, D', H', W'); lengths as in Conv2D.

    >>> Conv3D(8, 3, strides=2)(keras.ops.ones((1, 5, 5, 7, 2))).shape
    TensorShape([1, 2, 2, 3, 8])

    Paper: Ji, Xu, Yang, Yu, "3D convolutional neural networks for human action
    recognition", 2013. https://doi.org/10.1109/TPAMI.2012.59
    """

    rank = 3
