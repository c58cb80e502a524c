"""What spectral and weight normalization share: a wrapper of a layer with a kernel."""

from typing import Any

import keras

from ...common.types import Config, Shape


class _KernelWrapper(keras.layers.Wrapper):
    """A wrapper whose `kernel` is the kernel of its layer, or its table of vectors."""

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self.input_spec = keras.layers.InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        if hasattr(self.layer, "kernel"):
            self.kernel = self.layer.kernel
        elif hasattr(self.layer, "embeddings"):
            self.kernel = self.layer.embeddings
        else:
            raise ValueError(
                f"{type(self.layer).__name__} object has no attribute 'kernel' nor "
                "'embeddings'"
            )

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.compute_output_shape(input_shape)

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict[str, Any] | None = None
    ) -> "_KernelWrapper":
        """The wrapper that the configuration describes.

        Keras's method removes the layer from the dict that it is given; this one leaves
        the caller's dict as it is.
        """
        return super().from_config(dict(config), custom_objects)
