"""Yogi: Adam whose v cannot grow suddenly."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.rows import dense
from ..common.types import Config, LearningRate
from .base import _BetaOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Yogi(_BetaOptimizer):
    """Yogi: Adam whose v moves by steps that do not depend on how far it is from g^2.

    m = beta_1 * m + (1 - beta_1) * g
    v = v - (1 - beta_2) * sign(v - g^2) * g^2
    w = w - lr * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)

    Where gradients become small, Adam forgets v fast and its steps become long; Yogi
    forgets it slowly.

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2: decay rates of m and v.
        epsilon: added to the root of v.
        initial_accumulator_value: start value of v.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Not in Keras. It is TensorFlow Addons' Yogi, without the penalties l1 and l2 and
    with the sign of the paper; a `tanh` in its place is missing.

    >>> w = keras.Variable([1.0, 1.0])
    >>> Yogi(0.1, epsilon=0.0, initial_accumulator_value=0.0).apply([[4.0, -0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.9 1.1]

    Paper: Zaheer, Reddi, Sachan, Kale and Kumar, "Adaptive methods for nonconvex
    optimization", 2018, https://papers.nips.cc/paper/8186
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-3,
        initial_accumulator_value: float = 1e-6,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.initial_accumulator_value = python_number(initial_accumulator_value)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        start = keras.initializers.Constant(self.initial_accumulator_value)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"], initializer=["zeros", start]
        )

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        def rate(t, lr, beta_1, beta_2):
            return lr * ops.sqrt(1 - beta_2**t) / (1 - beta_1**t)

        alpha = self._once_per_step(
            rate, variable, learning_rate, self.beta_1, self.beta_2
        )
        index = slot_index(self, variable)
        m, v = self._momentums[index], self._velocities[index]
        g = ops.cast(dense(gradient), variable.dtype)

        # beta * m + (1 - beta) * g = m + (1 - beta) * (g - m)
        self.assign_add(m, (1 - self.beta_1) * ops.subtract(g, m))
        square = ops.square(g)
        self.assign_sub(v, (1 - self.beta_2) * ops.sign(v - square) * square)
        self.assign_sub(variable, alpha * m / (ops.sqrt(v) + self.epsilon))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
        }
