"""Correlation of two feature maps: how far has each place moved between them?"""

from typing import Any

import keras
from keras import ops

from ..common.checks import channel_order, integer_tuple, positive_integer
from ..common.inputs import as_floats, of_any_batch
from ..common.private_keras import build_at_init
from ..common.types import Config, DataFormat, Shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class CorrelationCost(keras.layers.Layer):
    """Correlation of patches of one feature map with displaced patches of another.

    y[b, u, v, (i, j)] = mean over the patch of k x k places o and over the channels of
        f[b, p + o] * g[b, p + o + stride_2 * (i, j)], p = border + stride_1 * (u, v)

    where -r <= i, j <= r, r = max_displacement // stride_2, and border =
    max_displacement + (k - 1) / 2. The displacements are the channels of the output,
    row by row. Both maps have a margin of `pad` zeros. A network for optical flow reads
    from it where each place of the first image is in the second.

    Args:
        kernel_size: odd length k of a patch.
        max_displacement: largest displacement along each axis.
        stride_1: step from one patch of the first map to the next.
        stride_2: step from one displacement to the next.
        pad: number of zeros around both maps.
        data_format: "channels_last" or "channels_first"; None means Keras's setting.

    Input: a list of two maps [f, g], each (B, H, W, C), or (B, C, H, W) with
        channels_first.
    Output shape: (B, H', W', (2 r + 1)^2), or with the channels first;
        H' = ceil((H + 2 * pad - 2 * border) / stride_1).
    Raises: ValueError for an even kernel_size, other numbers that are not integers in
        range, inputs that are not two maps of one shape, and maps without a patch.
    Keras has no such class. Differs from Addons: an even kernel_size is refused, which
        has no middle; with a stride_1 above 1 the first patch stays at the border, as
        in Addons on a GPU, where Addons on a CPU multiplies `pad` by stride_1.

    A bright point moves one place to the right, which is displacement (0, 1):

    >>> f = keras.ops.reshape(keras.ops.one_hot(12, 25), (1, 5, 5, 1))
    >>> g = keras.ops.roll(f, 1, axis=2)
    >>> cost = CorrelationCost(1, max_displacement=1, stride_1=1, stride_2=1, pad=1)
    >>> print(keras.ops.reshape(cost([f, g])[0, 2, 2], (3, 3)).numpy())
    [[0. 0. 0.]
     [0. 0. 1.]
     [0. 0. 0.]]

    Paper: Fischer et al., "FlowNet: learning optical flow with convolutional networks",
    2015. https://arxiv.org/abs/1504.06852
    """

    def __init__(
        self,
        kernel_size: int,
        max_displacement: int,
        stride_1: int,
        stride_2: int,
        pad: int,
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = positive_integer(kernel_size, "kernel_size")
        if self.kernel_size % 2 == 0:
            raise ValueError(
                "The `kernel_size` argument must be odd, so that a patch has a middle. "
                f"Received: kernel_size={kernel_size}"
            )
        (self.max_displacement,) = integer_tuple(
            max_displacement, 1, "max_displacement", minimum=0
        )
        self.stride_1 = positive_integer(stride_1, "stride_1")
        self.stride_2 = positive_integer(stride_2, "stride_2")
        (self.pad,) = integer_tuple(pad, 1, "pad", minimum=0)
        self.data_format = channel_order(data_format)
        build_at_init(self)

    def call(self, inputs):
        self.compute_output_shape([x.shape for x in inputs])  # refuses wrong shapes
        f, g = as_floats(inputs, self.compute_dtype)
        dtype = keras.backend.standardize_dtype(f.dtype)
        if self.data_format == "channels_first":
            f, g = (ops.transpose(x, (0, 2, 3, 1)) for x in (f, g))
        y = self._correlations(f, g)
        if self.kernel_size > 1 or self.stride_1 > 1:
            y = of_any_batch(self._mean_over_patches, y)
        if self.data_format == "channels_first":
            y = ops.transpose(y, (0, 3, 1, 2))
        return ops.cast(y, dtype)

    def _correlations(self, f, g):
        """(B, H, W, displacements): f . g / C of single places."""
        wide = keras.backend.result_type(f.dtype, "float32")
        margin = [[0, 0], [self.pad, self.pad], [self.pad, self.pad], [0, 0]]
        f, g = (ops.pad(ops.cast(x, wide), margin) for x in (f, g))
        d = self.max_displacement
        H, W = (length - 2 * d for length in ops.shape(f)[1:3])
        f = f[:, d : d + H, d : d + W]
        reach = d // self.stride_2 * self.stride_2
        steps = range(d - reach, d + reach + 1, self.stride_2)
        return ops.stack(
            [
                ops.mean(f * g[:, i : i + H, j : j + W], axis=-1)
                for i in steps
                for j in steps
            ],
            axis=-1,
        )

    def _mean_over_patches(self, y):
        return ops.average_pool(
            y,
            self.kernel_size,
            self.stride_1,
            "valid",
            "channels_last",
        )

    def compute_output_shape(self, input_shape: list[Shape]) -> Shape:
        shapes = [tuple(shape) for shape in input_shape]
        is_pair = len(shapes) == 2 and all(len(shape) == 4 for shape in shapes)
        if not is_pair or any(
            m != n and None not in (m, n) for m, n in zip(*shapes, strict=True)
        ):
            raise ValueError(
                "CorrelationCost expects a list of two feature maps of one shape with "
                f"four axes. Received inputs of shapes {shapes}"
            )
        is_last = self.data_format == "channels_last"
        B, *rest = shapes[0]
        lengths = rest[:2] if is_last else rest[1:]
        channels = (2 * (self.max_displacement // self.stride_2) + 1) ** 2
        places = tuple(map(self._number_of_patches, lengths))
        return (B, *places, channels) if is_last else (B, channels, *places)

    def _number_of_patches(self, length: int | None) -> int | None:
        if length is None:
            return None
        border = self.max_displacement + self.kernel_size // 2
        inside = length + 2 * self.pad - 2 * border
        if inside < 1:
            raise ValueError(
                "Computed output size would be zero or negative. Received: a map of "
                f"length {length}, pad={self.pad}, "
                f"max_displacement={self.max_displacement} and "
                f"kernel_size={self.kernel_size}. Enlarge `pad`."
            )
        return (inside - 1) // self.stride_1 + 1

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "max_displacement": self.max_displacement,
            "stride_1": self.stride_1,
            "stride_2": self.stride_2,
            "pad": self.pad,
            "data_format": self.data_format,
        }
