"""What biases of attention scores by position share: their call, and copies of them."""

from typing import Any

import keras
from keras import ops

from ...common.checks import known_sizes
from ...common.inputs import as_floats
from ...common.types import Config


class _PositionBias(keras.layers.Layer):
    """A number for each head, query and key, which is added to their score.

    A subclass computes `bias` from the positions; `heads` is known once it is built.
    """

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) < 3:
            raise ValueError(
                f"{type(self).__name__} takes scores (..., heads, T, S): got the shape "
                f"{tuple(input_shape)}."
            )
        (self.heads,) = known_sizes(input_shape, [-3], self)

    def call(self, inputs, start_index: int = 0):
        scores = as_floats(inputs, self.compute_dtype)
        T, S = ops.shape(scores)[-2:]
        return scores + ops.cast(self.bias(T, S, start_index), scores.dtype)

    def bias(self, queries: Any, keys: Any, start_index: Any = 0) -> Any:
        """The bias (heads, queries, keys); the first query stands at `start_index`."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> Config:
        return super().get_config()  # Keras would guess it from the arguments


def _relative_positions(queries, keys, start_index):
    """j - i for the positions j of the keys and i of the queries, (queries, keys)."""
    i = ops.arange(queries, dtype="int32") + ops.cast(start_index, "int32")
    j = ops.arange(keys, dtype="int32")
    return j - ops.expand_dims(i, -1)


def _own_copy(layer, dtype):
    """A new layer like this one, which may be a configuration; None for None."""
    if layer is None:
        return None
    if isinstance(layer, dict):
        unbuilt = {key: layer[key] for key in layer if key != "build_config"}
        layer = keras.layers.deserialize(unbuilt)
    is_layer = isinstance(layer, keras.layers.Layer)
    if not is_layer or not callable(getattr(layer, "bias", None)):
        raise ValueError(
            "The `position_bias` argument must be a layer such as ALiBi() or "
            f"RelativePositionBias(), or None. Received: position_bias={layer!r}"
        )
    return type(layer).from_config({**layer.get_config(), "dtype": dtype})
