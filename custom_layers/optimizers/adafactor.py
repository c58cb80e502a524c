"""Adafactor: a second moment of rows and columns instead of single weights."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.types import Config, LearningRate
from .base import _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Adafactor(_StepOptimizer):
    """Adafactor: Adam's v of a matrix, kept as one number per row and one per column.

    beta = 1 - t^beta_2_decay;  s = g^2 + epsilon_1
    matrix:  r = beta * r + (1 - beta) * mean of s over columns
             c = beta * c + (1 - beta) * mean of s over rows
             v = r * c / mean(r)
    vector:  v = beta * v + (1 - beta) * s
    u = g / sqrt(v)
    alpha = min(lr, 1 / sqrt(t)) * max(epsilon_2, rms(w))
    w = w - alpha * u / max(1, rms(u) / clip_threshold)

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_2_decay: how fast beta goes to 1, < 0.
        epsilon_1, epsilon_2: lower bounds of g^2 and of the size of w.
        clip_threshold: upper bound of the update's root mean square.
        relative_step: kept for Keras's sake; 1 / sqrt(t) always bounds the rate.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Variables of rank above 2: their last two axes are the matrices.
    Differs from Keras: the arguments of the base class are keyword-only; where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped or squared.
    As in Keras, v is kept as a slot too, so that states can be exchanged: no memory is
    saved.

    >>> w = keras.Variable([3.0, 4.0])
    >>> Adafactor(0.1).apply([[1.0, -1.0]], [w])
    >>> print(w.numpy().round(3))
    [2.646 4.354]

    Paper: Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory
    cost", 2018, https://arxiv.org/abs/1804.04235
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_2_decay = python_number(beta_2_decay)
        self.epsilon_1 = python_number(epsilon_1)
        self.epsilon_2 = python_number(epsilon_2)
        self.clip_threshold = python_number(clip_threshold)
        self.relative_step = python_number(relative_step)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        self._rows, self._columns, self._velocities = [], [], []
        for variable in variables:
            r = c = v = None
            if not getattr(variable, "overwrite_with_gradient", False):
                of_rows, of_columns = _shapes_of_means(variable.shape)
                dtype, name = variable.dtype, variable.name
                r = self.add_variable(of_rows, dtype=dtype, name=name)
                c = self.add_variable(of_columns, dtype=dtype, name=name)
                v = self.add_variable_from_reference(variable, "velocity")
            self._rows.append(r)
            self._columns.append(c)
            self._velocities.append(v)

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        def rates(t, lr):
            return ops.minimum(lr, 1 / ops.sqrt(t)), ops.power(t, self.beta_2_decay)

        lr, one_minus_beta = self._once_per_step(rates, variable, learning_rate)
        index = slot_index(self, variable)
        r = self._rows[index]
        c = self._columns[index]
        v = self._velocities[index]
        g = ops.cast(gradient, variable.dtype)
        s = ops.add(ops.square(g), self.epsilon_1)

        # beta * r + (1 - beta) * mean = r + (1 - beta) * (mean - r), and so with c, v.
        if len(variable.shape) >= 2:
            mean_of_rows, mean_of_columns = ops.mean(s, axis=-1), ops.mean(s, axis=-2)
            self.assign_add(r, one_minus_beta * ops.subtract(mean_of_rows, r))
            self.assign_add(c, one_minus_beta * ops.subtract(mean_of_columns, c))
            share_of_row = r / ops.mean(r, axis=-1, keepdims=True)
            outer = ops.expand_dims(share_of_row, -1) * ops.expand_dims(c, -2)
            self.assign(v, outer)
        else:
            self.assign_add(v, one_minus_beta * ops.subtract(s, v))
        u = ops.divide(g, ops.sqrt(v))
        alpha = lr * ops.maximum(_rms(variable), self.epsilon_2)
        alpha = alpha / ops.maximum(_rms(u) / self.clip_threshold, 1)
        self.assign_sub(variable, ops.multiply(alpha, u))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }


def _rms(x):
    """The root mean square."""
    return ops.sqrt(ops.mean(ops.square(x)))


def _shapes_of_means(shape: tuple) -> tuple[tuple, tuple]:
    """The shapes of r and c; a vector does not use them, and they are scalars."""
    if len(shape) < 2:
        return (), ()
    *batch, rows, columns = shape
    return (*batch, rows), (*batch, columns)
