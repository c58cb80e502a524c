"""Snake as a layer that learns its frequency."""

from typing import Any

import keras

from ...activations.snake import snake
from ...common.checks import python_number
from ...common.inputs import as_floats
from ...common.types import Config, Constraint, Initializer, Regularizer, Shape
from .axes import _shape_along


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Snake(keras.layers.Layer):
    """Snake that learns its frequency, for series that repeat.

    y = x + sin(a x)^2 / a

    Args:
        frequency_initializer: start value of a. The paper starts at 5 to 50 where
            periods are known to be short.
        frequency_regularizer: penalty on a.
        frequency_constraint: projection of a after each optimizer step.
        axis: axis that has an a for each of its entries; None means one a in all.

    Input and output shape: any with the batch axis first, the same.
    Raises: ValueError where `axis` is the batch axis or has an unknown size.
    Keras has no such class.

    A network of this layer repeats itself where it has seen nothing: after one period,
    pi / a, its output is higher by the same step everywhere.

    >>> layer = Snake(frequency_initializer=keras.initializers.Constant(2.0))
    >>> x = keras.ops.array([[0.0], [0.5], [1.0]])
    >>> period = 3.14159265 / 2
    >>> [round(float(step), 4) for step in layer(x + period)[:, 0] - layer(x)[:, 0]]
    [1.5708, 1.5708, 1.5708]

    Paper: Ziyin, Hartwig, Ueda, "Neural networks fail to learn periodic functions and
    how to fix it", 2020. https://arxiv.org/abs/2006.08195
    """

    def __init__(
        self,
        frequency_initializer: Initializer = "ones",
        frequency_regularizer: Regularizer = None,
        frequency_constraint: Constraint = None,
        axis: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.frequency_initializer = keras.initializers.get(frequency_initializer)
        self.frequency_regularizer = keras.regularizers.get(frequency_regularizer)
        self.frequency_constraint = keras.constraints.get(frequency_constraint)
        self.axis = python_number(axis)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        is_scalar = self.axis is None  # which fits inputs of any rank
        self.frequency = self.add_weight(
            name="frequency",
            shape=() if is_scalar else _shape_along(self.axis, input_shape),
            initializer=self.frequency_initializer,
            regularizer=self.frequency_regularizer,
            constraint=self.frequency_constraint,
        )

    def call(self, inputs):
        return snake(as_floats(inputs, self.compute_dtype), self.frequency)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        initializer = keras.initializers.serialize(self.frequency_initializer)
        regularizer = keras.regularizers.serialize(self.frequency_regularizer)
        constraint = keras.constraints.serialize(self.frequency_constraint)
        return {
            **super().get_config(),
            "frequency_initializer": initializer,
            "frequency_regularizer": regularizer,
            "frequency_constraint": constraint,
            "axis": self.axis,
        }
