"""Transposed convolution: the gradient of a convolution, run forwards to enlarge."""

import keras
from keras import ops

from .conv import _as_tuple, _positive, _SlidingKernel


class _TransposedConvolution(_SlidingKernel):
    """Every input value spreads a kernel over the output; overlaps add up."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        output_padding=None,
        data_format=None,
        dilation_rate=1,
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
        self._refuse_strides_with_dilation()
        self.output_padding = self._checked_output_padding(output_padding)

    def _checked_padding(self, padding):
        if isinstance(padding, str):
            return super()._checked_padding(padding)
        raise ValueError(
            "The `padding` argument of a transposed convolution must be one of "
            f"{self._paddings}. Received: {padding}"
        )

    def _checked_output_padding(self, output_padding):
        if output_padding is None:
            return None
        values = _as_tuple(output_padding, self.rank, "output_padding", minimum=0)
        if any(n >= stride for n, stride in zip(values, self.strides)):
            raise ValueError(
                "`output_padding` must be strictly less than `strides` on every axis. "
                f"Received: output_padding={values}, strides={self.strides}"
            )
        return values

    def _add_kernels(self, channels):
        shape = (*self.kernel_size, self.filters, channels)
        self.kernel = self._add("kernel", shape, "kernel")

    def _convolve(self, inputs, padding):
        return ops.conv_transpose(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=padding,
            output_padding=self.output_padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )

    def _output_length(self, length, axis):
        if length is None:
            return None
        stride = self.strides[axis]
        reach = self.dilation_rate[axis] * (self.kernel_size[axis] - 1) + 1
        if self.output_padding is None:
            more = max(reach - stride, 0) if self.padding == "valid" else 0
            return length * stride + more
        more = reach if self.padding == "valid" else reach % 2
        return (length - 1) * stride + more + self.output_padding[axis]

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "output_padding": self.output_padding,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Conv1DTranspose(_TransposedConvolution):
    """Transposed convolution along a sequence: it becomes `strides` times as long.

    y[b, t, f] = activation(bias[f] + sum over s, p, c with
        s * stride + p * dilation = t + left of x[b, s, c] * kernel[p, f, c])

    Args, raises, differs from Keras: as in Conv2DTranspose, for one axis.

    Input shape: (B, T, C), or (B, C, T) with channels_first.
    Output shape: (B, T', F), or (B, F, T'); T' as in Conv2DTranspose.

    >>> Conv1DTranspose(8, 4, strides=2)(keras.ops.ones((1, 5, 2))).shape
    TensorShape([1, 12, 8])

    Paper: Dumoulin, Visin, "A guide to convolution arithmetic for deep learning", 2016.
    https://arxiv.org/abs/1603.07285
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Conv2DTranspose(_TransposedConvolution):
    """Transposed convolution of an image, which becomes `strides` times as large.

    y[b, i, j, f] = activation(bias[f] + sum over k, l, p, q, c with
        k * stride + p * dilation = i + top and l * stride + q * dilation = j + left
        of x[b, k, l, c] * kernel[p, q, f, c])

    Args:
        filters: number of output channels F.
        kernel_size, strides: of the convolution that is transposed.
        padding: "valid" keeps all that the kernel reaches; "same" crops H' to
            H * stride: top = max(reach - stride, 0) // 2, reach as below.
        output_padding: rows and columns added at the end, below strides; None means as
            many as the other arguments need.
        data_format, dilation_rate: as in Conv2D.
        activation, use_bias, kernel_..., bias_..., activity_regularizer: as in Dense.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, H', W', F), or (B, F, H', W'). With reach = dilation * (h - 1) + 1
        H' = H * stride, for "valid" + max(reach - stride, 0). With an output_padding
        H' = (H - 1) * stride + output_padding + reach, or + reach % 2 for "same".
    Raises: ValueError for sizes that are no positive integers, an output_padding not
        below strides, strides above 1 with a dilation_rate above 1.

    >>> Conv2DTranspose(8, 3, strides=2)(keras.ops.ones((1, 5, 5, 2))).shape
    TensorShape([1, 11, 11, 8])

    Paper: Zeiler, Krishnan, Taylor, Fergus, "Deconvolutional networks", 2010.
    https://doi.org/10.1109/CVPR.2010.5539957
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Conv3DTranspose(_TransposedConvolution):
    """Transposed convolution of a volume, which becomes `strides` times as large.

    y = activation(bias + what Conv2DTranspose sums, over three axes)

    Args, raises, differs from Keras: as in Conv2DTranspose, for three axes.

    Input shape: (B, D, H, W, C), or (B, C, D, H, W) with channels_first.
    Output shape: (B, D', H', W', F), or (B, F, D', H', W'); lengths as there.

    >>> Conv3DTranspose(8, 2, strides=2)(keras.ops.ones((1, 3, 4, 5, 2))).shape
    TensorShape([1, 6, 8, 10, 8])

    Paper: Cicek, Abdulkadir, Lienkamp, Brox, Ronneberger, "3D U-Net: learning dense
    volumetric segmentation from sparse annotation", 2016.
    https://arxiv.org/abs/1606.06650
    """

    rank = 3

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        output_padding=None,
        *more,
        **kwargs,
    ):
        # Keras has data_format before output_padding in this one of the three.
        first = filters, kernel_size, strides, padding
        super().__init__(*first, output_padding, data_format, *more, **kwargs)
