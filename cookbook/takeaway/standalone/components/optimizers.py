"""The base of all optimizers, for a script that runs on one device."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from custom_layers.common.private_keras import slot_index
from custom_layers.common.rows import with_each_row_once


class _StepOptimizer(keras.optimizers.Optimizer):
    """Keras's Optimizer, with numbers that are computed once per step.

    Keras calls `update_step` for every variable of the model, but some numbers, such as
    Adam's bias corrections, are the same for all variables of a step.

    In every `update_step`, `self.assign_add(m, x)` is the paper's m = m + x, and a
    running average b * m + (1 - b) * g is written m + (1 - b) * (g - m).
    """

    # {name of a formula: its result} while `apply` runs
    _numbers_of_step: dict[str, Any] | None = None

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        self._numbers_of_step = {}
        super().apply([with_each_row_once(g) for g in grads], trainable_variables)
        self._numbers_of_step = None

    def _once_per_step(self, formula: Callable, variable: Any, *numbers: Any) -> Any:
        """formula(t, *numbers), where t = 1, 2, 3, ... is the number of this step."""
        known = {} if self._numbers_of_step is None else self._numbers_of_step
        if formula.__name__ not in known:
            numbers = self.iterations + 1, *numbers
            floats = [ops.cast(number, variable.dtype) for number in numbers]
            known[formula.__name__] = formula(*floats)
        return known[formula.__name__]


class Adam(_StepOptimizer):
    """Adam: momentum over RMSprop, both averages corrected for their start at zero.

    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g^2
    alpha = lr * sqrt(1 - beta_2^t) / (1 - beta_1^t)
    w = w - alpha * m / (sqrt(v) + epsilon)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables: list) -> None:
        if not self.built:
            super().build(variables)
            slots = self.add_optimizer_variables(variables, ["momentum", "velocity"])
            self._momentums, self._velocities = slots

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        def step_size(t, lr, beta_1, beta_2):
            return lr * ops.sqrt(1 - beta_2**t) / (1 - beta_1**t)

        index = slot_index(self, variable)
        m, v = self._momentums[index], self._velocities[index]
        g = ops.cast(gradient, variable.dtype)
        self.assign_add(m, (1 - self.beta_1) * ops.subtract(g, m))
        self.assign_add(v, (1 - self.beta_2) * ops.subtract(ops.square(g), v))
        alpha = self._once_per_step(
            step_size, variable, learning_rate, self.beta_1, self.beta_2
        )
        self.assign_sub(variable, alpha * m / (ops.sqrt(v) + self.epsilon))
