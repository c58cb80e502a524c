"""SWA: training ends with the mean of the weights along its way."""

import keras
from keras import ops

from ..common.checks import positive_integer
from ..common.types import Config
from .wrapper import _Wrapper


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SWA(_Wrapper):
    """Stochastic weight averaging: the mean of the weights along the last steps.

    every step:                           w = inner optimizer's update of w
    at step start, and each period after: average = (n * average + w) / (n + 1)

    The average replaces w at the end of `fit`, or when you call
    `finalize_variable_values(model.trainable_variables)`. The statistics of
    BatchNormalization still belong to the weights of the last step: let some batches
    run through the model with training=True afterwards.

    Args:
        inner_optimizer: the optimizer, or its name; best with a high learning rate.
        start_averaging: number of steps before the first weights are averaged.
        average_period: number of steps between the weights that are averaged.
        name: the optimizer's name.

    If the inner optimizer accumulates gradients, the steps counted are its own.

    Raises: ValueError for a start_averaging that is not an integer of at least 0, an
    average_period that is not a positive integer, or an inner LossScaleOptimizer.
    Not in Keras, whose `use_ema` forgets old weights; here all weights count equally.
    The arguments are those of TensorFlow Addons.

    >>> w = keras.Variable(1.0)
    >>> optimizer = SWA(keras.optimizers.SGD(0.1), start_averaging=1, average_period=1)
    >>> for _ in range(4):  # 0.9, then 0.8, 0.7, 0.6
    ...     optimizer.apply([1.0], [w])
    >>> optimizer.finalize_variable_values([w])
    >>> round(float(w), 3)
    0.7

    Paper: Izmailov et al., "Averaging weights leads to wider optima and better
    generalization", 2018, https://arxiv.org/abs/1803.05407
    """

    slot_name = "average"

    def __init__(
        self,
        inner_optimizer: str | keras.optimizers.Optimizer,
        start_averaging: int = 0,
        average_period: int = 10,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        if start_averaging < 0 or not float(start_averaging).is_integer():
            raise ValueError(
                "`start_averaging` must be an integer of at least 0. "
                f"Received: start_averaging={start_averaging}"
            )
        self.start_averaging = int(start_averaging)
        self.average_period = positive_integer(average_period, "average_period")

    def apply_around(self, grads, variables):
        since_start = self.iterations - self.start_averaging
        n = ops.floor_divide(since_start, self.average_period)
        is_due = (since_start >= 0) & (since_start % self.average_period == 0)
        is_step = self.apply_inner(grads, variables)
        is_counted = is_step & is_due
        for w, average in self.weights_and_slots():
            # (n * average + w) / (n + 1) = average + (w - average) / (n + 1)
            share = ops.where(is_counted, 1 / ops.cast(n + 1, w.dtype), 0)
            self.assign_add(average, share * (w - average))
        return is_step

    def finalize_variable_values(self, var_list: list) -> None:
        super().finalize_variable_values(var_list)
        if self.built and int(self.iterations) > self.start_averaging:
            for w, average in self.weights_and_slots():
                # A copy: JAX cannot train on one array in two variables.
                self.assign(w, ops.copy(average))

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "start_averaging": self.start_averaging,
            "average_period": self.average_period,
        }
