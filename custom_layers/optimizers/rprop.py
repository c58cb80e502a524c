"""Rprop: steps that follow the signs of the gradients only."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.rows import dense
from ..common.types import Config, LearningRate
from .base import _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Rprop(_StepOptimizer):
    """Rprop: each weight has a step of its own, longer while its gradient keeps a sign.

    g * old_g > 0:  step = min(increase * step, longest)
    g * old_g < 0:  step = max(decrease * step, shortest);  g = 0
    w = w - sign(g) * step
    old_g = g

    It is for gradients of the whole data set: with small batches, the signs change by
    chance and all steps become short.

    Args:
        learning_rate: the first step.
        decrease, increase: factors of the step, 0 < decrease < 1 < increase.
        shortest, longest: bounds of the step.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for an argument outside its range.
    Not in Keras; it is torch.optim.Rprop, with its defaults.

    >>> w = keras.Variable([1.0, 1.0])
    >>> optimizer = Rprop(0.1)
    >>> for g in ([4.0, 0.1], [3.0, -0.1]):  # 0.1 + 0.12; 0.1 and then nothing
    ...     optimizer.apply([g], [w])
    >>> print(w.numpy().round(3))
    [0.78 0.9 ]

    Paper: Riedmiller and Braun, "A direct adaptive method for faster backpropagation
    learning: the RPROP algorithm", 1993, https://doi.org/10.1109/ICNN.1993.298623;
    without weight backtracking: Igel and Hüsken, "Empirical evaluation of the improved
    Rprop learning algorithms", 2003, https://doi.org/10.1016/S0925-2312(01)00700-7
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        decrease: float = 0.5,
        increase: float = 1.2,
        shortest: float = 1e-6,
        longest: float = 50.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        if not 0 < decrease < 1 < increase:
            raise ValueError(
                "`decrease` must be between 0 and 1, and `increase` above 1. "
                f"Received: decrease={decrease}, increase={increase}"
            )
        if not 0 <= shortest <= longest:
            raise ValueError(
                "`shortest` must be at least 0 and at most `longest`. "
                f"Received: shortest={shortest}, longest={longest}"
            )
        self.decrease = python_number(decrease)
        self.increase = python_number(increase)
        self.shortest = python_number(shortest)
        self.longest = python_number(longest)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        slots = self.add_optimizer_variables(variables, ["old_gradient", "step"])
        self._old_gradients, self._steps = slots

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        lr = ops.cast(learning_rate, variable.dtype)
        index = slot_index(self, variable)
        old_g, step = self._old_gradients[index], self._steps[index]
        g = ops.cast(dense(gradient), variable.dtype)

        agreement = ops.sign(g) * ops.sign(old_g)
        longer = ops.minimum(self.increase * step, self.longest)
        shorter = ops.maximum(self.decrease * step, self.shortest)
        same = ops.where(self.iterations == 0, lr, ops.convert_to_tensor(step))
        changed = ops.where(agreement > 0, longer, shorter)
        self.assign(step, ops.where(agreement == 0, same, changed))
        g = ops.where(agreement < 0, ops.zeros_like(g), g)
        self.assign_sub(variable, ops.sign(g) * step)
        self.assign(old_g, g)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "decrease": self.decrease,
            "increase": self.increase,
            "shortest": self.shortest,
            "longest": self.longest,
        }
