"""Lamb: Adam for very large batches."""

from typing import Any

import keras
from keras import ops

from ..common.private_keras import slot_index
from ..common.types import LearningRate
from .base import _BetaOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Lamb(_BetaOptimizer):
    """Lamb: Adam whose step in each variable is lr times as long as the variable.

    m, v as in Adam
    u = m / (1 - beta_1^t) / (sqrt(v / (1 - beta_2^t)) + epsilon)
    trust = |w| / |u|, or 1 where either norm is zero
    w = w - lr * trust * u

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2: decay rates of m and v.
        epsilon: added to the root of the corrected v.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only. Where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped or squared.
    Weights in bfloat16 stay finite, where Keras's become NaN. As in Keras, weight decay
    is applied before the step; the paper adds it to u.

    >>> w = keras.Variable([3.0, 4.0])
    >>> Lamb(0.1).apply([[1.0, -1.0]], [w])  # |w| = 5, u = (1, -1)
    >>> print(w.numpy().round(3))
    [2.646 4.354]

    Paper: You et al., "Large batch optimization for deep learning: training BERT in 76
    minutes", 2019, https://arxiv.org/abs/1904.00962
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
        slots = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._momentums, self._velocities = slots

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        def corrections(t, beta_1, beta_2):
            return 1 - beta_1**t, 1 - beta_2**t

        bias_1, bias_2 = self._once_per_step(
            corrections, variable, self.beta_1, self.beta_2
        )
        lr = ops.cast(learning_rate, variable.dtype)
        index = slot_index(self, variable)
        m, v = self._momentums[index], self._velocities[index]
        g = ops.cast(gradient, variable.dtype)

        # beta * m + (1 - beta) * g = m + (1 - beta) * (g - m), and so with v and g^2.
        self.assign_add(m, (1 - self.beta_1) * ops.subtract(g, m))
        self.assign_add(v, (1 - self.beta_2) * ops.subtract(ops.square(g), v))
        u = m / bias_1 / (ops.sqrt(v / bias_2) + self.epsilon)
        w_norm = ops.sqrt(ops.sum(ops.square(variable)))
        u_norm = ops.sqrt(ops.sum(ops.square(u)))
        trust = ops.where(w_norm * u_norm > 0, w_norm / u_norm, 1)
        self.assign_sub(variable, lr * trust * u)
