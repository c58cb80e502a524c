"""NovoGrad: momentum of gradients that each layer has normalized."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.rows import dense
from ..common.types import Config, LearningRate
from .base import _BetaOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class NovoGrad(_BetaOptimizer):
    """NovoGrad: momentum of gradients, each divided by its variable's usual norm.

    v = beta_2 * v + (1 - beta_2) * |g|^2        a number per variable; first |g|^2
    m = beta_1 * m + g / (sqrt(v) + epsilon)     with grad_averaging, (1 - beta_1) of it
    w = w - lr * m

    It needs half of Adam's memory, since v is one number for a whole kernel.

    Args:
        learning_rate: float, schedule, or callable without arguments.
        beta_1, beta_2: decay rates of m and v; the paper's are 0.95 and 0.98.
        epsilon: added to the root of v.
        grad_averaging: whether m is a mean of the gradients, not a sum.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for beta_1 or beta_2 outside [0, 1).
    Not in Keras. It is TensorFlow Addons' NovoGrad, without `amsgrad`. Weight decay is
    applied before the step, as Keras does; the paper adds it to what m sums.

    >>> w = keras.Variable([1.0, 1.0])
    >>> NovoGrad(0.1).apply([[3.0, -4.0]], [w])
    >>> print(w.numpy().round(3))
    [0.94 1.08]

    Paper: Ginsburg et al., "Stochastic gradient methods with layer-wise adaptive
    moments for training of deep networks", 2019, https://arxiv.org/abs/1905.11286
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        grad_averaging: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.grad_averaging = python_number(grad_averaging)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")
        self._velocities = [
            self.add_variable(shape=(), dtype=variable.dtype, name="velocity")
            for variable in variables
        ]

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        lr = ops.cast(learning_rate, variable.dtype)
        index = slot_index(self, variable)
        m, v = self._momentums[index], self._velocities[index]
        g = ops.cast(dense(gradient), variable.dtype)

        square = ops.sum(ops.square(g))
        # beta * v + (1 - beta) * |g|^2 = v + (1 - beta) * (|g|^2 - v)
        share = ops.where(self.iterations == 0, 1.0, 1 - self.beta_2)
        self.assign_add(v, ops.cast(share, v.dtype) * (square - v))
        normalized = g / (ops.sqrt(v) + self.epsilon)
        if self.grad_averaging:
            normalized = (1 - self.beta_1) * normalized
        self.assign(m, self.beta_1 * m + normalized)
        self.assign_sub(variable, lr * m)

    def get_config(self) -> Config:
        return {**super().get_config(), "grad_averaging": self.grad_averaging}
