"""Schedules that let the learning rate fall from the first step on."""

import keras
from keras import ops

from ...common.checks import python_number
from ...common.types import Config
from .base import _positive, _Schedule


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ExponentialDecay(_Schedule):
    """Exponential decay: the rate shrinks by the same factor every `decay_steps` steps.

    lr = initial_learning_rate * decay_rate^p
    p = t / decay_steps, rounded down with staircase

    Args:
        initial_learning_rate: rate at step 0.
        decay_steps: number of steps for one factor, > 0.
        decay_rate: the factor.
        staircase: whether the rate jumps once every decay_steps instead of gliding.
        name: label of the operation.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError for decay_steps <= 0.
    Differs from Keras: a rate may be a whole number; beside it, Keras rounds the other
    numbers or fails.

    >>> schedule = ExponentialDecay(0.8, decay_steps=10, decay_rate=0.5)
    >>> [round(float(schedule(t)), 3) for t in (0, 5, 10, 20)]
    [0.8, 0.566, 0.4, 0.2]

    Paper: Robbins and Monro, "A stochastic approximation method", 1951, on rates that
    go to zero; https://doi.org/10.1214/aoms/1177729586
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        super().__init__()
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps, "decay_steps")
        self.decay_rate = python_number(decay_rate)
        self.staircase = python_number(staircase)
        self.name = name

    def _rate(self, start, t):
        return start * ops.power(ops.cast(self.decay_rate, t.dtype), self._progress(t))

    def _progress(self, t):
        p = t / self.decay_steps
        return ops.floor(p) if self.staircase else p

    def get_config(self) -> Config:
        return {
            "initial_learning_rate": python_number(self.initial_learning_rate),
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class InverseTimeDecay(ExponentialDecay):
    """Decay by the inverse of time: fast at first, then ever more slowly.

    lr = initial_learning_rate / (1 + decay_rate * p)
    p = t / decay_steps, rounded down with staircase

    Args: as in ExponentialDecay; after decay_steps steps, the rate has shrunk to
        1 / (1 + decay_rate) of the first one.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError for decay_steps <= 0.
    Differs from Keras: a rate may be a whole number; beside it, Keras rounds the other
    numbers or fails.

    >>> schedule = InverseTimeDecay(0.8, decay_steps=10, decay_rate=1.0)
    >>> [round(float(schedule(t)), 3) for t in (0, 10, 30, 70)]
    [0.8, 0.4, 0.2, 0.1]

    Paper: Robbins and Monro, "A stochastic approximation method", 1951: sums of such
    rates diverge and of their squares converge; https://doi.org/10.1214/aoms/1177729586
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        super().__init__(
            initial_learning_rate, decay_steps, decay_rate, staircase, name
        )

    def _rate(self, start, t):
        return start / (1 + self.decay_rate * self._progress(t))


@keras.saving.register_keras_serializable(package="keras_cookbook")
class PiecewiseConstantDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Piecewise constant rates: a rate for each stretch of steps, chosen by hand.

    lr = values[i], with i the number of boundaries below t

    Args:
        boundaries: increasing list of steps; at a boundary the rate is still the one
            before it.
        values: list of rates, one more than boundaries.
        name: label of the operation.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError unless there is one value more than boundaries.
    Differs from Keras: a rate may be a whole number; beside it, Keras rounds the other
    numbers or fails.

    >>> schedule = PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])
    >>> [round(float(schedule(t)), 3) for t in (0, 10, 11, 20, 21)]
    [0.1, 0.1, 0.01, 0.01, 0.001]

    Paper: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep
    convolutional neural networks", 2012, https://doi.org/10.1145/3065386
    """

    def __init__(
        self,
        boundaries: list[float],
        values: list[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        super().__init__()
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. "
                f"Received: boundaries={boundaries} of length {len(boundaries)}, and "
                f"values={values} of length {len(values)}."
            )
        self.boundaries = python_number(boundaries)
        self.values = python_number(values)
        self.name = name

    def __call__(self, step):
        with keras.name_scope(self.name):
            t = ops.convert_to_tensor(step)
            boundaries = ops.cast(ops.convert_to_tensor(self.boundaries), t.dtype)
            i = ops.sum(ops.cast(t > boundaries, "int32"))
            rates = [float(value) for value in self.values]
            return ops.take(ops.convert_to_tensor(rates), i)

    def get_config(self) -> Config:
        return {
            "boundaries": self.boundaries,
            "values": self.values,
            "name": self.name,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class PolynomialDecay(_Schedule):
    """Polynomial decay from one rate to another; power 1 gives a straight line.

    lr = end + (initial - end) * (1 - t / T)^power
    t is held at T = decay_steps, or with cycle: T is the next multiple of decay_steps

    Args:
        initial_learning_rate, end_learning_rate: rates at step 0 and at step T.
        decay_steps: length T of the decay, > 0.
        power: exponent of the polynomial.
        cycle: whether to start again at step T, each time from a lower rate.
        name: label of the operation.

    Call: step, a scalar -> learning rate, a scalar.
    Raises: ValueError for decay_steps <= 0.
    Differs from Keras: a rate may be a whole number; beside it, Keras rounds the other
    numbers or fails.

    >>> schedule = PolynomialDecay(0.1, 10, end_learning_rate=0.0, power=2.0)
    >>> [round(float(schedule(t)), 3) for t in (0, 5, 10, 15)]
    [0.1, 0.025, 0.0, 0.0]

    Paper: Liu, Rabinovich, Berg, "ParseNet: looking wider to see better", 2015,
    https://arxiv.org/abs/1506.04579
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        super().__init__()
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive(decay_steps, "decay_steps")
        self.end_learning_rate = python_number(end_learning_rate)
        self.power = python_number(power)
        self.cycle = python_number(cycle)
        self.name = name

    def _rate(self, start, t):
        p = t / self.decay_steps
        if self.cycle:
            p = p / ops.maximum(ops.ceil(p), 1)
        end = self.end_learning_rate
        left = ops.power(1 - ops.minimum(p, 1), self.power)
        return (start - end) * left + end

    def get_config(self) -> Config:
        return {
            "initial_learning_rate": python_number(self.initial_learning_rate),
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }
