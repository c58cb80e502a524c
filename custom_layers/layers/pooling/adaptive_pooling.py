"""Adaptive pooling: the output has a given size, whatever the size of the input."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from ...common.checks import channel_order, integer_tuple
from ...common.inputs import as_floats, of_any_batch
from ...common.private_keras import build_at_init
from ...common.types import Config, DataFormat, Shape, Size


class _AdaptivePooling(keras.layers.Layer):
    """Cuts each of `rank` axes into windows, as many as the output has places.

    A subclass writes `_summary(x, axis, weights)`: the windows along `axis`, each
    summarized by one number; for `weights` see `_covering_windows`.
    """

    rank = 0

    def __init__(
        self, output_size: Size, data_format: DataFormat = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.output_size = integer_tuple(output_size, self.rank, "output_size")
        self.data_format = channel_order(data_format)
        self.first_axis = 1 if self.data_format == "channels_last" else 2
        self.input_spec = keras.layers.InputSpec(ndim=self.rank + 2)
        build_at_init(self)

    def call(self, inputs):
        self.compute_output_shape(inputs.shape)  # refuses an input without a place
        x = as_floats(inputs, self.compute_dtype)
        return of_any_batch(self._pool, x)

    def _pool(self, x):
        """One axis after the other: a window of all axes is one window along each."""
        for axis, count in enumerate(self.output_size, self.first_axis):
            if x.shape[axis] != count:
                x = self._pool_axis(x, axis, count)
        return x

    def _pool_axis(self, x, axis: int, count: int):
        """Writes the windows side by side, where they do not overlap; pools these."""
        shape = ops.shape(x)
        length, weights = shape[axis], None
        if not isinstance(length, int) or length % count > 0:
            places, weights = _covering_windows(length, count)
            x = ops.take(x, ops.reshape(places, (-1,)), axis=axis)
            longest = places.shape[1] or -1  # -1 if known only when the program runs
        else:
            longest = length // count
        x = ops.reshape(x, (*shape[:axis], count, longest, *shape[axis + 1 :]))
        return self._summary(x, axis + 1, weights)

    def _summary(self, x, axis: int, weights):
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shape = tuple(input_shape)
        lengths = shape[self.first_axis : self.first_axis + self.rank]
        if 0 in lengths:
            raise ValueError(
                f"{type(self).__name__} expects at least one place along each axis "
                f"that it pools. Received: input_shape={shape}"
            )
        if self.data_format == "channels_last":
            return (shape[0], *self.output_size, shape[-1])
        return (*shape[:2], *self.output_size)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "output_size": self.output_size,
            "data_format": self.data_format,
        }


def _covering_windows(length: Any, count: int) -> tuple:
    """(places, weights) of windows that cover an axis: two arrays (count, longest).

    Window i holds the places from floor(i * length / count) to below
    ceil((i + 1) * length / count). A window that is shorter than the longest repeats
    its last place, with weight 0. With the other weights, the mean of weight * x over
    all `longest` entries is the mean of x over the window. The weights are None where
    all windows are equally long.

    length: an integer, or a tensor where it is known only when the program runs.
    """
    is_known = isinstance(length, int)
    xp: Any = np if is_known else ops  # both have these functions
    i = xp.arange(count, dtype="int32")[:, None]
    start = i * length // count
    end = ((i + 1) * length + count - 1) // count
    longest = xp.max(end - start)
    p = xp.arange(longest, dtype="int32")
    places = xp.minimum(start + p, end - 1)
    if is_known and np.all(end - start == longest):
        return places, None
    is_own = start + p < end
    return places, xp.where(is_own, longest / (end - start), 0.0)


class _AdaptiveAveragePooling(_AdaptivePooling):
    def _pool(self, x):
        wide = keras.backend.result_type(x.dtype, "float32")
        return ops.cast(super()._pool(ops.cast(x, wide)), x.dtype)

    def _summary(self, x, axis: int, weights):
        if weights is not None:
            after = [1] * (len(x.shape) - axis - 1)
            weights = ops.cast(weights, x.dtype)
            x = x * ops.reshape(weights, (*ops.shape(weights), *after))
        return ops.mean(x, axis=axis)


class _AdaptiveMaxPooling(_AdaptivePooling):
    def _summary(self, x, axis: int, weights):
        """ops.max(x, axis), whose gradient goes to the first of equal places.

        It is faster as a pooling of images (longest, other axes, last axis), each with
        one window that is as high as the image. The weights are not needed: a place
        that is repeated does not change the maximum.
        """
        if x.shape[axis] is None:
            return ops.max(x, axis=axis)
        *before, longest = ops.shape(x)[: axis + 1]
        after = ops.shape(x)[axis + 1 :]
        width = math.prod(after[:-1])
        images = ops.reshape(x, (-1, longest, width, after[-1] if after else 1))
        window = (longest, 1)
        y = ops.max_pool(images, window, window, data_format="channels_last")
        return ops.reshape(y, (*before, *after))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdaptiveAveragePooling1D(_AdaptiveAveragePooling):
    """Mean over each of m windows of a sequence, whose length may be any.

    y[b, i, c] = mean of x[b, t, c] over floor(i T / m) <= t < ceil((i + 1) T / m)

    Args, raises, differs from Keras: as in AdaptiveAveragePooling2D, for one axis.
    Shapes: (B, T, C) to (B, m, C), or (B, C, T) to (B, C, m) with channels_first.

    Sequences of every length become the same number of steps:

    >>> halves = AdaptiveAveragePooling1D(2)
    >>> for steps in (4, 5):
    ...     x = keras.ops.reshape(keras.ops.arange(float(steps)), (1, steps, 1))
    ...     print(halves(x).numpy().ravel())
    [0.5 2.5]
    [1. 3.]

    Paper: He, Zhang, Ren, Sun, "Spatial pyramid pooling in deep convolutional networks
    for visual recognition", 2014. https://arxiv.org/abs/1406.4729
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdaptiveAveragePooling2D(_AdaptiveAveragePooling):
    """Mean over each window of a grid of m x n that covers an image of any size.

    y[b, i, j, c] = mean of x[b, u, v, c] over
        floor(i H / m) <= u < ceil((i + 1) H / m)
        floor(j W / n) <= v < ceil((j + 1) W / n)

    Where H / m is not a whole number, neighbouring windows overlap. An axis shorter
    than the output is stretched.

    Args:
        output_size: numbers (m, n) of windows, or one integer for both.
        data_format: "channels_last" or "channels_first"; None means Keras's setting.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, m, n, C), or (B, C, m, n).
    Raises: ValueError for sizes that are not positive integers, and for an input
        without a place.
    Differs from Keras: H and W may be unknown until the program runs, which Keras
        refuses on TensorFlow; integers become floats; half precision is averaged in
        float32.

    A Dense layer after it takes images of every size, without losing where things are:

    >>> quarters = AdaptiveAveragePooling2D(2)
    >>> for size in (4, 6):
    ...     image = np.zeros((1, size, size, 1), "float32")
    ...     image[:, size // 2 :, : size // 2] = 1.0  # bright in the lower left
    ...     print(quarters(image).numpy().ravel())
    [0. 0. 1. 0.]
    [0. 0. 1. 0.]

    Paper: He, Zhang, Ren, Sun, "Spatial pyramid pooling in deep convolutional networks
    for visual recognition", 2014. https://arxiv.org/abs/1406.4729
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdaptiveAveragePooling3D(_AdaptiveAveragePooling):
    """Mean over each window of a grid that covers a volume, or a video, of any size.

    y[b, i, j, k, c] = mean of x[b, s, u, v, c] over the window (i, j, k), whose borders
        are those of AdaptiveAveragePooling2D along each axis.

    Args, raises, differs from Keras: as in AdaptiveAveragePooling2D, for three axes.
    Shapes: (B, D, H, W, C) to (B, *output_size, C); or with the channels first.

    Videos of 6 and 9 frames become the means of 3 periods:

    >>> periods = AdaptiveAveragePooling3D((3, 1, 1))
    >>> for frames in (6, 9):
    ...     time = keras.ops.reshape(keras.ops.arange(float(frames)), (1, -1, 1, 1, 1))
    ...     print(periods(keras.ops.tile(time, (1, 1, 4, 4, 1))).numpy().ravel())
    [0.5 2.5 4.5]
    [1. 4. 7.]

    Paper: He, Zhang, Ren, Sun, "Spatial pyramid pooling in deep convolutional networks
    for visual recognition", 2014. https://arxiv.org/abs/1406.4729
    """

    rank = 3


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdaptiveMaxPooling1D(_AdaptiveMaxPooling):
    """Maximum over each of m windows of a sequence, whose length may be any.

    y[b, i, c] = max of x[b, t, c] over floor(i T / m) <= t < ceil((i + 1) T / m)

    Args, raises, differs from Keras: as in AdaptiveMaxPooling2D, for one axis.
    Shapes: (B, T, C) to (B, m, C), or (B, C, T) to (B, C, m) with channels_first.

    In which third of the text does the feature occur?

    >>> thirds = AdaptiveMaxPooling1D(3)
    >>> for steps in (6, 7):
    ...     text = np.zeros((1, steps, 1), "float32")
    ...     text[0, -1] = 1.0  # at its end
    ...     print(thirds(text).numpy().ravel())
    [0. 0. 1.]
    [0. 0. 1.]

    Paper: He, Zhang, Ren, Sun, "Spatial pyramid pooling in deep convolutional networks
    for visual recognition", 2014. https://arxiv.org/abs/1406.4729
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdaptiveMaxPooling2D(_AdaptiveMaxPooling):
    """Maximum over each window of a grid of m x n that covers an image of any size.

    y[b, i, j, c] = max of x[b, u, v, c] over
        floor(i H / m) <= u < ceil((i + 1) H / m)
        floor(j W / n) <= v < ceil((j + 1) W / n)

    Args, shapes, raises: as in AdaptiveAveragePooling2D.
    Differs from Keras: H and W may be unknown until the program runs, which Keras
        refuses on TensorFlow; integers become floats.

    In which quarter of the image does the feature occur?

    >>> quarters = AdaptiveMaxPooling2D(2)
    >>> for size in (4, 7):
    ...     image = np.zeros((1, size, size, 1), "float32")
    ...     image[0, -1, 0] = 1.0  # at the lower left corner
    ...     print(quarters(image).numpy().ravel())
    [0. 0. 1. 0.]
    [0. 0. 1. 0.]

    Paper: He, Zhang, Ren, Sun, "Spatial pyramid pooling in deep convolutional networks
    for visual recognition", 2014. https://arxiv.org/abs/1406.4729
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdaptiveMaxPooling3D(_AdaptiveMaxPooling):
    """Maximum over each window of a grid that covers a volume, or a video, of any size.

    y[b, i, j, k, c] = max of x[b, s, u, v, c] over the window (i, j, k), whose borders
        are those of AdaptiveMaxPooling2D along each axis.

    Args, raises, differs from Keras: as in AdaptiveMaxPooling2D, for three axes.
    Shapes: (B, D, H, W, C) to (B, *output_size, C); or with the channels first.

    In which half of the video does something flash?

    >>> halves = AdaptiveMaxPooling3D((2, 1, 1))
    >>> for frames in (4, 5):
    ...     video = np.zeros((1, frames, 3, 3, 1), "float32")
    ...     video[0, 1, 2, 0] = 1.0  # in the second frame
    ...     print(halves(video).numpy().ravel())
    [1. 0.]
    [1. 0.]

    Paper: He, Zhang, Ren, Sun, "Spatial pyramid pooling in deep convolutional networks
    for visual recognition", 2014. https://arxiv.org/abs/1406.4729
    """

    rank = 3
