"""Schedule-free AdamW: an average of the weights in place of a falling rate."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.rows import dense
from ..common.types import Config, LearningRate
from .base import _BetaOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ScheduleFreeAdamW(_BetaOptimizer):
    """Schedule-free AdamW: a mean of all weights so far replaces the falling rate.

    v = beta_2 * v + (1 - beta_2) * g^2                  g is the gradient at y
    z = z - lr * g / (sqrt(v / (1 - beta_2^t)) + epsilon)
    x = (1 - 1 / t) * x + 1 / t * z
    y = (1 - beta_1) * z + beta_1 * x

    The weights of the model are y. x is the answer of the paper: `average_of(weight)`
    computes it from y and z, and you assign it once the training is over.

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1: how near y is to x; it takes the place of Adam's momentum.
        beta_2: decay rate of v.
        epsilon: added to the root of the corrected v.
        warmup_steps: number of steps in which the rate rises from 0 to learning_rate.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1), or a beta_1 of 0.
    Differs from Keras: the arguments of the base class are keyword-only. Where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped or squared. x is computed from y and z as they were before the step, on all
    backends; Keras 3.15 does so on JAX, and takes the z after it on TensorFlow and
    torch. z begins at the weights of the first step; Keras's begins at those at which
    the optimizer was built, even if others were loaded since. Keras has no
    `average_of`. As in Keras, all steps weigh the same in x; the authors' code
    weighs them by the square of the rate.

    >>> w = keras.Variable(1.0)
    >>> optimizer = ScheduleFreeAdamW(0.1)
    >>> for _ in range(2):
    ...     optimizer.apply([3.0], [w])
    >>> round(float(w), 4)  # z 0.9, 0.8; x 0.9, 0.85; y 0.9, then 0.08 + 0.765
    0.845
    >>> round(float(optimizer.average_of(w)), 4)
    0.85

    Paper: Defazio et al., "The road less scheduled", 2024,
    https://arxiv.org/abs/2405.15682
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        if beta_1 == 0:
            raise ValueError(
                "`beta_1` must be above 0, because x is computed from y = (1 - beta_1) "
                f"* z + beta_1 * x. Received: beta_1={beta_1}"
            )
        self.warmup_steps = python_number(warmup_steps)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        slots = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._momentums, self._velocities = slots
        for z, w in zip(self._momentums, variables):
            if z is not None:
                z.assign(w)

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        def numbers(t, lr, beta_2):
            warmup = ops.minimum(t / max(self.warmup_steps, 1), 1)
            return lr * warmup, 1 - beta_2**t, 1 / t

        lr, bias_2, share = self._once_per_step(
            numbers, variable, learning_rate, self.beta_2
        )
        index = slot_index(self, variable)
        slot, v = self._momentums[index], self._velocities[index]
        g = ops.cast(dense(gradient), variable.dtype)
        y = ops.convert_to_tensor(variable)
        old_z = ops.where(self.iterations == 0, y, ops.convert_to_tensor(slot))

        # beta * v + (1 - beta) * g^2 = v + (1 - beta) * (g^2 - v)
        self.assign_add(v, (1 - self.beta_2) * ops.subtract(ops.square(g), v))
        step = lr * g / (ops.sqrt(v / bias_2) + self.epsilon)
        z = old_z - step
        # beta_1 * (x - z), with x still old_z + (y - old_z) / beta_1
        apart = y - old_z + self.beta_1 * step
        self.assign(slot, z)
        self.assign(variable, z + (1 - share) * apart)

    def average_of(self, variable):
        """x of one variable of the model: the mean of all its z so far."""
        z = self._momentums[slot_index(self, variable)]
        return z + (variable - z) / self.beta_1  # y = (1 - beta_1) * z + beta_1 * x

    def get_config(self) -> Config:
        return {**super().get_config(), "warmup_steps": self.warmup_steps}
