"""Depthwise convolution, one kernel a channel, and the separable one built on it."""

import keras
from keras import ops

from .conv import _positive, _SlidingKernel


class _Depthwise(_SlidingKernel):
    """Every channel is convolved on its own, with `depth_multiplier` kernels."""

    def _convolve_depthwise(self, inputs, kernel, padding):
        return ops.depthwise_conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )

    def get_config(self):
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}


class _DepthwiseConvolution(_Depthwise):
    _options = ("depthwise", "bias")

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding="valid",
        depth_multiplier=1,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        window = kernel_size, strides, padding, data_format, dilation_rate
        super().__init__(*window, activation, use_bias, activity_regularizer, **kwargs)
        depthwise = depthwise_initializer, depthwise_regularizer, depthwise_constraint
        bias = bias_initializer, bias_regularizer, bias_constraint
        self._set_options(depthwise=depthwise, bias=bias)
        self.depth_multiplier = _positive(depth_multiplier, "depth_multiplier")

    def _add_kernels(self, channels):
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.kernel = self._add("kernel", shape, "depthwise")

    def _convolve(self, inputs, padding):
        return self._convolve_depthwise(inputs, self.kernel, padding)

    def _output_channels(self, channels):
        return channels * self.depth_multiplier


class _SeparableConvolution(_Depthwise):
    _options = ("depthwise", "pointwise", "bias")

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        window = kernel_size, strides, padding, data_format, dilation_rate
        super().__init__(*window, activation, use_bias, activity_regularizer, **kwargs)
        depthwise = depthwise_initializer, depthwise_regularizer, depthwise_constraint
        pointwise = pointwise_initializer, pointwise_regularizer, pointwise_constraint
        bias = bias_initializer, bias_regularizer, bias_constraint
        self._set_options(depthwise=depthwise, pointwise=pointwise, bias=bias)
        self.filters = _positive(filters, "filters")
        self.depth_multiplier = _positive(depth_multiplier, "depth_multiplier")

    def _add_kernels(self, channels):
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        self.depthwise_kernel = self._add("depthwise_kernel", shape, "depthwise")
        ones = (1,) * self.rank
        shape = (*ones, channels * self.depth_multiplier, self.filters)
        self.pointwise_kernel = self._add("pointwise_kernel", shape, "pointwise")

    def _convolve(self, inputs, padding):
        y = self._convolve_depthwise(inputs, self.depthwise_kernel, padding)
        return ops.conv(y, self.pointwise_kernel, data_format=self.data_format)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class DepthwiseConv1D(_DepthwiseConvolution):
    """Convolution of a sequence, each channel with kernels of its own.

    y[b, t, c * M + m] = activation(bias[c * M + m]
        + sum over p of x[b, t * stride + p * dilation, c] * kernel[p, c, m])

    Args, raises, differs from Keras: as in DepthwiseConv2D, for one axis.

    Input shape: (B, T, C), or (B, C, T) with channels_first.
    Output shape: (B, T', C * M), or (B, C * M, T'); T' as in Conv2D.

    >>> DepthwiseConv1D(3, depth_multiplier=2)(keras.ops.ones((1, 5, 2))).shape
    TensorShape([1, 3, 4])

    Paper: Kaiser, Gomez, Chollet, "Depthwise separable convolutions for neural machine
    translation", 2017. https://arxiv.org/abs/1706.03059
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class DepthwiseConv2D(_DepthwiseConvolution):
    """Convolution of an image, each channel with kernels of its own.

    y[b, i, j, c * M + m] = activation(bias[c * M + m] + sum over p, q of
        x[b, i * stride + p * dilation, j * stride + q * dilation, c]
        * kernel[p, q, c, m])

    Args:
        depth_multiplier: number M of kernels for each channel.
        kernel_size, strides, padding, data_format, dilation_rate: as in Conv2D.
        activation, use_bias: as in Dense.
        depthwise_..., bias_..., activity_regularizer: initializers, regularizers and
            constraints of the kernel and the bias, as in Dense.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, H', W', C * M), or (B, C * M, H', W'); lengths as in Conv2D.
    Raises: ValueError for sizes that are no positive integers, an input smaller than
        the kernel.
    Differs from Keras: padding takes pairs, as in Conv2D.

    >>> DepthwiseConv2D(3, depth_multiplier=2)(keras.ops.ones((1, 5, 5, 2))).shape
    TensorShape([1, 3, 3, 4])

    Paper: Howard et al., "MobileNets: efficient convolutional neural networks for
    mobile vision applications", 2017. https://arxiv.org/abs/1704.04861
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SeparableConv1D(_SeparableConvolution):
    """Convolution of a sequence in two steps: in each channel, then across channels.

    y[b, t, f] = activation(bias[f] + sum over c, m, p of
        x[b, t * stride + p * dilation, c] * depthwise_kernel[p, c, m]
        * pointwise_kernel[0, c * M + m, f])

    Args, raises, differs from Keras: as in SeparableConv2D, for one axis.

    Input shape: (B, T, C), or (B, C, T) with channels_first.
    Output shape: (B, T', F), or (B, F, T'); T' as in Conv2D.

    >>> SeparableConv1D(8, 3)(keras.ops.ones((1, 5, 2))).shape
    TensorShape([1, 3, 8])

    Paper: Kaiser, Gomez, Chollet, "Depthwise separable convolutions for neural machine
    translation", 2017. https://arxiv.org/abs/1706.03059
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SeparableConv2D(_SeparableConvolution):
    """Convolution of an image in two steps: in each channel, then across channels.

    y[b, i, j, f] = activation(bias[f] + sum over c, m, p, q of
        x[b, i * stride + p * dilation, j * stride + q * dilation, c]
        * depthwise_kernel[p, q, c, m] * pointwise_kernel[0, 0, c * M + m, f])

    Args:
        filters: number of output channels F.
        depth_multiplier: number M of depthwise kernels for each channel.
        kernel_size, strides, padding, data_format, dilation_rate: as in Conv2D.
        activation, use_bias: as in Dense.
        depthwise_..., pointwise_..., bias_..., activity_regularizer: initializers,
            regularizers and constraints of both kernels and the bias, as in Dense.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, H', W', F), or (B, F, H', W'); lengths as in Conv2D.
    Raises: ValueError for sizes that are no positive integers, an input smaller than
        the kernel.
    Differs from Keras: padding takes pairs, as in Conv2D.

    >>> SeparableConv2D(8, 3)(keras.ops.ones((1, 5, 5, 2))).shape
    TensorShape([1, 3, 3, 8])

    Paper: Chollet, "Xception: deep learning with depthwise separable convolutions",
    2016. https://arxiv.org/abs/1610.02357
    """

    rank = 2
