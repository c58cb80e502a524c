"""Average pooling: each window is summarized by its mean."""

import keras
from keras import ops

from .base import _Pooling


class _AveragePooling(_Pooling):
    def _pool(self, inputs):
        if self.rank == 3:  # torch has no mean over volumes of bfloat16 on a CPU
            dtype = keras.backend.result_type(inputs.dtype, "float32")
            inputs = ops.cast(inputs, dtype)
        return ops.average_pool(
            inputs, self.pool_size, self.strides, self.padding, self.data_format
        )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AveragePooling1D(_AveragePooling):
    """Mean over each window of a sequence, which becomes smoother and shorter.

    y[b, t, c] = mean over p of x[b, t * stride + p, c]

    Args, raises: as in AveragePooling2D, for one axis.
    Shapes: (B, T, C) to (B, T', C), or (B, C, T) to (B, C, T') with channels_first;
        T' as H' in MaxPooling2D.

    >>> y = AveragePooling1D(2)(keras.ops.array([[[1.0], [3.0], [5.0], [9.0]]]))
    >>> y[0, :, 0].numpy().tolist()  # half as long, and smoother
    [2.0, 7.0]

    Paper: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to
    document recognition", 1998. https://doi.org/10.1109/5.726791
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AveragePooling2D(_AveragePooling):
    """Mean over each window of an image: how much of the feature is around here?

    y[b, i, j, c] = mean over p, q of x[b, i * stride_h + p, j * stride_w + q, c]

    Args, raises: as in MaxPooling2D, but pool_size has no default. With padding "same"
        the mean is taken over the part of the window that lies inside the input.
    Shapes: as in MaxPooling2D.
    Differs from Keras: as MaxPooling2D does.

    >>> image = keras.ops.array([[1.0, 2.0, 0.0, 0.0], [3.0, 4.0, 0.0, 8.0]])
    >>> y = AveragePooling2D(2)(image[None, :, :, None])
    >>> y[0, :, :, 0].numpy().tolist()  # a smaller image: the mean of each square
    [[2.5, 2.0]]

    Paper: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to
    document recognition", 1998. https://doi.org/10.1109/5.726791
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AveragePooling3D(_AveragePooling):
    """Mean over each window of a volume, or of the frames of a video.

    y[b, i, j, k, c] = mean over p, q, r of x[b, i * stride_d + p, ..., c]

    Args, raises: as in AveragePooling2D, for three axes.
    Shapes: (B, D, H, W, C) to (B, D', H', W', C), with lengths as in MaxPooling2D; or
        with the channels first.

    >>> volume = keras.ops.reshape(keras.ops.arange(8.0), (1, 2, 2, 2, 1))
    >>> y = AveragePooling3D(2)(volume)
    >>> y.numpy().ravel().tolist()  # the mean of the cube of 0, 1, ..., 7
    [3.5]

    Paper: Carreira, Zisserman, "Quo vadis, action recognition? A new model and the
    Kinetics dataset", 2017. https://arxiv.org/abs/1705.07750
    """

    rank = 3
