"""Max pooling that tells where in the image each maximum stands."""

import itertools
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
        h, w, c = (1, 2, 3) if self.data_format == "channels_last" else (2, 3, 1)
        H, W, C = (ops.shape(x)[axis] for axis in (h, w, c))
        (rows, top, bottom), (columns, left, right) = (
            _windows_and_margins(length, size, stride, self.padding)
            for length, size, stride in zip((H, W), self.pool_size, self.strides)
        )
        margins = [[0, 0]] * 4
        margins[h], margins[w] = [top, bottom], [left, right]
        if self.padding == "same":
            x = ops.pad(x, margins, constant_values=-float("inf"))
        (p_max, q_max), (down, along) = self.pool_size, self.strides
        candidates = []
        for p, q in itertools.product(range(p_max), range(q_max)):
            window = [slice(None)] * 4
            window[h] = slice(p, p + (rows - 1) * down + 1, down)
            window[w] = slice(q, q + (columns - 1) * along + 1, along)
            candidates.append(x[tuple(window)])
        best = ops.argmax(ops.stack(candidates, axis=-1), axis=-1)
        best = ops.cast(best, "int32")
        u = down * _numbered(rows, h) + best // q_max - top
        v = along * _numbered(columns, w) + best % q_max - left
        u = ops.clip(u, 0, H - 1)  # a window of -inf ties with the margin
        v = ops.clip(v, 0, W - 1)
        if self.data_format == "channels_last":
            return (u * W + v) * C + _numbered(C, c)
        return (_numbered(C, c) * H + u) * W + v

    def compute_output_shape(self, input_shape: Shape) -> Any:
        shape = super().compute_output_shape(input_shape)
        return shape, shape

    def compute_output_spec(self, inputs) -> Any:
        shape, _ = self.compute_output_shape(inputs.shape)
        return (
            keras.KerasTensor(shape, dtype=self.compute_dtype),
            keras.KerasTensor(shape, dtype="int32"),
        )


def _windows_and_margins(length: Any, size: int, stride: int, padding: str) -> tuple:
    """(number of windows, margin before, margin after) along one axis."""
    if padding == "valid":
        return (length - size) // stride + 1, 0, 0
    count = (length + stride - 1) // stride
    margin = (count - 1) * stride + size - length
    margin = max(margin, 0) if isinstance(margin, int) else ops.maximum(margin, 0)
    return count, margin // 2, margin - margin // 2


def _numbered(count: Any, axis: int):
    """The numbers from 0 to below `count`, along one of four axes."""
    shape = [-1 if place == axis else 1 for place in range(4)]
    return ops.reshape(ops.arange(count, dtype="int32"), shape)
