"""Max pooling: each window is summarized by its largest value."""

from typing import Any

import keras
from keras import ops

from ...common.types import DataFormat, Padding, Size
from .base import _Pooling


class _MaxPooling(_Pooling):
    def __init__(
        self,
        pool_size: Size = 2,
        strides: Size | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)

    def _pool(self, inputs):
        return ops.max_pool(
            inputs, self.pool_size, self.strides, self.padding, self.data_format
        )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MaxPooling1D(_MaxPooling):
    """Maximum over each window of a sequence: does the feature occur around here?

    y[b, t, c] = max over p of x[b, t * stride + p, c]

    Args, raises: as in MaxPooling2D, for one axis.
    Shapes: (B, T, C) to (B, T', C), or (B, C, T) to (B, C, T') with channels_first;
        T' as H' in MaxPooling2D.

    >>> x = keras.ops.array([[9.0, 0.0, 1.0, 2.0], [0.0, 9.0, 2.0, 1.0]])
    >>> y = MaxPooling1D(2)(x[:, :, None])
    >>> y[:, :, 0].numpy().tolist()  # the place within a window does not count
    [[9.0, 2.0], [9.0, 2.0]]

    Paper: Collobert et al., "Natural language processing (almost) from scratch", 2011.
    https://jmlr.org/papers/v12/collobert11a.html
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MaxPooling2D(_MaxPooling):
    """Maximum over each window of an image: does the feature occur near here?

    y[b, i, j, c] = max over p, q of x[b, i * stride_h + p, j * stride_w + q, c]

    Args:
        pool_size: size (p, q) of the window, or one integer for both.
        strides: step of the window; None means pool_size.
        padding: "valid" drops windows that stick out, "same" keeps them.
        data_format: "channels_last" or "channels_first"; None means Keras's setting.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, H', W', C), or (B, C, H', W'); H' = (H - p) // stride_h + 1 for
        "valid", ceil(H / stride_h) for "same".
    Raises: ValueError for sizes that are not positive integers, and for a window larger
        than the input.
    Differs from Keras: a window larger than the input is refused in every call, where
        Keras's call may end the process; integers become floats; an empty batch can be
        trained on.

    >>> image = keras.ops.array([[1.0, 2.0, 0.0, 0.0], [3.0, 4.0, 0.0, 8.0]])
    >>> y = MaxPooling2D(2)(image[None, :, :, None])
    >>> y[0, :, :, 0].numpy().tolist()  # the largest value of each square
    [[4.0, 8.0]]

    Paper: Ranzato, Huang, Boureau, LeCun, "Unsupervised learning of invariant feature
    hierarchies", 2007. https://doi.org/10.1109/CVPR.2007.383157
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MaxPooling3D(_MaxPooling):
    """Maximum over each window of a volume, or of the frames of a video.

    y[b, i, j, k, c] = max over p, q, r of x[b, i * stride_d + p, ..., c]

    Args, raises: as in MaxPooling2D, for three axes.
    Shapes: (B, D, H, W, C) to (B, D', H', W', C), with lengths as in MaxPooling2D; or
        with the channels first.
    Differs from Keras: what differs in MaxPooling2D; on TensorFlow, the gradient of a
        window goes to one of equal maxima, where Keras may give all of it to each, and
        a stride above the window is right with "same" without oneDNN, too.

    >>> volume = keras.ops.reshape(keras.ops.arange(8.0), (1, 2, 2, 2, 1))
    >>> y = MaxPooling3D(2)(volume)
    >>> y.numpy().ravel().tolist()  # the largest value of the cube of 0, 1, ..., 7
    [7.0]

    Paper: Tran, Bourdev, Fergus, Torresani, Paluri, "Learning spatiotemporal features
    with 3D convolutional networks", 2014. https://arxiv.org/abs/1412.0767
    """

    rank = 3

    def _pool(self, inputs):
        if keras.backend.backend() != "tensorflow":
            return super()._pool(inputs)
        if self.data_format == "channels_last":
            return self._pool_images_and_depth(inputs)
        x = ops.transpose(inputs, (0, 2, 3, 4, 1))
        y = self._pool_images_and_depth(x)
        return ops.transpose(y, (0, 4, 1, 2, 3))

    def _pool_images_and_depth(self, x):
        """The maximum of each (H, W), then of these along D, as poolings of images.

        TensorFlow's gradient of a pooling of volumes goes to each of equal places, that
        of a pooling of images to one of them.
        """
        (d, *size), (step, *steps) = self.pool_size, self.strides
        _, D, H, W, C = ops.shape(x)
        images = ops.reshape(x, (-1, H, W, C))
        images = self._pool_plane(images, size, steps)
        _, H, W, _ = ops.shape(images)
        columns = ops.reshape(images, (-1, D, H * W, C))
        columns = self._pool_plane(columns, [d, 1], [step, 1])
        D = ops.shape(columns)[1]
        return ops.reshape(columns, (-1, D, H, W, C))

    def _pool_plane(self, x, size: list[int], strides: list[int]):
        if size == strides == [1, 1]:
            return x
        return ops.max_pool(x, size, strides, self.padding, "channels_last")
