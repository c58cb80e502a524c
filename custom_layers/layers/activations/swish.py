"""Swish with a learned steepness; without it, swish is `activations.silu`."""

from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.inputs import as_floats
from ...common.types import Config, Constraint, Initializer, Regularizer, Shape
from .axes import _shape_along


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Swish(keras.layers.Layer):
    """Swish that learns its steepness beta, one for each channel.

    y = x * sigmoid(beta * x): x / 2 at beta = 0, SiLU at 1, near ReLU for a large beta

    Args:
        axis: axis that has a beta for each of its entries; None means one beta in all.
        beta_initializer: start value of beta.
        beta_regularizer: penalty on beta.
        beta_constraint: projection of beta after each optimizer step.

    Input and output shape: any with the batch axis first, the same.
    Raises: ValueError where `axis` is the batch axis or has an unknown size.

    >>> beta = keras.initializers.Constant([0.0, 1.0, 1000.0])
    >>> y = Swish(beta_initializer=beta)(keras.ops.array([[2.0, 2.0, 2.0]]))
    >>> [round(float(v), 2) for v in y[0]]  # x / 2, SiLU, ReLU
    [1.0, 1.76, 2.0]

    Paper: Ramachandran, Zoph, Le, "Searching for activation functions", 2017.
    https://arxiv.org/abs/1710.05941
    """

    def __init__(
        self,
        axis: int | None = -1,
        beta_initializer: Initializer = "ones",
        beta_regularizer: Regularizer = None,
        beta_constraint: Constraint = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = python_number(axis)
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.beta_regularizer = keras.regularizers.get(beta_regularizer)
        self.beta_constraint = keras.constraints.get(beta_constraint)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        self.beta = self.add_weight(
            name="beta",
            shape=_shape_along(self.axis, input_shape),
            initializer=self.beta_initializer,
            regularizer=self.beta_regularizer,
            constraint=self.beta_constraint,
        )

    def call(self, inputs):
        inputs = as_floats(inputs, self.compute_dtype)
        return inputs * ops.sigmoid(self.beta * inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "axis": self.axis,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "beta_regularizer": keras.regularizers.serialize(self.beta_regularizer),
            "beta_constraint": keras.constraints.serialize(self.beta_constraint),
        }
