"""Adam, and AdamW, which is Adam with a weight decay of its own."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.types import Config, LearningRate
from .base import _BetaOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Adam(_BetaOptimizer):
    """Adam: momentum over RMSprop, both averages corrected for their start at zero.

    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g^2
    v_hat = max(v_hat, v) with amsgrad, else v
    alpha = lr * sqrt(1 - beta_2^t) / (1 - beta_1^t)
    w = w - alpha * m / (sqrt(v_hat) + epsilon)

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2: decay rates of m and v.
        epsilon: added to the root of v before its bias is corrected.
        amsgrad: whether to divide by the largest v so far, so that steps never grow
            again.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only. Where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped or squared.
    Weights in bfloat16 are trained, where Keras's do not move.

    >>> w = keras.Variable([1.0, 1.0])
    >>> Adam(0.1).apply([[4.0, -0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.9 1.1]

    Papers: Kingma and Ba, "Adam: a method for stochastic optimization", 2014,
    https://arxiv.org/abs/1412.6980; amsgrad: Reddi, Kale, Kumar, "On the convergence
    of Adam and beyond", 2018, https://arxiv.org/abs/1904.09237
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.amsgrad = python_number(amsgrad)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        slots = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._momentums, self._velocities = slots
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(
                variables, "velocity_hat"
            )

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        def step_size(t, lr, beta_1, beta_2):
            return lr * ops.sqrt(1 - beta_2**t) / (1 - beta_1**t)

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
        alpha = self._once_per_step(
            step_size, variable, learning_rate, self.beta_1, self.beta_2
        )
        self.assign_sub(variable, alpha * m / (ops.sqrt(v_hat) + self.epsilon))

    def get_config(self) -> Config:
        return {**super().get_config(), "amsgrad": self.amsgrad}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdamW(Adam):
    """AdamW: Adam whose weight decay does not pass through the adaptive scaling.

    w = w - lr * weight_decay * w      the decay, first and on its own
    w = Adam's update of w             m and v never see the decay

    An L2 penalty would add weight_decay * w to g instead. Adam would divide it by the
    root of v, so that weights with large gradients would hardly decay.

    Args:
        learning_rate: float, schedule, or callable without arguments; it scales the
            decay too.
        weight_decay: float; `exclude_from_weight_decay(var_names=["bias"])` spares
            variables.
        beta_1, beta_2, epsilon, amsgrad: as in Adam.
        kwargs: clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for weight_decay=None, and for betas outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only. Where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped or squared.

    >>> w = keras.Variable(1.0)
    >>> AdamW(0.1, weight_decay=0.5).apply([0.0], [w])
    >>> round(float(w), 3)
    0.95

    Paper: Loshchilov and Hutter, "Decoupled weight decay regularization", 2017,
    https://arxiv.org/abs/1711.05101
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError(
                "Argument `weight_decay` must be a float. Received: weight_decay=None"
            )
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
            weight_decay=weight_decay,
            **kwargs,
        )
