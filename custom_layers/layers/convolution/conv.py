"""Convolution: one small kernel slides over the input, the same at every place."""

from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.types import (
    Activation,
    Config,
    Constraint,
    DataFormat,
    Initializer,
    Regularizer,
    Size,
)
from .base import ConvolutionPadding, _FilterKernel


class _Convolution(_FilterKernel):
    """A convolution in groups: every filter sees all channels of its group."""

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: ConvolutionPadding = "valid",
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
        groups: int = 1,
        activation: Activation = None,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.groups = python_number(groups)
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

    def _add_kernels(self, channels: int) -> None:
        if channels % self.groups != 0:
            raise ValueError(
                "The number of input channels must be evenly divisible by the number "
                f"of groups. Received groups={self.groups}, but the input has "
                f"{channels} channels."
            )
        self._add_kernel((*self.kernel_size, channels // self.groups, self.filters))

    def _convolve(self, inputs, padding: str):
        # One convolution per group, because a grouped one's gradient is slow on CPUs.
        xs = ops.split(inputs, self.groups, axis=self._channel_axis)
        kernels = ops.split(self.kernel, self.groups, axis=-1)
        parts = [
            ops.conv(
                x,
                kernel,
                strides=self.strides,
                padding=padding,
                data_format=self.data_format,
                dilation_rate=self.dilation_rate,
            )
            for x, kernel in zip(xs, kernels)
        ]
        return ops.concatenate(parts, axis=self._channel_axis)

    def get_config(self) -> Config:
        return {**super().get_config(), "groups": self.groups}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Conv1D(_Convolution):
    """One-dimensional convolution: a kernel slides along a sequence.

    y[b, t, f] = activation(bias[f]
        + sum over p, c of x[b, t * stride + p * dilation, c] * kernel[p, c, f])

    Args: as in Conv2D, for one axis. padding may also be "causal": zeros before the
        start only, so that y[t] does not depend on any x after step t * stride.

    Input shape: (B, T, C), or (B, C, T) with channels_first.
    Output shape: (B, T', F), or (B, F, T'); T' as in Conv2D, ceil(T / stride) for
        "causal".
    Raises, differs from Keras: as in Conv2D.

    >>> change = keras.initializers.Constant([[[-1.0]], [[1.0]]])
    >>> layer = Conv1D(1, 2, padding="causal", kernel_initializer=change)
    >>> y = layer(keras.ops.array([[[1.0], [4.0], [9.0], [16.0]]]))
    >>> y[0, :, 0].numpy().tolist()  # x[t] - x[t - 1]
    [1.0, 3.0, 5.0, 7.0]

    Paper: Waibel, Hanazawa, Hinton, Shikano, Lang, "Phoneme recognition using
    time-delay neural networks", 1989. https://doi.org/10.1109/29.21701
    """

    rank = 1
    _paddings = ("valid", "same", "causal")


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Conv2D(_Convolution):
    """Two-dimensional convolution: a kernel slides over an image.

    As everywhere in this field it is a cross-correlation, whose kernel is not flipped:

    y[b, i, j, f] = activation(bias[f] + sum over p, q, c of
        x[b, i * stride + p * dilation, j * stride + q * dilation, c]
        * kernel[p, q, c, f])

    Args:
        filters: number of output channels F.
        kernel_size: size (h, w) of the kernel, or one integer for both.
        strides: step of the kernel, likewise.
        padding: "valid" adds nothing; "same" adds zeros so that stride 1 keeps H, W;
            or a pair (before, after) for each axis: how many zeros to add there.
        data_format: "channels_last" or "channels_first"; None means Keras's setting.
        dilation_rate: distance of the kernel's taps; above 1 only with strides 1.
        groups: number of independent convolutions among which the channels and the
            filters are divided.
        activation: function applied to the sum; None leaves the layer linear.
        use_bias, kernel_..., bias_..., activity_regularizer: as in Dense.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, H', W', F), or (B, F, H', W'); ceil(H / stride) for "same", else
        H' = (H + before + after - dilation * (h - 1) - 1) // stride + 1.
    Raises: ValueError for sizes that are not positive integers, for filters or channels
        that groups does not divide, and for an input smaller than the kernel.
    Differs from Keras: no LoRA and no quantization; padding takes pairs. With
        channels_first, Keras on TensorFlow adds the bias along the last axis if that
        has F places; here the bias always belongs to the channels. Integers, such
        as the bytes of an image, are cast to floats; an empty batch gives an output
        of the right shape.

    >>> change = keras.initializers.Constant([[[[-1.0]], [[1.0]]]])
    >>> image = keras.ops.array([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]])
    >>> y = Conv2D(1, (1, 2), kernel_initializer=change)(image[None, :, :, None])
    >>> print(y[0, :, :, 0].numpy())  # a vertical edge, found
    [[0. 1. 0.]
     [0. 1. 0.]]

    Paper: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to
    document recognition", 1998. https://doi.org/10.1109/5.726791

    On two CPU cores, 2 to 32 groups take 0.3 to 0.8 of Keras's time, and a training
    step 0.01 to 0.07 of it.
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

    >>> change = keras.initializers.Constant([[[[[-1.0]]]], [[[[1.0]]]]])
    >>> video = keras.ops.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    >>> layer = Conv3D(1, (2, 1, 1), kernel_initializer=change)
    >>> y = layer(video[None, :, None, :, None])  # three frames of 1 x 3 pixels
    >>> print(y[0, :, 0, :, 0].numpy())  # the dot moves, then it rests
    [[-1.  1.  0.]
     [ 0.  0.  0.]]

    Paper: Ji, Xu, Yang, Yu, "3D convolutional neural networks for human action
    recognition", 2013. https://doi.org/10.1109/TPAMI.2012.59
    """

    rank = 3
