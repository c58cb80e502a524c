"""Lion: steps of one length, by the sign of a momentum."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.types import Config, LearningRate
from .base import _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Lion(_StepOptimizer):
    """Lion: uses only the sign of a momentum, so that all steps are equally long.

    w = w - lr * sign(beta_1 * m + (1 - beta_1) * g)
    m = beta_2 * m + (1 - beta_2) * g

    It keeps one number for each weight, where Adam keeps two.

    Args:
        learning_rate: float, schedule, or callable without arguments; 3 to 10 times
            smaller than Adam's.
        beta_1: share of m in the step, in (0, 1].
        beta_2: decay rate of m.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 outside (0, 1].
    Differs from Keras: the arguments of the base class are keyword-only. Where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped.

    >>> w = keras.Variable([1.0, 1.0])
    >>> Lion(0.1).apply([[4.0, -0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.9 1.1]

    Paper: Chen et al., "Symbolic discovery of optimization algorithms", 2023,
    https://arxiv.org/abs/2302.06675
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        if not 0 < beta_1 <= 1:
            raise ValueError(
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the "
                f"optimizer degenerates to SignSGD. Received: beta_1={beta_1}."
            )
        self.beta_1 = python_number(beta_1)
        self.beta_2 = python_number(beta_2)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        lr = ops.cast(learning_rate, variable.dtype)
        beta_1 = ops.cast(self.beta_1, variable.dtype)
        beta_2 = ops.cast(self.beta_2, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        m = self._momentums[slot_index(self, variable)]

        c = ops.add(beta_1 * m, ops.multiply(1 - beta_1, g))
        self.assign_sub(variable, lr * ops.sign(c))
        # beta_2 * m + (1 - beta_2) * g = m + (1 - beta_2) * (g - m)
        self.assign_add(m, (1 - beta_2) * ops.subtract(g, m))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
        }
