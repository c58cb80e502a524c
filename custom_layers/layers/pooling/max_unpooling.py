"""Max unpooling: values go back to the places where max pooling found them."""

import math
from typing import Any

import keras
from keras import ops

from ...common.checks import channel_order, integer_tuple, one_of
from ...common.inputs import as_floats
from ...common.private_keras import build_at_init
from ...common.types import Config, DataFormat, Padding, Shape, Size


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MaxUnpooling2D(keras.layers.Layer):
    """Puts the maxima of windows back to their places in an image that is 0 elsewhere.

    y.flat[indices[b, i, j, c]] = values[b, i, j, c] in each image y[b]

    The decoder of a segmentation network knows from the indices where in its window the
    encoder found a feature, so that its borders are sharp again.

    Args:
        pool_size, strides, padding: those of the MaxPoolingWithArgmax2D before.
        output_size: height and width (H, W) of the output. Give the size of the image
            before pooling where the windows did not divide it: the indices count the
            places of that image.
        data_format: "channels_last" or "channels_first"; None means Keras's setting.

    Call: values and the indices that MaxPoolingWithArgmax2D returns, or
        `tf.nn.max_pool_with_argmax` with channels_last.
    Input shapes: (B, h, w, C) twice, or (B, C, h, w) with channels_first.
    Output shape: (B, H, W, C), or (B, C, H, W). By default H is
        (h - 1) * stride_h + pool_h for "valid" and h * stride_h for "same".
    Raises: ValueError for values and indices of different shapes, and for sizes that
        are not positive integers.
    Keras has no such class. Differs from Addons: where windows overlap, a place that
        several windows chose gets its value, not the sum over the windows. The padding
        is written in small letters.

    >>> from custom_layers.layers import MaxPoolingWithArgmax2D
    >>> x = keras.ops.array([[1.0, 9.0, 2.0, 3.0], [4.0, 5.0, 8.0, 6.0]])
    >>> values, indices = MaxPoolingWithArgmax2D()(keras.ops.reshape(x, (1, 2, 4, 1)))
    >>> print(MaxUnpooling2D()(values, indices)[0, :, :, 0].numpy())
    [[0. 9. 0. 0.]
     [0. 0. 8. 0.]]

    Paper: Badrinarayanan, Kendall, Cipolla, "SegNet: a deep convolutional
    encoder-decoder architecture for image segmentation", 2015.
    https://arxiv.org/abs/1511.00561
    """

    def __init__(
        self,
        pool_size: Size = 2,
        strides: Size | None = None,
        padding: Padding = "valid",
        output_size: Size | None = None,
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = integer_tuple(pool_size, 2, "pool_size")
        strides = self.pool_size if strides is None else strides
        self.strides = integer_tuple(strides, 2, "strides")
        self.padding = one_of(padding, ("valid", "same"), "padding")
        self.output_size: tuple[int, ...] | None = None
        if output_size is not None:
            self.output_size = integer_tuple(output_size, 2, "output_size")
        self.data_format = channel_order(data_format)
        build_at_init(self)

    def call(self, values, indices):
        self.compute_output_shape(values.shape, indices.shape)  # refuses wrong shapes
        values = as_floats(values, self.compute_dtype)
        B, *given = ops.shape(values)
        shape = self._unpooled(given)
        n = math.prod(given)
        values = ops.reshape(values, (B * n,))
        at = _with_images(ops.reshape(indices, (B, n)))
        at = ops.reshape(at, (B * n, 2))

        zeros = ops.zeros((B, math.prod(shape)), values.dtype)
        y = ops.scatter_update(zeros, at, values, reduction="add")
        if any(step < size for step, size in zip(self.strides, self.pool_size)):
            windows = ops.scatter_update(
                zeros,
                at,
                ops.ones_like(values),
                reduction="add",
            )
            y = y / ops.maximum(windows, 1)  # equal values, added up
        return ops.reshape(y, (B, *shape))

    def _unpooled(self, given) -> tuple:
        """The shape of an unpooled image from that of its maxima, both without B."""
        places = slice(0, 2) if self.data_format == "channels_last" else slice(1, 3)
        shape: list = list(given)
        shape[places] = self.output_size or [
            self._length(n, size, stride)
            for n, size, stride in zip(
                shape[places],
                self.pool_size,
                self.strides,
            )
        ]
        return tuple(shape)

    def _length(self, n, size: int, stride: int):
        if n is None:
            return None
        if self.padding == "same":
            return n * stride
        return (n - 1) * stride + size

    def compute_output_shape(
        self, values_shape: Shape, indices_shape: Shape | None = None
    ) -> Shape:
        shape = tuple(values_shape)
        other = shape if indices_shape is None else tuple(indices_shape)
        is_same = len(shape) == len(other) == 4 and all(
            m == n or m is None or n is None for m, n in zip(shape, other)
        )
        if not is_same:
            raise ValueError(
                "MaxUnpooling2D expects values and indices of one shape with four "
                f"axes, as MaxPoolingWithArgmax2D returns them. Received: values of "
                f"shape {shape} and indices of shape {other}"
            )
        return (shape[0], *self._unpooled(shape[1:]))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "output_size": self.output_size,
            "data_format": self.data_format,
        }


def _with_images(places):
    """Pairs (number of the image, place in it), from the places (B, n)."""
    B, _ = ops.shape(places)
    places = ops.cast(places, "int32")
    images = ops.arange(B, dtype="int32")
    images = ops.zeros_like(places) + images[:, None]
    return ops.stack([images, places], axis=-1)
