"""Max pooling that tells where in the image each maximum stands."""

import itertools
import math
from typing import Any

import keras
from keras import ops

from ...common.inputs import as_floats
from ...common.types import Shape
from .max_pooling import _MaxPooling


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MaxPoolingWithArgmax2D(_MaxPooling):
    """Maximum over each window of an image, together with the place where it stands.

    values[b, i, j, c]  = max over p, q of x[b, i * stride_h + p, j * stride_w + q, c]
    indices[b, i, j, c] = (u * W + v) * C + c, where (u, v) is the place of the maximum

    An index counts the numbers of one image from 0, row by row and channel by channel,
    as `tf.nn.max_pool_with_argmax` does. With channels_first, where the image is stored
    channel by channel, it is (c * H + u) * W + v. Of equal values the first one counts.

    Args, raises: as in MaxPooling2D.
    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output: values and indices (int32), both of the shape that MaxPooling2D gives.
    Keras has no such class.

    `MaxUnpooling2D` shows what the indices are for:

    >>> x = keras.ops.reshape(keras.ops.array([1.0, 9.0, 2.0, 3.0]), (1, 2, 2, 1))
    >>> values, indices = MaxPoolingWithArgmax2D()(x)
    >>> float(values[0, 0, 0, 0]), int(indices[0, 0, 0, 0])
    (9.0, 1)

    Paper: Zeiler, Fergus, "Visualizing and understanding convolutional networks", 2013.
    https://arxiv.org/abs/1311.2901
    """

    rank = 2

    def call(self, inputs):
        x = as_floats(inputs, self.compute_dtype)
        return super().call(x), self._argmax(x)

    def _argmax(self, x):
        """Goes through the corners of the windows; at each, compares all windows."""
        shape = ops.shape(x)
        numbers = ops.arange(math.prod(shape[1:]), dtype="int32")
        numbers = ops.reshape(numbers, (1, *shape[1:]))
        if self.padding == "same":
            margins = self._margins(shape)
            x = ops.pad(x, margins, constant_values=-float("inf"))
            numbers = ops.pad(numbers, margins, constant_values=-1)

        best, *others = self._corners(x)
        index, *their_numbers = self._corners(numbers)
        index = index + ops.zeros_like(best, "int32")
        for candidate, number in zip(others, their_numbers):
            is_better = (candidate > best) | (index < 0)
            best = ops.where(is_better, candidate, best)
            index = ops.where(is_better, number, index)
        return index

    def _margins(self, shape: tuple) -> list:
        """What "same" adds before and after each axis."""
        margins = [[0, 0]] * 4
        for axis, size, stride in self._geometry():
            length = shape[axis]
            last = (length - 1) // stride * stride  # where the last window begins
            margin = last + size - length
            if isinstance(margin, int):
                margin = max(margin, 0)
            else:
                margin = ops.maximum(margin, 0)
            before = margin // 2
            margins[axis] = [before, margin - before]
        return margins

    def _corners(self, x) -> list:
        """The places (p, q) of all windows, for each (p, q)."""
        slices = []
        for axis, size, stride in self._geometry():
            last = ops.shape(x)[axis] - size
            slices.append(
                [slice(p, last + p + 1, stride) for p in range(size)],
            )

        before = [slice(None)]  # the images
        if self.data_format == "channels_first":
            before.append(slice(None))  # the channels

        return [
            x[(*before, *corner)]  # of every window
            for corner in itertools.product(*slices)
        ]

    def _geometry(self):
        """(axis, size of a window, stride) of both axes of places."""
        axes = (1, 2) if self.data_format == "channels_last" else (2, 3)
        return zip(axes, self.pool_size, self.strides)

    def compute_output_shape(self, input_shape: Shape) -> Any:
        shape = super().compute_output_shape(input_shape)
        return shape, shape

    def compute_output_spec(self, inputs) -> Any:
        shape, _ = self.compute_output_shape(inputs.shape)
        return (
            keras.KerasTensor(shape, dtype=self.compute_dtype),
            keras.KerasTensor(shape, dtype="int32"),
        )
