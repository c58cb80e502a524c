"""Separable convolution: first within each channel, then across channels."""

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
from .base import ConvolutionPadding
from .depthwise_conv import _DepthwiseKernel


class _SeparableConvolution(_DepthwiseKernel):
    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: ConvolutionPadding = "valid",
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
        depth_multiplier: int = 1,
        activation: Activation = None,
        use_bias: bool = True,
        depthwise_initializer: Initializer = "glorot_uniform",
        pointwise_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        depthwise_regularizer: Regularizer = None,
        pointwise_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        depthwise_constraint: Constraint = None,
        pointwise_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            depth_multiplier=depth_multiplier,
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
        self.filters = positive_integer(filters, "filters")
        self.pointwise_initializer = keras.initializers.get(pointwise_initializer)
        self.pointwise_regularizer = keras.regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = keras.constraints.get(pointwise_constraint)

    def _add_kernels(self, channels: int) -> None:
        self.depthwise_kernel = self._depthwise_kernel("depthwise_kernel", channels)
        ones = (1,) * self.rank
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*ones, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )

    def _convolve(self, inputs, padding: str):
        y = self._convolve_each_channel(inputs, self.depthwise_kernel, padding)
        return ops.conv(y, self.pointwise_kernel, data_format=self.data_format)

    def _output_channels(self, channels: Any) -> Any:
        return self.filters

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "filters": self.filters,
            "pointwise_initializer": keras.initializers.serialize(
                self.pointwise_initializer
            ),
            "pointwise_regularizer": keras.regularizers.serialize(
                self.pointwise_regularizer
            ),
            "pointwise_constraint": keras.constraints.serialize(
                self.pointwise_constraint
            ),
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SeparableConv1D(_SeparableConvolution):
    """Convolution of a sequence in two steps: in each channel, then across channels.

    y[b, t, f] = activation(bias[f] + sum over c, m, p of
        x[b, t * stride + p * dilation, c] * depthwise_kernel[p, c, m]
        * pointwise_kernel[0, c * M + m, f])

    Args, raises, differs from Keras: as in SeparableConv2D, for one axis.

    Input shape: (B, T, C), or (B, C, T) with channels_first.
    Output shape: (B, T', F), or (B, F, T'); T' as in Conv2D.

    >>> change = keras.initializers.Constant([[[-1.0], [-1.0]], [[1.0], [1.0]]])
    >>> steps = {"depthwise_initializer": change, "pointwise_initializer": "ones"}
    >>> x = keras.ops.array([[[1.0, 10.0], [3.0, 30.0]]])
    >>> SeparableConv1D(1, 2, **steps)(x).numpy().tolist()  # changes by 2 and 20, added
    [[[22.0]]]

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
    Raises: ValueError for sizes that are not positive integers, and for an input
        smaller than the kernel.
    Differs from Keras: as in Conv2D, pairs for padding included.

    >>> layer = SeparableConv2D(64, 3)
    >>> y = layer(keras.ops.ones((1, 5, 5, 64)))
    >>> layer.count_params()  # 3 * 3 * 64 + 64 * 64 + 64; Conv2D has 36,928
    4736

    Paper: Chollet, "Xception: deep learning with depthwise separable convolutions",
    2016. https://arxiv.org/abs/1610.02357
    """

    rank = 2
