"""Gradient descent: the optimizer from which all others here descend."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.types import Config, LearningRate
from .base import _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SGD(_StepOptimizer):
    """Gradient descent: a step against the gradient, optionally with momentum.

    plain:     w = w - lr * g
    momentum:  m = momentum * m - lr * g;  w = w + m
    nesterov:  m as above;                 w = w + momentum * m - lr * g

    Batch, stochastic and mini-batch gradient descent are this one optimizer with three
    batch sizes: g is the mean gradient over all N samples (`fit(batch_size=N)`: exact,
    one step per epoch), over a single sample (`batch_size=1`: noisy, N steps per epoch)
    or over a few (`batch_size=32`: little noise, N / 32 steps, a busy processor).

    Args:
        learning_rate: float, schedule, or callable without arguments.
        momentum: float in [0, 1], the share of the last step that is kept.
        nesterov: whether to look ahead, which takes the momentum's part of the step
            twice.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for a momentum that is not a float in [0, 1].
    Differs from Keras: the arguments of the base class are keyword-only. Where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped.

    >>> w = keras.Variable([1.0, 2.0])
    >>> SGD(0.1).apply([keras.ops.array([1.0, -1.0])], [w])
    >>> print(w.numpy().round(3))
    [0.9 2.1]

    Papers: Robbins and Monro, "A stochastic approximation method", 1951,
    https://doi.org/10.1214/aoms/1177729586; momentum: Polyak, "Some methods of speeding
    up the convergence of iteration methods", 1964,
    https://doi.org/10.1016/0041-5553(64)90137-5; in this form: Sutskever et al., "On
    the importance of initialization and momentum in deep learning", 2013,
    https://proceedings.mlr.press/v28/sutskever13.html
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        momentum = python_number(momentum)
        if not isinstance(momentum, float) or not 0 <= momentum <= 1:
            raise ValueError(
                "`momentum` must be a float between [0, 1]. "
                f"Received: momentum={momentum}"
            )
        self.momentum = momentum
        self.nesterov = python_number(nesterov)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        self.momentums = []
        if self.momentum != 0:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        lr = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        step = ops.multiply(lr, g)
        if self.momentum == 0:
            self.assign_sub(variable, step)
            return
        momentum = ops.cast(self.momentum, variable.dtype)
        m = self.momentums[slot_index(self, variable)]
        new_m = ops.subtract(momentum * m, step)
        self.assign(m, new_m)
        if self.nesterov:
            self.assign_add(variable, ops.subtract(momentum * new_m, step))
        else:
            self.assign_add(variable, new_m)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
        }
