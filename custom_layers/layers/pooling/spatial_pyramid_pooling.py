"""Spatial pyramid pooling: grids of several sizes over one image of any size."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ...common.checks import channel_order, integer_tuple, one_of
from ...common.private_keras import build_at_init
from ...common.types import Config, DataFormat, Shape, Size
from .adaptive_pooling import AdaptiveAveragePooling2D, AdaptiveMaxPooling2D


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SpatialPyramidPooling2D(keras.layers.Layer):
    """Spatial pyramid: the means or maxima over grids of several sizes, of any image.

    For each grid of m x n, in the order of `bins`, and its windows row by row:
        y[b, i, c] = mean or max of x[b, u, v, c] over window i, whose borders are those
        of AdaptiveAveragePooling2D

    Coarse grids tell what is in the image, fine ones where. The length of the output
    does not depend on the size of the image.

    Args:
        bins: the grids: a list of integers, or of pairs (m, n).
        data_format: "channels_last" or "channels_first"; None means Keras's setting.
        pooling: "average", as in TensorFlow Addons, or "max", as in the paper.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, N, C), or (B, C, N), where N is the number of all windows.
    Raises: ValueError for bins that are not positive integers or pairs of them.
    Keras has no such class. Differs from Addons: its windows cover the whole image, as
        those of the paper do. Addons cuts off the right and lower border where the
        grid does not divide the image.

    Images of two sizes that show the same become the same vector:

    >>> import numpy as np
    >>> pyramid = SpatialPyramidPooling2D([1, 2], pooling="max")
    >>> for height, width in [(4, 4), (5, 9)]:
    ...     image = np.zeros((1, height, width, 1), "float32")
    ...     image[0, -1, 0] = 1.0  # at the lower left corner
    ...     print(pyramid(image).numpy().ravel())
    [1. 0. 0. 1. 0.]
    [1. 0. 0. 1. 0.]

    Paper: He, Zhang, Ren, Sun, "Spatial pyramid pooling in deep convolutional networks
    for visual recognition", 2014. https://arxiv.org/abs/1406.4729
    """

    def __init__(
        self,
        bins: Sequence[Size],
        data_format: DataFormat = None,
        pooling: str = "average",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(bins, list | tuple) or not bins:
            raise ValueError(
                "The `bins` argument must be a list of integers or of pairs of them, "
                f"such as [1, 2, 4]. Received: bins={bins}"
            )
        self.bins = [integer_tuple(grid, 2, "bins") for grid in bins]
        self.data_format = channel_order(data_format)
        self.pooling = one_of(pooling, ("average", "max"), "pooling")
        self.input_spec = keras.layers.InputSpec(ndim=4)
        pool = AdaptiveMaxPooling2D if pooling == "max" else AdaptiveAveragePooling2D
        self.pools = [
            pool(grid, data_format, dtype=self.dtype_policy) for grid in self.bins
        ]
        build_at_init(self)

    def call(self, inputs):
        is_last = self.data_format == "channels_last"
        levels = []
        for (m, n), pool in zip(self.bins, self.pools):
            y = pool(inputs)
            B, *lengths = ops.shape(y)
            C = lengths[-1 if is_last else 0]
            shape = (B, m * n, C) if is_last else (B, C, m * n)
            levels.append(ops.reshape(y, shape))
        return ops.concatenate(levels, axis=1 if is_last else 2)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        windows = sum(m * n for m, n in self.bins)
        if self.data_format == "channels_last":
            return (input_shape[0], windows, input_shape[-1])
        return (*input_shape[:2], windows)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "bins": self.bins,
            "data_format": self.data_format,
            "pooling": self.pooling,
        }
