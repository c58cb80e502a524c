"""Nadam: Adam with Nesterov's momentum."""

from typing import Any

import keras
from keras import ops

from ..common.private_keras import slot_index
from ..common.types import LearningRate
from .base import _BetaOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Nadam(_BetaOptimizer):
    """Nadam: Adam with Nesterov's momentum, which uses m as the next step will see it.

    u_t = beta_1 * (1 - 0.96^t / 2)                  the momentum, which warms up
    p = u_1 * u_2 * ... * u_t
    m, v as in Adam
    m_hat = u_{t+1} * m / (1 - p * u_{t+1}) + (1 - u_t) * g / (1 - p)
    w = w - lr * m_hat / (sqrt(v / (1 - beta_2^t)) + epsilon)

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

    >>> w = keras.Variable(1.0)
    >>> Nadam(0.1).apply([4.0], [w])
    >>> round(float(w), 3)
    0.894

    Paper: Dozat, "Incorporating Nesterov momentum into Adam", 2016,
    https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ
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
        self._u_product = self.add_variable(
            shape=(),
            initializer="ones",
            dtype=variables[0].dtype if variables else None,
            name="u_product",
        )

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        def momentum(t, beta_1, decay):
            return beta_1 * (1 - 0.5 * ops.power(decay, t))

        def product_of_momentums(t):
            p = self._u_product
            self.assign(p, p * momentum(t, self.beta_1, 0.96))
            return p.value

        def shares(t, lr, p, beta_1, beta_2, decay):
            u, next_u = momentum(t, beta_1, decay), momentum(t + 1, beta_1, decay)
            of_m = lr * next_u / (1 - p * next_u)
            of_g = lr * (1 - u) / (1 - p)
            return of_m, of_g, 1 - beta_2**t, 1 - beta_1, 1 - beta_2

        index = slot_index(self, variable)
        m, v = self._momentums[index], self._velocities[index]
        g = ops.cast(gradient, variable.dtype)

        p = self._once_per_step(product_of_momentums, self._u_product)
        of_m, of_g, bias_2, new_1, new_2 = self._once_per_step(
            shares, variable, learning_rate, p, self.beta_1, self.beta_2, 0.96
        )
        # beta * m + (1 - beta) * g = m + (1 - beta) * (g - m), and so with v and g^2.
        self.assign_add(m, new_1 * ops.subtract(g, m))
        self.assign_add(v, new_2 * ops.subtract(ops.square(g), v))
        lr_m_hat = ops.add(of_m * m, ops.multiply(of_g, g))
        self.assign_sub(variable, lr_m_hat / (ops.sqrt(v / bias_2) + self.epsilon))
