"""The base of all optimizers, for a script that runs on one device."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

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
