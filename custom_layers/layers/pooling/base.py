"""What the pooling layers share: the geometry of their windows, and their masks."""

from typing import Any

import keras
from keras import ops

from ...common.checks import channel_order, integer_tuple, one_of
from ...common.inputs import as_booleans, as_floats, of_any_batch
from ...common.private_keras import build_at_init
from ...common.types import Config, DataFormat, Padding, Shape, Size


class _Pooling(keras.layers.Layer):
    """A window of `pool_size` slides over `rank` axes; `_pool` summarizes it."""

    rank = 0

    def __init__(
        self,
        pool_size: Size,
        strides: Size | None = None,
        padding: Padding = "valid",
        data_format: DataFormat = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = integer_tuple(pool_size, self.rank, "pool_size")
        strides = self.pool_size if strides is None else strides
        self.strides = integer_tuple(strides, self.rank, "strides")
        self.padding = one_of(padding, ("valid", "same"), "padding")
        self.data_format = channel_order(data_format)
        self.input_spec = keras.layers.InputSpec(ndim=self.rank + 2)
        build_at_init(self)

    def call(self, inputs):
        self.compute_output_shape(inputs.shape)  # refuses an input below the window
        inputs = as_floats(inputs, self.compute_dtype)
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        if self.rank == 3 and dtype == "float16":  # no backend pools it on a CPU
            inputs = ops.cast(inputs, "float32")
        return ops.cast(of_any_batch(self._pool, inputs), dtype)

    def _pool(self, inputs):
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        first = 1 if self.data_format == "channels_last" else 2
        shape = list(input_shape)
        for axis, (size, stride) in enumerate(zip(self.pool_size, self.strides), first):
            length = shape[axis]
            if length is None:
                continue
            needed = size if self.padding == "valid" else 1
            places = (length - needed) // stride + 1
            if places <= 0:
                raise ValueError(
                    "Computed output size would be zero or negative. Received: "
                    f"input shape {input_shape}, pool_size={self.pool_size}, "
                    f"strides={self.strides}, padding={self.padding}."
                )
            shape[axis] = places
        return tuple(shape)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }


class _GlobalPooling(keras.layers.Layer):
    """All `rank` spatial axes summarized at once, without the places that a mask hides.

    A subclass writes `_summary(x, axis, keepdims)`, and `_masked_summary` for the
    places where a mask is true.
    """

    rank = 0
    expects_mask = False  # Keras's flag; a mask that comes anyway is respected too

    def __init__(
        self, data_format: DataFormat = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = channel_order(data_format)
        self.keepdims = keepdims
        self.supports_masking = self.expects_mask
        self.input_spec = keras.layers.InputSpec(ndim=self.rank + 2)
        build_at_init(self)

    def call(self, inputs, mask=None):
        self.supports_masking |= mask is not None
        inputs = as_floats(inputs, self.compute_dtype)
        first, channel = (1, -1) if self.data_format == "channels_last" else (2, 1)
        places = tuple(range(first, first + self.rank))
        if inputs.shape[0] == 0:  # ops.max refuses an empty batch
            return ops.sum(inputs, axis=places, keepdims=self.keepdims)
        mask = as_booleans(mask)
        if mask is None or not self._is_of_places(mask.shape, inputs.shape):
            return self._summary(inputs, axis=places, keepdims=self.keepdims)
        mask = ops.expand_dims(mask, channel)
        return self._masked_summary(inputs, mask, axis=places, keepdims=self.keepdims)

    def _is_of_places(self, mask_shape: Shape, input_shape: Shape) -> bool:
        """Whether a mask has an entry for each place of each sample."""
        last = self.data_format == "channels_last"
        places = input_shape[1:-1] if last else input_shape[2:]
        wanted = (input_shape[0], *places)
        return len(mask_shape) == len(wanted) and all(
            m == n or m is None or n is None for m, n in zip(mask_shape, wanted)
        )

    def _summary(self, x, axis: tuple[int, ...], keepdims: bool):
        raise NotImplementedError

    def _masked_summary(self, x, mask, axis: tuple[int, ...], keepdims: bool):
        raise NotImplementedError

    def compute_mask(self, inputs, mask=None) -> None:
        """None: the output has no places left that a mask could hide."""
        return None

    def compute_output_spec(self, inputs, mask=None) -> keras.KerasTensor:
        # Keras would warn that the mask is lost, unless the layer supports masks.
        self.supports_masking |= mask is not None
        return super().compute_output_spec(inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        ones = (1,) * self.rank if self.keepdims else ()
        if self.data_format == "channels_last":
            return (input_shape[0], *ones, input_shape[-1])
        return (*input_shape[:2], *ones)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "keepdims": self.keepdims,
        }
