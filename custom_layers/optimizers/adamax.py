"""Adamax: Adam with the infinity norm."""

from typing import Any

import keras
from keras import ops

from ..common.private_keras import slot_index
from ..common.types import LearningRate
from .base import _BetaOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Adamax(_BetaOptimizer):
    """Adamax: Adam that divides by the largest recent |g| instead of the root of v.

    m = beta_1 * m + (1 - beta_1) * g
    u = max(beta_2 * u, |g|)
    w = w - lr / (1 - beta_1^t) * m / (u + epsilon)

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2: decay rates of m and u.
        epsilon: keeps the division defined before the first gradient.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only. Where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped or made absolute.

    >>> w = keras.Variable([1.0, 1.0])
    >>> Adamax(0.1).apply([[4.0, -0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.9 1.1]

    Paper: Kingma and Ba, "Adam: a method for stochastic optimization", section 7.1,
    2014, https://arxiv.org/abs/1412.6980
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        slots = self.add_optimizer_variables(variables, ["momentum", "norm"])
        self._momentums, self._norms = slots

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        def step_size(t, lr, beta_1):
            return lr / (1 - beta_1**t)

        index = slot_index(self, variable)
        m, u = self._momentums[index], self._norms[index]
        g = ops.cast(gradient, variable.dtype)

        # beta_1 * m + (1 - beta_1) * g = m + (1 - beta_1) * (g - m)
        self.assign_add(m, (1 - self.beta_1) * ops.subtract(g, m))
        self.assign(u, ops.maximum(self.beta_2 * u, ops.abs(g)))
        alpha = self._once_per_step(step_size, variable, learning_rate, self.beta_1)
        self.assign_sub(variable, alpha * m / (u + self.epsilon))
