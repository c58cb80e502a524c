"""What schedules share: the call and a check."""

import keras
from keras import ops

from ...common.checks import python_number


def _positive(value: float, name: str) -> float:
    """`value`, if it is above 0.

    Raises: ValueError if it is not.
    """
    if value <= 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={value}")
    return python_number(value)


def _as_rate(value: float):
    """A rate as a tensor of the value's dtype; a whole number becomes a float."""
    if isinstance(python_number(value), int):
        value = float(value)
    return ops.convert_to_tensor(value)


class _Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that computes `_rate(start, t)` from its first rate and the step.

    start, t and the rate that it returns have the dtype of `initial_learning_rate`.
    """

    name: str
    initial_learning_rate: float

    def __call__(self, step):
        with keras.name_scope(self.name):
            start = _as_rate(self.initial_learning_rate)
            return self._rate(start, ops.cast(step, start.dtype))

    def _rate(self, start, t):
        raise NotImplementedError
