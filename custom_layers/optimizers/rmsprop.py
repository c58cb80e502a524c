"""RMSprop: Adagrad with a running average in place of the sum."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.types import Config, LearningRate
from .base import _decay_rate, _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RMSprop(_StepOptimizer):
    """RMSprop: the gradient is divided by the root of its running mean square.

    v = rho * v + (1 - rho) * g^2
    variance = v, or centered: v - mean^2 with mean = rho * mean + (1 - rho) * g
    step = lr * g / sqrt(variance + epsilon)
    w = w - step, or with momentum: m = momentum * m + step;  w = w - m

    Args:
        learning_rate: float, schedule, or callable without arguments.
        rho: decay rate of v and of the mean.
        momentum: share of the last step that is kept; 0 for none.
        epsilon: added inside the root.
        centered: whether to divide by an estimate of the standard deviation.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for rho outside [0, 1).
    Differs from Keras: the arguments of the base class are keyword-only. Where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped or squared.

    >>> w = keras.Variable([1.0, 1.0])
    >>> RMSprop(0.1, rho=0.75).apply([[4.0, 0.5]], [w])
    >>> print(w.numpy().round(3))
    [0.8 0.8]

    Papers: Tieleman and Hinton, "Lecture 6.5 - rmsprop", 2012,
    https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf; centered:
    Graves, "Generating sequences with recurrent neural networks", 2013,
    https://arxiv.org/abs/1308.0850
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.rho = _decay_rate(rho, "rho")
        self.momentum = python_number(momentum)
        self.epsilon = python_number(epsilon)
        self.centered = python_number(centered)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(
                variables, "average_gradient"
            )

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        lr = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        index = slot_index(self, variable)
        v = self._velocities[index]

        # rho * v + (1 - rho) * g^2 = v + (1 - rho) * (g^2 - v), and so with the mean.
        self.assign_add(v, (1 - self.rho) * ops.subtract(ops.square(g), v))
        variance = v
        if self.centered:
            mean = self._average_gradients[index]
            self.assign_add(mean, (1 - self.rho) * ops.subtract(g, mean))
            variance = v - ops.square(mean)
        step = ops.divide(ops.multiply(lr, g), ops.sqrt(variance + self.epsilon))
        if self.momentum > 0:
            m = self._momentums[index]
            # XLA cannot add the rows of an embedding's step to a tensor, but to m.
            self.assign(m, self.momentum * m)
            self.assign_add(m, step)
            step = ops.convert_to_tensor(m)
        self.assign_sub(variable, step)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
