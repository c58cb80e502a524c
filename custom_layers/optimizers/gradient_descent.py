"""Gradient descent: the root of all optimizers here."""

import keras
from keras import ops

from ..common.private_keras import slot_index
from .base import _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SGD(_StepOptimizer):
    """Gradient descent: a step against the gradient, with momentum if wanted.

    plain:     w = w - lr * g
    momentum:  m = momentum * m - lr * g;  w = w + m
    nesterov:  m as above;                 w = w + momentum * m - lr * g

    Batch, stochastic and mini-batch gradient descent are this one optimizer with three
    batch sizes: g is the mean gradient over all N samples (`fit(batch_size=N)`: exact,
    one step an epoch), over a single one (`batch_size=1`: noisy, N steps an epoch) or
    over a few (`batch_size=32`: little noise, N / 32 steps, and the hardware busy).

    Args:
        learning_rate: float, schedule, or callable without arguments.
        momentum: float in [0, 1], the share of the last step that is kept.
        nesterov: look ahead: take the momentum's part of the step twice.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for a momentum that is no float in [0, 1].
    Differs from Keras: the arguments of the base class are keyword-only.

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

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        if not isinstance(momentum, float) or not 0 <= momentum <= 1:
            raise ValueError(
                "`momentum` must be a float between [0, 1]. "
                f"Received: momentum={momentum}"
            )
        self.momentum = momentum
        self.nesterov = nesterov

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums = []
        if self.momentum != 0:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def _step_scalars(self, learning_rate, dtype):
        return ops.cast(learning_rate, dtype), ops.cast(self.momentum, dtype)

    def update_step(self, gradient, variable, learning_rate):
        lr, momentum = self._scalars(learning_rate, variable)
        step = ops.multiply(lr, ops.cast(gradient, variable.dtype))
        if self.momentum == 0:
            self.assign_sub(variable, step)
            return
        m = self.momentums[slot_index(self, variable)]
        new_m = ops.subtract(momentum * m, step)
        self.assign(m, new_m)
        if self.nesterov:
            new_m = ops.subtract(momentum * new_m, step)
        self.assign_add(variable, new_m)

    def get_config(self):
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "nesterov": self.nesterov,
        }
