"""ELU as a layer."""

from typing import Any

import keras

from ...activations.elu import elu
from ...common.checks import python_number
from ...common.inputs import as_floats
from ...common.private_keras import build_at_init
from ...common.types import Config, Shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ELU(keras.layers.Layer):
    """Exponential linear unit as a layer.

    y = x                     if x > 0
    y = alpha * (e^x - 1)     otherwise

    Args:
        alpha: minus the value that very negative inputs approach.

    Input and output shape: any, the same.

    >>> float(ELU(alpha=0.5)(keras.ops.array(-1000.0)))
    -0.5

    Paper: Clevert, Unterthiner, Hochreiter, "Fast and accurate deep network learning
    by exponential linear units (ELUs)", 2015. https://arxiv.org/abs/1511.07289
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = python_number(alpha)
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs):
        return elu(as_floats(inputs, self.compute_dtype), self.alpha)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {**super().get_config(), "alpha": self.alpha}
