"""AdaBelief: Adam scaled by how much the gradient surprises."""

from typing import Any

import keras
from keras import ops

from ..common.private_keras import slot_index
from ..common.types import LearningRate
from .adam import Adam


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdaBelief(Adam):
    """AdaBelief: Adam scaled by the distance of g from m, instead of by g itself.

    m = beta_1 * m + (1 - beta_1) * g
    s = beta_2 * s + (1 - beta_2) * (g - m)^2 + epsilon
    w = w - lr / (1 - beta_1^t) * m / (sqrt(s / (1 - beta_2^t)) + epsilon)

    m predicts the gradient. Where the prediction holds, s is small and the step long;
    where the gradient jumps, the step is short.

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2: decay rates of m and s.
        epsilon: added to s and to its root.
        amsgrad: whether to divide by the largest s so far.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Not in Keras. TensorFlow Addons rectifies by default; this is the paper's algorithm.

    >>> w = keras.Variable([1.0, 1.0])
    >>> AdaBelief(0.1).apply([[4.0, -0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.889 1.111]

    Paper: Zhuang et al., "AdaBelief optimizer: adapting stepsizes by the belief in
    observed gradients", 2020, https://arxiv.org/abs/2010.07468
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-14,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, **kwargs)

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        def corrections(t, lr, beta_1, beta_2):
            return lr / (1 - beta_1**t), 1 - beta_2**t

        alpha, bias_2 = self._once_per_step(
            corrections, variable, learning_rate, self.beta_1, self.beta_2
        )
        index = slot_index(self, variable)
        m, s = self._momentums[index], self._velocities[index]
        g = ops.cast(gradient, variable.dtype)

        # beta * m + (1 - beta) * g = m + (1 - beta) * (g - m), and so with s.
        self.assign_add(m, (1 - self.beta_1) * ops.subtract(g, m))
        surprise = ops.square(ops.subtract(g, m))
        self.assign_add(s, (1 - self.beta_2) * (surprise - s) + self.epsilon)
        s_hat = s
        if self.amsgrad:
            s_hat = self._velocity_hats[index]
            self.assign(s_hat, ops.maximum(s_hat, s))
        root = ops.sqrt(s_hat / bias_2)
        self.assign_sub(variable, alpha * m / (root + self.epsilon))
