"""Thresholded linear unit: a ReLU that learns where it bends."""

from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.inputs import as_floats
from ...common.types import Config, Constraint, Initializer, Regularizer, Shape
from .axes import _shape_along


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TLU(keras.layers.Layer):
    """Thresholded linear unit: a ReLU with a learned threshold for each channel.

    y = max(x, tau);  affine: y = max(x, alpha * x + tau)

    It follows a `FilterResponseNormalization`, which does not subtract the mean: there
    the threshold 0 of a ReLU would pass all values of a channel, or none. Where beta is
    trained too, max(x + beta, tau) = max(x, tau - beta) + beta: a shifted ReLU.

    Args:
        affine: whether alpha is learned too, so that the unit may leak.
        tau_initializer, alpha_initializer: start values of tau and alpha; zeros make
            the unit a ReLU.
        tau_regularizer, alpha_regularizer: penalties on them.
        tau_constraint, alpha_constraint: projections of them after each step.
        axis: axis that has a tau for each of its entries; None means one tau in all.

    Input and output shape: any with the batch axis first, the same.
    Raises: ValueError where `axis` is the batch axis or has an unknown size.
    Keras has no such class. TensorFlow Addons has a tau for each entry of a sample; the
    paper has one for each channel.

    A ReLU would pass all of a channel whose values lie around 5:

    >>> x = keras.ops.array([[4.0], [5.0], [7.0]])
    >>> tlu = TLU(tau_initializer=keras.initializers.Constant(5.0))
    >>> [float(y) for y in tlu(x)[:, 0]]
    [5.0, 5.0, 7.0]

    Paper: Singh, Krishnan, "Filter response normalization layer: eliminating batch
    dependence in the training of deep neural networks", 2019.
    https://arxiv.org/abs/1911.09737
    """

    def __init__(
        self,
        affine: bool = False,
        tau_initializer: Initializer = "zeros",
        tau_regularizer: Regularizer = None,
        tau_constraint: Constraint = None,
        alpha_initializer: Initializer = "zeros",
        alpha_regularizer: Regularizer = None,
        alpha_constraint: Constraint = None,
        axis: int | None = -1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.affine = affine
        self.tau_initializer = keras.initializers.get(tau_initializer)
        self.tau_regularizer = keras.regularizers.get(tau_regularizer)
        self.tau_constraint = keras.constraints.get(tau_constraint)
        self.alpha_initializer = keras.initializers.get(alpha_initializer)
        self.alpha_regularizer = keras.regularizers.get(alpha_regularizer)
        self.alpha_constraint = keras.constraints.get(alpha_constraint)
        self.axis = python_number(axis)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        shape = _shape_along(self.axis, input_shape)
        self.tau = self.add_weight(
            name="tau",
            shape=shape,
            initializer=self.tau_initializer,
            regularizer=self.tau_regularizer,
            constraint=self.tau_constraint,
        )
        if self.affine:
            self.alpha = self.add_weight(
                name="alpha",
                shape=shape,
                initializer=self.alpha_initializer,
                regularizer=self.alpha_regularizer,
                constraint=self.alpha_constraint,
            )

    def call(self, inputs):
        x = as_floats(inputs, self.compute_dtype)
        if self.affine:
            # JAX's gradient of a maximum compares it with both again. Compiled, a line
            # may be rounded differently there, and then neither would get a gradient.
            line = self.alpha * x + self.tau
            return ops.where(x > line, x, line)
        return ops.maximum(x, self.tau)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "affine": self.affine,
            "tau_initializer": keras.initializers.serialize(self.tau_initializer),
            "tau_regularizer": keras.regularizers.serialize(self.tau_regularizer),
            "tau_constraint": keras.constraints.serialize(self.tau_constraint),
            "alpha_initializer": keras.initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": keras.regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": keras.constraints.serialize(self.alpha_constraint),
            "axis": self.axis,
        }
