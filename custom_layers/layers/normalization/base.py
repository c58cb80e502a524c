"""What the layers of this room share: gamma, beta and their options."""

from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.types import Axes, Config, Constraint, Initializer, Regularizer, Shape


class _Normalization(keras.layers.Layer):
    """A layer with gamma and beta, and the options of both."""

    def __init__(
        self,
        *,
        axis: Axes,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Initializer,
        gamma_initializer: Initializer,
        beta_regularizer: Regularizer,
        gamma_regularizer: Regularizer,
        beta_constraint: Constraint,
        gamma_constraint: Constraint,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = python_number(axis)
        self.epsilon = python_number(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.beta_regularizer = keras.regularizers.get(beta_regularizer)
        self.gamma_regularizer = keras.regularizers.get(gamma_regularizer)
        self.beta_constraint = keras.constraints.get(beta_constraint)
        self.gamma_constraint = keras.constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma = None
        self.beta = None
        self._sizes: Shape = ()

    def _add_gamma(self, shape: Shape) -> None:
        self.gamma = self.add_weight(
            name="gamma",
            shape=shape,
            initializer=self.gamma_initializer,
            regularizer=self.gamma_regularizer,
            constraint=self.gamma_constraint,
            autocast=False,
        )

    def _add_beta(self, shape: Shape) -> None:
        self.beta = self.add_weight(
            name="beta",
            shape=shape,
            initializer=self.beta_initializer,
            regularizer=self.beta_regularizer,
            constraint=self.beta_constraint,
            autocast=False,
        )

    def _gamma_and_beta(self, dtype: str, shape: list):
        """Both in that dtype and shape; 1 and 0 where the layer has none."""
        if self.gamma is None:
            gamma = ops.full(shape, 1, dtype)
        else:
            gamma = ops.reshape(ops.cast(self.gamma, dtype), shape)
        if self.beta is None:
            beta = ops.full(shape, 0, dtype)
        else:
            beta = ops.reshape(ops.cast(self.beta, dtype), shape)
        return gamma, beta

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        _positive_axes(self.axis, input_shape)
        return input_shape

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "beta_regularizer": keras.regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": keras.regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": keras.constraints.serialize(self.beta_constraint),
            "gamma_constraint": keras.constraints.serialize(self.gamma_constraint),
        }


def _positive_axes(axis: Axes, shape: Shape) -> list[int]:
    """The axes as a sorted list of numbers from 0.

    Raises: ValueError for an axis that the shape lacks.
    """
    axes = [axis] if isinstance(axis, int) else axis
    for a in axes:
        if not -len(shape) <= a < len(shape):
            raise ValueError(
                f"Axis {a} is out of bounds for input shape {shape}. "
                f"Received: axis={axis}"
            )
    return sorted(a % len(shape) for a in axes)


def _along(axes: list[int], sizes: Shape, rank: int) -> list[int]:
    """A shape of `rank` axes with these sizes along `axes`, and 1 along the others.

    The sizes are those that the layer was built for: a call may be traced with an
    unknown size. A layer without gamma and beta may know none, and needs none.
    """
    shape = [1] * rank
    for a, size in zip(axes, sizes):
        shape[a] = 1 if size is None else size
    return shape


def _checked_axis(axis: Any) -> int | list[int]:
    """An integer, or several as a list.

    Raises: TypeError for anything else.
    """
    axis = python_number(axis)
    if not isinstance(axis, int | list | tuple):
        raise TypeError(
            "Expected an int or a list/tuple of ints for the argument 'axis', but "
            f"received: {axis!r}"
        )
    return axis if isinstance(axis, int) else list(axis)
