"""Scales: where the values of a hyperparameter, and the scores, lie on an axis."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator

from cookbook.tuning.spaces.space import Dimension

ASIDE = -0.16  # height of values that have no place between the ends, 0 and 1
MOST_TICKS = 6  # of numbers
MOST_WORDS = 12  # of categories
LONGEST = 14  # characters of a category


class Scale:
    """An axis from 0 to 1, with the texts that stand at some of its heights."""

    def __init__(self) -> None:
        self.ticks: list[tuple[float, str]] = []

    def place(self, value: Any) -> float:
        """The height of a value; ASIDE if it has none."""
        raise NotImplementedError

    def places(self, values: Sequence) -> np.ndarray:
        """The height of each value."""
        return np.array([self.place(value) for value in values])


class Numbers(Scale):
    """Numbers between two ends; on a logarithmic scale, equal factors lie equally far.

    ticks: the numbers to write beside the axis; without them, round ones are chosen.
    """

    def __init__(
        self,
        low: float,
        high: float,
        is_log: bool = False,
        ticks: Sequence[float] = (),
    ):
        super().__init__()
        self.low = low
        self.high = high
        self.is_log = is_log
        chosen = ticks or _round_numbers(low, high, is_log)
        self.ticks = [(self.place(number), f"{number:.6g}") for number in chosen]

    def place(self, value: Any) -> float:
        if not is_plain_number(value) or (self.is_log and value <= 0):
            return ASIDE
        if self.low == self.high:
            return 0.5
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


class Categories(Scale):
    """Values without distances: they lie equally far from each other."""

    def __init__(self, categories: Sequence):
        super().__init__()
        self.words = list(dict.fromkeys(map(_word, categories)))
        every = math.ceil(len(self.words) / MOST_WORDS)
        self.ticks = [(self.place(word), _short(word)) for word in self.words[::every]]

    def place(self, value: Any) -> float:
        if value is None:
            return ASIDE
        return (self.words.index(_word(value)) + 0.5) / len(self.words)


def scale_of(dimension: Dimension, values: Sequence) -> Scale:
    """The scale of a hyperparameter: as the space has it, wide enough for all values.

    values: those of the trials; the defaults may lie outside the space.
    """
    active = [value for value in values if value is not None]
    are_numbers = all(map(is_plain_number, [*dimension.values, *active]))
    scale: Scale
    if dimension.kind != "choice" and are_numbers:
        scale = _range_of(dimension, active)
    else:
        known = [*dimension.values, *active]
        scale = Categories(sorted(known) if are_numbers else known)

    aside = set()
    for value in values:
        if scale.place(value) == ASIDE:
            aside.add("inactive" if value is None else _word(value))
    if aside:
        scale.ticks.append((ASIDE, ", ".join(sorted(aside))))
    return scale


def _range_of(dimension: Dimension, values: Sequence[float]) -> Numbers:
    """A scale on which the range of the space and the values have their places."""
    is_log = dimension.is_log
    placed = [value for value in values if value > 0 or not is_log]
    low = min([dimension.low, *placed])
    high = max([dimension.high, *placed])
    return Numbers(low, high, is_log, _steps(dimension))


def _steps(dimension: Dimension) -> list[float]:
    """All values of a dimension that moves in steps, if they are few."""
    found: list[float] = []
    value, step = dimension.low, dimension.step
    while step and value <= dimension.high * (1 + 1e-9) and len(found) <= MOST_TICKS:
        found.append(value)
        value = value * step if dimension.is_log else value + step
    return found if len(found) <= MOST_TICKS else []


def _round_numbers(low: float, high: float, is_log: bool) -> list[float]:
    """At most MOST_TICKS round numbers between two ends."""
    if low == high:
        return [low]
    locator: Any = MaxNLocator(MOST_TICKS - 1, steps=[1, 2, 5, 10])
    if is_log and high / low >= 1000:
        locator = LogLocator(numticks=MOST_TICKS)
    elif is_log and high / low >= 10:
        locator = LogLocator(subs=(1, 2, 5), numticks=MOST_TICKS)
    edge = 1e-9 * (high - low)
    return [
        float(number)
        for number in locator.tick_values(low, high)
        if low - edge <= number <= high + edge
    ]


def is_plain_number(value: Any) -> bool:
    """Whether a value is a number; True and False are words, not numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _word(value: Any) -> str:
    """A category as a text."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _short(word: str) -> str:
    """A text that has room beside an axis."""
    return word if len(word) <= LONGEST else word[: LONGEST - 3] + "..."
