"""What the optimizers share: checks, arguments, and numbers computed once per step."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_optimizers import AveragesOfSteps, SumsOfRows, UpdatesInPrograms
from ..common.rows import dense, with_each_row_once
from ..common.types import Config, LearningRate
from .fused import UpdatedVariable, outside_of_programs, pieces_to_fuse, update


def _decay_rate(value: float, name: str) -> float:
    """`value`, the decay rate of a running average.

    Raises: ValueError for a value outside [0, 1).
    """
    if not 0 <= value < 1:
        raise ValueError(
            f"`{name}` must be at least 0 and below 1, such as 0.9. "
            f"Received: {name}={value}"
        )
    return python_number(value)


class _StepOptimizer(UpdatesInPrograms, SumsOfRows, AveragesOfSteps):
    """Keras's Optimizer, with numbers that are computed once per step.

    `apply` first adds up the gradients of each row of an embedding: a token that occurs
    more than once in a batch has one for each place, and Keras squares and clips them
    one by one.

    Keras calls `update_step` once for every variable of the model, but some numbers,
    such as Adam's bias corrections, are the same for all variables of a step.
    `update_step` states their formula and computes it by `_once_per_step`.

    In every `update_step`, `self.assign_add(m, x)` is the paper's m = m + x. A running
    average b * m + (1 - b) * g is written m + (1 - b) * (g - m), which is the same
    number with one multiplication less. `ops.subtract(g, m)` stands where g may be the
    gradient of an Embedding, whose rows TensorFlow does not subtract by `g - m`.
    """

    def __init__(self, learning_rate: LearningRate, **kwargs: Any) -> None:
        options = {name: python_number(value) for name, value in kwargs.items()}
        super().__init__(learning_rate=python_number(learning_rate), **options)

    # Whether `update_step` may be compiled once for all variables of equal shape: if it
    # uses the variable, its slots and what belongs to the whole optimizer, and does not
    # look at the variable's name or position. A class says so beside its `update_step`.
    same_for_equal_shapes = False

    # What programs update while `apply` runs; a function, because Keras tracks lists.
    _calls_of_programs: Callable | None = None

    # {(name of a formula, dtype): its result} while `apply` runs
    _numbers_of_step: dict[tuple[str, str], Any] | None = None

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        self._numbers_of_step = {}
        # Keras divides gradients by `loss_scale_factor`, which fails for rows.
        summed = with_each_row_once if self.loss_scale_factor is None else dense
        grads = [summed(g) for g in grads]
        try:
            super().apply(grads, trainable_variables)
        finally:
            self._numbers_of_step = None

    def choose_programs(self, grads: list, variables: list) -> frozenset[int]:
        calls = pieces_to_fuse(self, grads, variables)
        self._calls_of_programs = lambda: calls
        return frozenset(piece.position for call in calls for piece in call)

    def run_programs(self, grads: dict[int, Any], learning_rate: Any) -> None:
        if self._calls_of_programs is not None:
            update(self, self._calls_of_programs(), grads, learning_rate)

    def update_piece(
        self, piece: UpdatedVariable, gradient: Any, learning_rate: Any
    ) -> None:
        """The update of one variable, as it is traced into a program."""
        w = piece.variable
        self._position_in_program = piece.position
        try:
            if piece.decay:
                self.assign_sub(w, w * piece.decay * ops.cast(learning_rate, w.dtype))
            self.update_step(gradient, w, learning_rate)
        finally:
            self._position_in_program = None

    def _once_per_step(self, formula: Callable, variable: Any, *numbers: Any) -> Any:
        """formula(t, *numbers), computed for the first variable of each dtype only.

        t is the number of this step: 1, 2, 3, ... The formula receives all numbers as
        tensors of the variable's dtype. For 16 bits, in which 1 - 0.999^t would be
        zero, it receives them in 32, and only its result has 16.
        """
        dtype = keras.backend.standardize_dtype(variable.dtype)
        known = {} if self._numbers_of_step is None else self._numbers_of_step
        key = (formula.__name__, dtype)
        if key in known:
            return known[key]
        with outside_of_programs(self, numbers) as is_shared:
            wide = "float32" if dtype in ("float16", "bfloat16") else dtype
            t = ops.cast(self.iterations + 1, wide)
            result = formula(t, *(ops.cast(number, wide) for number in numbers))
            if wide != dtype:
                result = keras.tree.map_structure(lambda x: ops.cast(x, dtype), result)
        if is_shared:
            known[key] = result
        return result


class _BetaOptimizer(_StepOptimizer):
    """An optimizer with the arguments of Adam: beta_1, beta_2 and epsilon."""

    def __init__(
        self,
        learning_rate: LearningRate,
        beta_1: float,
        beta_2: float,
        epsilon: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta_1 = _decay_rate(beta_1, "beta_1")
        self.beta_2 = _decay_rate(beta_2, "beta_2")
        self.epsilon = python_number(epsilon)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
