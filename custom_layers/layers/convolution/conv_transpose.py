"""Transposed convolution: the gradient of a convolution, run forwards to enlarge."""

from typing import Any

import keras
from keras import ops

from ...common.checks import integer_tuple
from ...common.types import (
    Activation,
    Config,
    Constraint,
    DataFormat,
    Initializer,
    Padding,
    Regularizer,
    Size,
)
from .base import _FilterKernel


class _TransposedConvolution(_FilterKernel):
    """Every input value spreads a kernel over the output; overlapping kernels add."""

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: Padding = "valid",
        output_padding: Size | None = None,
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
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
        self.output_padding = self._checked_output_padding(output_padding)

    def _checked_padding(self, padding: Any) -> str:
        if isinstance(padding, str):
            return super()._checked_padding(padding)
        raise ValueError(
            "The `padding` argument of a transposed convolution must be one of "
            f"{self._paddings}. Received: {padding}"
        )

    def _checked_output_padding(
        self, output_padding: Size | None
    ) -> tuple[int, ...] | None:
        if output_padding is None:
            return None
        values = integer_tuple(output_padding, self.rank, "output_padding", minimum=0)
        if any(n >= stride for n, stride in zip(values, self.strides)):
            raise ValueError(
                "`output_padding` must be strictly less than `strides` on every axis. "
                f"Received: output_padding={values}, strides={self.strides}"
            )
        return values

    def _add_kernels(self, channels: int) -> None:
        self._add_kernel((*self.kernel_size, self.filters, channels))

    def _convolve(self, inputs, padding: str):
        return ops.conv_transpose(
            inputs,
            self.kernel,
            strides=self.strides,
            padding=padding,
            output_padding=self.output_padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )

    def _output_length(self, length: int | None, axis: int) -> int | None:
        if length is None:
            return None
        stride = self.strides[axis]
        reach = self.dilation_rate[axis] * (self.kernel_size[axis] - 1) + 1
        if self.output_padding is None:
            more = max(reach - stride, 0) if self.padding == "valid" else 0
            return length * stride + more
        more = reach if self.padding == "valid" else reach % 2
        return (length - 1) * stride + more + self.output_padding[axis]

    def get_config(self) -> Config:
        return {**super().get_config(), "output_padding": self.output_padding}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Conv1DTranspose(_TransposedConvolution):
    """Transposed convolution of a sequence, which becomes `strides` times as long.

    y[b, t, f] = activation(bias[f] + sum over s, p, c with
        s * stride + p * dilation = t + left of x[b, s, c] * kernel[p, f, c])

    Args, raises, differs from Keras: as in Conv2DTranspose, for one axis.

    Input shape: (B, T, C), or (B, C, T) with channels_first.
    Output shape: (B, T', F), or (B, F, T'); T' as in Conv2DTranspose.

    >>> tent = keras.initializers.Constant([[[0.5]], [[1.0]], [[0.5]]])
    >>> layer = Conv1DTranspose(1, 3, strides=2, kernel_initializer=tent)
    >>> y = layer(keras.ops.array([[[2.0], [4.0], [6.0]]]))
    >>> y[0, :, 0].numpy().tolist()  # 3 and 5 are filled in
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 3.0]

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
        padding: "valid" keeps all places that the kernel reaches; "same" crops H' to
            H * stride, with top = max(reach - stride, 0) // 2 and reach as below.
        output_padding: number of rows and columns added at the end, less than strides;
            None means as many as the other arguments need.
        data_format, dilation_rate: as in Conv2D.
        activation, use_bias, kernel_..., bias_..., activity_regularizer: as in Dense.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, H', W', F), or (B, F, H', W'). With reach = dilation * (h - 1) + 1
        H' = H * stride, for "valid" + max(reach - stride, 0). With an output_padding
        H' = (H - 1) * stride + output_padding + reach, or + reach % 2 for "same".
    Raises: ValueError for sizes that are not positive integers, for an output_padding
        that is not less than strides, and for both strides and dilation_rate above 1.
    Differs from Keras: as in Conv2D, except that padding does not take pairs.

    >>> layer = Conv2DTranspose(1, 2, strides=2, kernel_initializer="ones")
    >>> y = layer(keras.ops.array([[[[1.0], [2.0]]]]))
    >>> print(y[0, :, :, 0].numpy())  # each pixel becomes a square
    [[1. 1. 2. 2.]
     [1. 1. 2. 2.]]

    Paper: Zeiler, Krishnan, Taylor, Fergus, "Deconvolutional networks", 2010.
    https://doi.org/10.1109/CVPR.2010.5539957
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Conv3DTranspose(_TransposedConvolution):
    """Transposed convolution of a volume, which becomes `strides` times as large.

    y = activation(bias + the sum in Conv2DTranspose, over three axes)

    Args, raises, differs from Keras: as in Conv2DTranspose, for three axes.

    Input shape: (B, D, H, W, C), or (B, C, D, H, W) with channels_first.
    Output shape: (B, D', H', W', F), or (B, F, D', H', W'); lengths as in
        Conv2DTranspose.

    >>> layer = Conv3DTranspose(1, 2, strides=2, kernel_initializer="ones")
    >>> y = layer(keras.ops.array([[[[[5.0]]]]]))
    >>> y[0, :, :, :, 0].numpy().tolist()  # one voxel becomes a cube
    [[[5.0, 5.0], [5.0, 5.0]], [[5.0, 5.0], [5.0, 5.0]]]

    Paper: Cicek, Abdulkadir, Lienkamp, Brox, Ronneberger, "3D U-Net: learning dense
    volumetric segmentation from sparse annotation", 2016.
    https://arxiv.org/abs/1606.06650
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: Padding = "valid",
        data_format: DataFormat = None,  # Keras has it before output_padding here only
        output_padding: Size | None = None,
        dilation_rate: Size = 1,
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
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            output_padding=output_padding,
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
