"""Depthwise convolution: every channel is convolved with kernels of its own."""

from typing import Any

import keras
from keras import ops

from ...common.checks import positive_integer
from ...common.types import (
    Activation,
    Config,
    Constraint,
    DataFormat,
    Initializer,
    Regularizer,
    Size,
)
from .base import ConvolutionPadding, _SlidingKernel


class _DepthwiseKernel(_SlidingKernel):
    """Convolves every channel on its own, with `depth_multiplier` kernels."""

    def __init__(
        self,
        *,
        depth_multiplier: int,
        depthwise_initializer: Initializer,
        depthwise_regularizer: Regularizer,
        depthwise_constraint: Constraint,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.depth_multiplier = positive_integer(depth_multiplier, "depth_multiplier")
        self.depthwise_initializer = keras.initializers.get(depthwise_initializer)
        self.depthwise_regularizer = keras.regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = keras.constraints.get(depthwise_constraint)

    def _depthwise_kernel(self, name: str, channels: int) -> keras.Variable:
        return self.add_weight(
            name=name,
            shape=(*self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )

    def _convolve_each_channel(self, inputs, kernel, padding: str):
        return ops.depthwise_conv(
            inputs,
            kernel,
            strides=self.strides,
            padding=padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "depth_multiplier": self.depth_multiplier,
            "depthwise_initializer": keras.initializers.serialize(
                self.depthwise_initializer
            ),
            "depthwise_regularizer": keras.regularizers.serialize(
                self.depthwise_regularizer
            ),
            "depthwise_constraint": keras.constraints.serialize(
                self.depthwise_constraint
            ),
        }


class _DepthwiseConvolution(_DepthwiseKernel):
    def __init__(
        self,
        kernel_size: Size,
        strides: Size = 1,
        padding: ConvolutionPadding = "valid",
        depth_multiplier: int = 1,
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
        activation: Activation = None,
        use_bias: bool = True,
        depthwise_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        depthwise_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        depthwise_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            depth_multiplier=depth_multiplier,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )

    def _add_kernels(self, channels: int) -> None:
        self.kernel = self._depthwise_kernel("kernel", channels)

    def _convolve(self, inputs, padding: str):
        return self._convolve_each_channel(inputs, self.kernel, padding)

    def _output_channels(self, channels: Any) -> Any:
        return None if channels is None else channels * self.depth_multiplier


@keras.saving.register_keras_serializable(package="keras_cookbook")
class DepthwiseConv1D(_DepthwiseConvolution):
    """Convolution of a sequence, with kernels of its own for each channel.

    y[b, t, c * M + m] = activation(bias[c * M + m]
        + sum over p of x[b, t * stride + p * dilation, c] * kernel[p, c, m])

    Args, raises, differs from Keras: as in DepthwiseConv2D, for one axis.

    Input shape: (B, T, C), or (B, C, T) with channels_first.
    Output shape: (B, T', C * M), or (B, C * M, T'); T' as in Conv2D.

    >>> kernels = keras.initializers.Constant([[[-1.0], [1.0]], [[1.0], [1.0]]])
    >>> layer = DepthwiseConv1D(2, depthwise_initializer=kernels)
    >>> y = layer(keras.ops.array([[[1.0, 10.0], [3.0, 30.0]]]))
    >>> y.numpy().tolist()  # the change in channel 0, the sum in channel 1
    [[[2.0, 40.0]]]

    Paper: Kaiser, Gomez, Chollet, "Depthwise separable convolutions for neural machine
    translation", 2017. https://arxiv.org/abs/1706.03059
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class DepthwiseConv2D(_DepthwiseConvolution):
    """Convolution of an image, with kernels of its own for each channel.

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
    Raises: ValueError for sizes that are not positive integers, and for an input
        smaller than the kernel.
    Differs from Keras: as in Conv2D, pairs for padding included.

    >>> layer = DepthwiseConv2D(3)
    >>> y = layer(keras.ops.ones((1, 5, 5, 64)))
    >>> layer.count_params()  # 3 * 3 * 64 + 64; Conv2D(64, 3) has 3 * 3 * 64 * 64 + 64
    640

    Paper: Howard et al., "MobileNets: efficient convolutional neural networks for
    mobile vision applications", 2017. https://arxiv.org/abs/1704.04861
    """

    rank = 2
