"""Proximal Adagrad: Adagrad with penalties that make exact zeros."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.rows import dense
from ..common.types import Config, LearningRate
from .base import _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ProximalAdagrad(_StepOptimizer):
    """Proximal Adagrad: an Adagrad step, then the penalties pull w towards 0.

    a = a + g^2
    r = lr / sqrt(a)
    u = w - r * g
    w = sign(u) * max(|u| - r * l1, 0) / (1 + r * l2)

    A penalty in the loss hardly ever gives a weight that is exactly 0; this does.

    Args:
        learning_rate: float, schedule, or callable without arguments.
        initial_accumulator_value: start value of a, a number > 0.
        l1_regularization_strength, l2_regularization_strength: l1 and l2, >= 0.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for an argument outside its range.
    Not in Keras; it is TensorFlow Addons' ProximalAdagrad.

    >>> w = keras.Variable([1.0, 0.05])
    >>> optimizer = ProximalAdagrad(0.1, 0.0001, l1_regularization_strength=1.0)
    >>> optimizer.apply([[2.0, 2.0]], [w])  # 0.9 - 0.05, and -0.05 + 0.05
    >>> print(w.numpy().round(3) + 0.0)
    [0.85 0.  ]

    Paper: Duchi and Singer, "Efficient online and batch learning using forward backward
    splitting", 2009, https://jmlr.org/papers/v10/duchi09a.html
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        if initial_accumulator_value <= 0:
            raise ValueError(
                "`initial_accumulator_value` must be above 0. Received: "
                f"initial_accumulator_value={initial_accumulator_value}"
            )
        if l1_regularization_strength < 0 or l2_regularization_strength < 0:
            raise ValueError(
                "The strengths of the penalties must be at least 0. Received: "
                f"l1_regularization_strength={l1_regularization_strength}, "
                f"l2_regularization_strength={l2_regularization_strength}"
            )
        self.initial_accumulator_value = python_number(initial_accumulator_value)
        self.l1_regularization_strength = python_number(l1_regularization_strength)
        self.l2_regularization_strength = python_number(l2_regularization_strength)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        self._accumulators = self.add_optimizer_variables(
            variables,
            "accumulator",
            initializer=keras.initializers.Constant(self.initial_accumulator_value),
        )

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        lr = ops.cast(learning_rate, variable.dtype)
        a = self._accumulators[slot_index(self, variable)]
        g = ops.cast(dense(gradient), variable.dtype)
        l1, l2 = self.l1_regularization_strength, self.l2_regularization_strength

        self.assign_add(a, ops.square(g))
        r = lr / ops.sqrt(a)
        u = variable - r * g
        w = ops.sign(u) * ops.maximum(ops.abs(u) - r * l1, 0) / (1 + r * l2)
        self.assign(variable, w)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
        }
