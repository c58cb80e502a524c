"""Parametric ReLU: a leaky ReLU that learns its slopes."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.inputs import as_floats
from ...common.types import Config, Constraint, Initializer, Regularizer, Shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class PReLU(keras.layers.Layer):
    """Parametric ReLU, which learns its slopes below zero.

    y = max(x, 0) - alpha * max(-x, 0)

    Args:
        alpha_initializer: start value of alpha, the slopes.
        alpha_regularizer: penalty on alpha.
        alpha_constraint: projection of alpha after each optimizer step.
        shared_axes: axes, counted from 1, whose entries share one slope: [1, 2] gives
            one slope to each channel of a (B, H, W, C) image.

    Input and output shape: any with the batch axis first, the same.
    Raises: ValueError for shared_axes that the input lacks, and where an axis that is
        not shared has an unknown size.
    Differs from Keras: in these two cases Keras fails later, with an IndexError or a
        message that does not name the argument.

    >>> slopes = keras.initializers.Constant([0.5, 0.25])  # training changes them
    >>> y = PReLU(slopes)(keras.ops.array([[-2.0, -2.0], [3.0, 3.0]]))
    >>> y.numpy().tolist()  # each unit has a slope of its own
    [[-1.0, -0.5], [3.0, 3.0]]

    Paper: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015.
    https://arxiv.org/abs/1502.01852
    """

    def __init__(
        self,
        alpha_initializer: Initializer = "Zeros",
        alpha_regularizer: Regularizer = None,
        alpha_constraint: Constraint = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = keras.initializers.get(alpha_initializer)
        self.alpha_regularizer = keras.regularizers.get(alpha_regularizer)
        self.alpha_constraint = keras.constraints.get(alpha_constraint)
        shared_axes = python_number(shared_axes)
        if isinstance(shared_axes, int):
            shared_axes = [shared_axes]
        self.shared_axes = None if shared_axes is None else list(shared_axes)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        shared = self.shared_axes or []
        if not set(shared) <= set(range(1, len(input_shape))):
            raise ValueError(
                "`shared_axes` must be axes of the input after the batch. Received: "
                f"shared_axes={self.shared_axes}, input_shape={input_shape}"
            )
        shape = [1 if i in shared else n for i, n in enumerate(input_shape)]
        if None in shape[1:]:
            raise ValueError(
                "Every axis of unknown size must be in `shared_axes`. Received: "
                f"shared_axes={self.shared_axes}, input_shape={input_shape}"
            )
        self.alpha = self.add_weight(
            name="alpha",
            shape=shape[1:],
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        own = set(range(1, len(shape))) - set(shared) if shared else ()
        axes = {i: shape[i] for i in own}
        self.input_spec = keras.layers.InputSpec(ndim=len(shape), axes=axes)

    def call(self, inputs):
        inputs = as_floats(inputs, self.compute_dtype)
        # Adding -alpha costs less than subtracting alpha * ...: the gradient of a
        # difference would negate an array of the size of x.
        return ops.relu(inputs) + -self.alpha * ops.relu(-inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "alpha_initializer": keras.initializers.serialize(self.alpha_initializer),
            "alpha_regularizer": keras.regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": keras.constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
