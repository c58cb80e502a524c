"""Adagrad, and Adadelta, which is Adagrad with running averages."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.types import Config, LearningRate
from .base import _decay_rate, _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Adagrad(_StepOptimizer):
    """Adagrad: steps shrink with the sum of squared gradients of each weight.

    a = a + g^2
    w = w - lr * g / sqrt(a + epsilon)

    The weights of rare features have small sums and so keep long steps.

    Args:
        learning_rate: float, schedule, or callable without arguments.
        initial_accumulator_value: start value of a, which keeps the first steps short.
        epsilon: added inside the root.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Differs from Keras: the arguments of the base class are keyword-only. Where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped or squared.

    >>> w = keras.Variable([1.0, 1.0])
    >>> Adagrad(0.1, initial_accumulator_value=0.0).apply([[4.0, 0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.9 0.9]

    Paper: Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization", 2011, https://jmlr.org/papers/v12/duchi11a.html
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.initial_accumulator_value = python_number(initial_accumulator_value)
        self.epsilon = python_number(epsilon)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        start = keras.initializers.Constant(self.initial_accumulator_value)
        self._accumulators = self.add_optimizer_variables(
            variables, "accumulator", initializer=start
        )

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        lr = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        a = self._accumulators[slot_index(self, variable)]

        self.assign_add(a, ops.square(g))
        step = ops.divide(ops.multiply(lr, g), ops.sqrt(a + self.epsilon))
        self.assign_sub(variable, step)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Adadelta(_StepOptimizer):
    """Adadelta: Adagrad that forgets old gradients, with steps in the weights' units.

    a = rho * a + (1 - rho) * g^2
    step = sqrt((d + epsilon) / (a + epsilon)) * g
    d = rho * d + (1 - rho) * step^2
    w = w - lr * step

    A step is as long as the recent steps, whose mean square is d.

    Args:
        learning_rate: float, schedule, or callable without arguments; 1.0 in the paper.
        rho: decay rate of both averages, a and d.
        epsilon: added inside both roots; without it the first step would be zero.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for rho outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only. Where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped or squared.

    >>> w = keras.Variable(1.0)
    >>> Adadelta(1.0, rho=0.5, epsilon=0.02).apply([1.0], [w])
    >>> round(1 - float(w), 4)
    0.1961

    Paper: Zeiler, "ADADELTA: an adaptive learning rate method", 2012,
    https://arxiv.org/abs/1212.5701
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.rho = _decay_rate(rho, "rho")
        self.epsilon = python_number(epsilon)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        names = ["accumulated_grad", "accumulated_delta_var"]
        slots = self.add_optimizer_variables(variables, names)
        self._accumulated_grads, self._accumulated_delta_vars = slots

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        lr = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        index = slot_index(self, variable)
        a = self._accumulated_grads[index]
        d = self._accumulated_delta_vars[index]

        # rho * a + (1 - rho) * g^2 = a + (1 - rho) * (g^2 - a), and so with d.
        self.assign_add(a, (1 - self.rho) * ops.subtract(ops.square(g), a))
        step = ops.multiply(ops.sqrt((d + self.epsilon) / (a + self.epsilon)), g)
        self.assign_add(d, (1 - self.rho) * ops.subtract(ops.square(step), d))
        self.assign_sub(variable, ops.multiply(lr, step))

    def get_config(self) -> Config:
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
