"""A layer that adds a penalty on its input to the loss."""

from typing import Any

import keras

from ..common.checks import python_number
from ..common.inputs import as_floats
from ..common.private_keras import build_at_init
from ..common.types import Config, Shape
from ..regularizers import L1L2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ActivityRegularization(keras.layers.Layer):
    """Layer that passes x on and adds a penalty on its size to the loss.

    y = x
    loss = (l1 * sum(|x|) + l2 * sum(x^2)) / B, where B is the batch size

    The penalty l1 makes activations sparse: many become 0.

    Args:
        l1, l2: strengths, finite numbers >= 0.

    Input and output shape: any with the batch axis first, the same.
    Raises: ValueError for a strength that is negative, infinite or not a number.
    Differs from Keras: integers become floats.

    >>> layer = ActivityRegularization(l1=0.5)
    >>> y = layer(keras.ops.array([[1.0, -2.0]]))
    >>> float(layer.losses[0])
    1.5

    Paper: Olshausen and Field, "Emergence of simple-cell receptive field properties
    by learning a sparse code for natural images", 1996. https://doi.org/10.1038/381607a0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = python_number(l1)
        self.l2 = python_number(l2)
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs):
        return as_floats(inputs, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return {**config, "l1": self.l1, "l2": self.l2}
