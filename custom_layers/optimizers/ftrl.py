"""Ftrl: sparse linear models, trained example by example."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.types import Config, LearningRate
from .base import _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Ftrl(_StepOptimizer):
    """Follow the regularized leader: Adagrad whose L1 penalty gives exact zeros.

    new_a = a + g^2;  p = -learning_rate_power
    z = z + g + 2 * l2_shrinkage * w - (new_a^p - a^p) / lr * w
    q = new_a^p / lr + 2 * l2 + beta / lr
    w = (clip(z, -l1, l1) - z) / q                         zero where |z| <= l1
    a = new_a

    Args:
        learning_rate: float, schedule, or callable without arguments.
        learning_rate_power: <= 0; -0.5 is Adagrad's decay, 0 a constant rate.
        initial_accumulator_value: start value of a, >= 0.
        l1_regularization_strength, l2_regularization_strength: l1 and l2, >= 0.
        l2_shrinkage_regularization_strength: L2 penalty on the loss itself, >= 0; the
            one above only stabilizes the leader.
        beta: added to the root of a, as in the paper.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for an argument of the wrong sign.
    Differs from Keras: the arguments of the base class are keyword-only. Where
    gradients are accumulated, use_ema averages once per step, not at every batch.
    On TensorFlow, the gradients of an embedding's row are summed before they are
    clipped or squared.

    >>> w = keras.Variable([1.0, 1.0])
    >>> Ftrl(0.1, l1_regularization_strength=3.0).apply([[0.1, -4.0]], [w])
    >>> print(w.numpy().round(3))
    [0.    0.946]

    Paper: McMahan et al., "Ad click prediction: a view from the trenches", 2013,
    https://doi.org/10.1145/2487575.2488200
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        if learning_rate_power > 0:
            raise ValueError(
                "`learning_rate_power` needs to be negative or zero. "
                f"Received: learning_rate_power={learning_rate_power}."
            )
        self.learning_rate_power = python_number(learning_rate_power)
        self.initial_accumulator_value = _not_negative(
            initial_accumulator_value, "initial_accumulator_value"
        )
        self.l1_regularization_strength = _not_negative(
            l1_regularization_strength, "l1_regularization_strength"
        )
        self.l2_regularization_strength = _not_negative(
            l2_regularization_strength, "l2_regularization_strength"
        )
        self.l2_shrinkage_regularization_strength = _not_negative(
            l2_shrinkage_regularization_strength, "l2_shrinkage_regularization_strength"
        )
        self.beta = python_number(beta)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        start = keras.initializers.Constant(self.initial_accumulator_value)
        self._accumulators, self._linears = self.add_optimizer_variables(
            variables, ["accumulator", "linear"], initializer=[start, "zeros"]
        )

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        def regularization(t, lr):
            return 2 * self.l2_regularization_strength + self.beta / lr

        lr = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        index = slot_index(self, variable)
        a, z, w = self._accumulators[index], self._linears[index], variable
        p = -self.learning_rate_power
        l1 = self.l1_regularization_strength
        l2_shrinkage = self.l2_shrinkage_regularization_strength

        new_a = ops.add(a, ops.square(g))
        rate, old_rate = ops.power(new_a, p) / lr, ops.power(a, p) / lr
        pull = 2 * l2_shrinkage - (rate - old_rate)
        self.assign_add(z, ops.add(g, ops.multiply(pull, w)))
        q = rate + self._once_per_step(regularization, variable, learning_rate)
        self.assign(w, (ops.clip(z, -l1, l1) - z) / q)
        self.assign(a, new_a)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": (
                self.l2_shrinkage_regularization_strength
            ),
            "beta": self.beta,
        }


def _not_negative(value: float, name: str) -> float:
    if value < 0:
        raise ValueError(
            f"`{name}` needs to be positive or zero. Received: {name}={value}."
        )
    return python_number(value)
