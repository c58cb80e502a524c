"""TimeDistributed: one layer for every step of a sequence, each on its own."""

from typing import Any

import keras
from keras import ops

from ..common.types import Config, Shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TimeDistributed(keras.layers.Wrapper):
    """One layer for every step of a sequence: y[:, t] = layer(x[:, t]).

    All steps of all sequences make one batch of B T samples, which the inner layer sees
    in a single call.

    Args:
        layer: the layer to run, such as a Conv2D for the frames of a video.

    Call: inputs, training, and a mask (B, T, ...), of which the inner layer gets the
        steps if its call has a `mask`. The output's mask has a step where any place
        within it counts, unless the inner layer has a mask for these places.
    Input shape: (B, T, ...), one tensor. Output shape: (B, T, ...).
    Raises: ValueError for a layer that is none, for an input of fewer than three axes
        and for a mask of other sequences.
    Differs from Keras, which calls the layer once per step: batch normalization counts
        all steps as one batch; dropout draws other numbers; the inner layer's penalty
        on its output counts; a mask (B, T, S) of the places within the steps becomes a
        mask (B, T) behind a layer that ends these places, such as an LSTM;
        `from_config` leaves its argument as it is.

    Each sentence of a text becomes one vector, then the vectors are read in order:

    >>> text = keras.ops.array([[[3, 1, 2], [4, 4, 0]], [[2, 0, 0], [0, 0, 0]]])
    >>> words = keras.layers.Embedding(5, 6, mask_zero=True)(text)
    >>> sentences = TimeDistributed(keras.layers.LSTM(4))(words)
    >>> one_by_one = keras.layers.LSTM(3)
    >>> y = one_by_one(sentences)  # the last sentence of the second text is padding
    >>> shorter = one_by_one(sentences[1:, :1])
    >>> bool(keras.ops.max(keras.ops.abs(y[1:] - shorter)) < 1e-6)
    True

    Paper: Yang, Yang, Dyer, He, Smola, Hovy, "Hierarchical attention networks for
    document classification", 2016. https://aclanthology.org/N16-1174
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any) -> None:
        if not isinstance(layer, keras.layers.Layer):
            raise ValueError(
                "Please initialize `TimeDistributed` layer with a "
                f"`keras.layers.Layer` instance. Received: {layer}"
            )
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        super().build(_shape_of_steps(input_shape))

    def call(self, inputs, training: bool | None = None, mask=None):
        if mask is not None:
            mask = ops.convert_to_tensor(mask)
            _check_mask(mask, inputs)
            mask = _as_one_batch(mask)
        given = {"training": training, "mask": mask}
        taken = self.layer.call_signature_parameters
        options = {k: v for k, v in given.items() if k in taken and v is not None}
        y = self.layer(_as_one_batch(inputs), **options)  # B T, ...
        if keras.backend.is_float_dtype(y.dtype):
            y = ops.cast(y, self.compute_dtype)
        return _as_sequences(y, inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        shape = self.layer.compute_output_shape(_shape_of_steps(input_shape))
        return (*input_shape[:2], *shape[1:])

    def compute_mask(self, inputs, mask):
        within = self.layer.compute_mask(inputs, mask)
        if within is not None or mask is None or len(mask.shape) == 2:
            return mask if within is None else within
        return ops.any(mask, axis=tuple(range(2, len(mask.shape))))

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict | None = None
    ) -> "TimeDistributed":
        """The layer that the configuration describes, which stays as it is."""
        return super().from_config(dict(config), custom_objects)


def _as_one_batch(x):
    """x (B, T, ...) as (B T, ...)."""
    return ops.reshape(x, (-1, *ops.shape(x)[2:]))


def _as_sequences(y, inputs):
    """y (B T, ...) as (B, T, ...), with B and T of the inputs."""
    return ops.reshape(y, (*ops.shape(inputs)[:2], *ops.shape(y)[1:]))


def _shape_of_steps(input_shape):
    """The shape (B T, ...) of all steps, from that of the sequences (B, T, ...)."""
    if not isinstance(input_shape, tuple | list) or len(input_shape) < 3:
        raise ValueError(
            "`TimeDistributed` Layer should be passed an `input_shape` with at least "
            f"3 dimensions, received: {input_shape}"
        )
    batch, steps, *shape = input_shape
    is_known = batch is not None and steps is not None
    return (batch * steps if is_known else None, *shape)


def _check_mask(mask, inputs):
    """Raises a ValueError for a mask that is not one of these sequences."""
    sizes = zip(mask.shape[:2], inputs.shape[:2])
    differ = any(None not in pair and pair[0] != pair[1] for pair in sizes)
    if differ or len(mask.shape) < 2:
        raise ValueError(
            "The `mask` passed to the `TimeDistributed` layer has a shape "
            f"{tuple(mask.shape)} that is incompatible with the input shape "
            f"{tuple(inputs.shape)}: its first axes must be (B, T), those of the input."
        )
