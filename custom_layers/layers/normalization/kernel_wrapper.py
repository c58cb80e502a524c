"""What spectral and weight normalization share: a wrapper of a layer with kernels."""

import re
from typing import Any

import keras

from ...common.types import Config

# {name of a kernel in its layer: name of the weight that holds its lengths}
KERNELS = {
    "kernel": "g",
    "embeddings": "g",
    "recurrent_kernel": "recurrent_g",
    "depthwise_kernel": "depthwise_g",
    "pointwise_kernel": "pointwise_g",
}


class _KernelWrapper(keras.layers.Wrapper):
    """A wrapper that changes the kernels of its layer, and passes masks on like it."""

    @property
    def supports_masking(self) -> bool:
        return self.layer.supports_masking

    def compute_mask(self, inputs, previous_mask):
        return self.layer.compute_mask(inputs, previous_mask)

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict[str, Any] | None = None
    ) -> "_KernelWrapper":
        """The wrapper that the configuration describes.

        Keras's method removes the layer from the dict that it is given; this one leaves
        the caller's dict as it is.
        """
        return super().from_config(dict(config), custom_objects)


def _kernels_of(layer: Any, prefix: str = "") -> list[tuple[str, Any, Any]]:
    """(prefix + name of the length, kernel, layer that owns the kernel) of each kernel.

    A recurrent layer keeps its kernels in its cell, or in each of its stacked cells,
    and a bidirectional one has two recurrent layers.
    """
    if hasattr(layer, "forward_layer"):
        forward = _kernels_of(layer.forward_layer, f"{prefix}forward_")
        return forward + _kernels_of(layer.backward_layer, f"{prefix}backward_")
    if hasattr(layer, "cells"):
        cells = enumerate(layer.cells)
        return [k for i, cell in cells for k in _kernels_of(cell, f"{prefix}{i}_")]
    if hasattr(layer, "cell"):
        return _kernels_of(layer.cell, prefix)
    names = [name for name in KERNELS if getattr(layer, name, None) is not None]
    return [(prefix + KERNELS[name], getattr(layer, name), layer) for name in names]


def _without_kernel(layer: Any) -> ValueError:
    return ValueError(
        f"{type(layer).__name__} object has no attribute 'kernel' nor 'embeddings'"
    )


def _output_axes(kernel: Any, layer: Any) -> list[int]:
    """The axes of a kernel along which the output channels of its layer lie."""
    last = len(kernel.shape) - 1
    if hasattr(layer, "equation"):  # an EinsumDense
        _, w_axes, y_axes = re.split(",|->", layer.equation)
        return [a for a, letter in enumerate(w_axes) if letter in y_axes]
    if hasattr(layer, "output_padding"):  # transposed: (..., filters, channels)
        return [last - 1]
    is_pointwise = kernel is getattr(layer, "pointwise_kernel", None)
    if hasattr(layer, "depth_multiplier") and not is_pointwise:
        return [last - 1, last]  # depthwise: (..., channels, multiplier)
    return [last]
