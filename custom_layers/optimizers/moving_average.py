"""Moving average of the weights, around any optimizer."""

import keras
from keras import ops

from ..common.checks import python_number
from ..common.types import Config
from .base import _decay_rate
from .wrapper import _Wrapper


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MovingAverage(_Wrapper):
    """Moving average: training ends with an average that favours the last weights.

    every step: w = inner optimizer's update of w
                average = decay * average + (1 - decay) * w
    decay = average_decay; 0 in the first start_step + 1 steps
    with dynamic_decay: decay = min(average_decay, (1 + n) / (10 + n)), n steps after

    The average replaces w at the end of `fit`, or when you call
    `finalize_variable_values(model.trainable_variables)`.

    Args:
        inner_optimizer: the optimizer, or its name.
        average_decay: decay rate of the average, in [0, 1).
        start_step: number of steps whose weights the average forgets.
        dynamic_decay: whether the average forgets faster at first.
        name: the optimizer's name.

    If the inner optimizer accumulates gradients, the steps counted are its own.

    Raises: ValueError for an argument outside its range, or an inner
    LossScaleOptimizer.
    Not in Keras, where `use_ema` of an optimizer does the same without start_step and
    dynamic_decay. The arguments are those of TensorFlow Addons, without `num_updates`,
    which the number of steps replaces.

    >>> w = keras.Variable(1.0)
    >>> optimizer = MovingAverage(keras.optimizers.SGD(0.1), average_decay=0.5)
    >>> for _ in range(3):  # w 0.9, 0.8, 0.7; average 0.9, 0.85, 0.775
    ...     optimizer.apply([1.0], [w])
    >>> optimizer.finalize_variable_values([w])
    >>> round(float(w), 4)
    0.775

    Paper: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging",
    1992, https://doi.org/10.1137/0330046
    """

    slot_name = "average"

    def __init__(
        self,
        inner_optimizer: str | keras.optimizers.Optimizer,
        average_decay: float = 0.99,
        start_step: int = 0,
        dynamic_decay: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        if start_step < 0 or not float(start_step).is_integer():
            raise ValueError(
                "`start_step` must be an integer of at least 0. "
                f"Received: start_step={start_step}"
            )
        self.average_decay = _decay_rate(average_decay, "average_decay")
        self.start_step = int(start_step)
        self.dynamic_decay = python_number(dynamic_decay)

    def apply_around(self, grads, variables):
        n = ops.cast(self.iterations - self.start_step, "float32")
        decay = ops.convert_to_tensor(self.average_decay, dtype="float32")
        if self.dynamic_decay:
            decay = ops.minimum(decay, (1 + n) / (10 + ops.maximum(n, 0)))
        decay = ops.where(n > 0, decay, 0.0)
        is_step = self.apply_inner(grads, variables)
        for w, average in self.weights_and_slots():
            share = ops.cast(ops.where(is_step, 1 - decay, 0.0), w.dtype)
            self.assign_add(average, share * (w - average))
        return is_step

    def finalize_variable_values(self, var_list: list) -> None:
        super().finalize_variable_values(var_list)
        if self.built and int(self.iterations) > 0:
            for w, average in self.weights_and_slots():
                # A copy: JAX cannot train on one array in two variables.
                self.assign(w, ops.copy(average))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "average_decay": self.average_decay,
            "start_step": self.start_step,
            "dynamic_decay": self.dynamic_decay,
        }
