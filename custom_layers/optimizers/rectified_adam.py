"""RectifiedAdam (RAdam): Adam that warms up by itself."""

import math
from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.types import Config, LearningRate
from .adam import Adam


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RectifiedAdam(Adam):
    """RAdam: Adam that does not use v before v has averaged enough gradients.

    rho_inf = 2 / (1 - beta_2) - 1
    rho = rho_inf - 2 * t * beta_2^t / (1 - beta_2^t)     length of v's average
    r = sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    rho > sma_threshold:  w = w - r * Adam's step
    else:                 w = w - lr * m / (1 - beta_1^t)

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2, epsilon, amsgrad: as in Adam.
        sma_threshold: rho above which v is used; 5, as in TensorFlow Addons and torch.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for betas outside [0, 1), beta_2 = 0, a sma_threshold below 4.
    Not in Keras. TensorFlow Addons has a second warm-up built in; here a learning-rate
    schedule does that.

    >>> w = keras.Variable([1.0, 1.0])
    >>> RectifiedAdam(0.1).apply([[4.0, -0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.6  1.05]

    Paper: Liu et al., "On the variance of the adaptive learning rate and beyond", 2019,
    https://arxiv.org/abs/1908.03265
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        sma_threshold: float = 5.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, **kwargs)
        if beta_2 == 0 or sma_threshold < 4:
            raise ValueError(
                "`beta_2` must be above 0 and `sma_threshold` at least 4, or r is not "
                f"defined. Received: beta_2={beta_2}, sma_threshold={sma_threshold}"
            )
        self.sma_threshold = python_number(sma_threshold)

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        def step_size(t, lr, beta_1, beta_2):
            # beta_2^t / (1 - beta_2^t), without the cancellation of 1 - beta_2^t.
            odds = 1 / ops.expm1(-math.log(self.beta_2) * t)
            rho_inf = 2 / (1 - self.beta_2) - 1
            rho = rho_inf - 2 * t * odds
            is_rectified = rho > self.sma_threshold
            r2 = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)
            r2_bias_2 = ops.where(is_rectified, r2 * (1 - beta_2**t), 1)
            bias_1 = 1 - beta_1**t
            return lr / bias_1 * ops.sqrt(r2_bias_2), is_rectified

        alpha, is_rectified = self._once_per_step(
            step_size, variable, learning_rate, self.beta_1, self.beta_2
        )
        index = slot_index(self, variable)
        m, v = self._momentums[index], self._velocities[index]
        g = ops.cast(gradient, variable.dtype)

        # beta * m + (1 - beta) * g = m + (1 - beta) * (g - m), and so with v and g^2.
        self.assign_add(m, (1 - self.beta_1) * ops.subtract(g, m))
        self.assign_add(v, (1 - self.beta_2) * ops.subtract(ops.square(g), v))
        v_hat = v
        if self.amsgrad:
            v_hat = self._velocity_hats[index]
            self.assign(v_hat, ops.maximum(v_hat, v))
        divisor = ops.where(is_rectified, ops.sqrt(v_hat) + self.epsilon, 1)
        self.assign_sub(variable, alpha * m / divisor)

    def get_config(self) -> Config:
        return {**super().get_config(), "sma_threshold": self.sma_threshold}
