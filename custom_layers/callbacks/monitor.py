"""What callbacks share that watch a figure: which way is better, and what is new."""

import math
import warnings
from typing import Any

import keras

from ..common.checks import one_of, python_number
from ..common.private_keras import direction_of_metric


class _Monitor(keras.callbacks.Callback):
    """A callback that compares a figure of each epoch with the best one before it.

    Args:
        monitor: name of the figure, as the history calls it.
        mode: "min" or "max" says which way is better; "auto" lets the loss fall, and
            asks the metric of that name.
        min_delta: the least change that counts as better.
    """

    best: float | None

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        super().__init__()
        self.monitor = monitor
        self.mode = one_of(mode, ("auto", "min", "max"), "mode")
        self.min_delta = abs(python_number(min_delta))
        self.best = None

    def figure(self, logs: dict[str, Any] | None) -> float | None:
        """The figure of this epoch; None, with a warning, where there is none."""
        logs = logs or {}
        if self.monitor not in logs:
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which this training "
                f"does not report. It reports: {', '.join(logs)}.",
                stacklevel=3,
            )
            return None
        return float(logs[self.monitor])

    def is_better(self, value: float, other: float | None) -> bool:
        """Whether `value` is better than `other` by more than `min_delta`.

        Anything that is a number is better than None; NaN is better than nothing.
        """
        if math.isnan(value):
            return False
        if other is None:
            return True
        gain = other - value if self.direction() == "min" else value - other
        return gain > self.min_delta

    def direction(self) -> str:
        """ "min" or "max": which way the figure gets better.

        Raises: ValueError where mode is "auto" and no metric has that name.
        """
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        found = "min" if name == "loss" else direction_of_metric(self.model, name)
        if found is None:
            raise ValueError(
                f"{type(self).__name__} cannot tell whether a larger or a smaller "
                f"{self.monitor} is better. Pass mode='max' or mode='min'."
            )
        return found
