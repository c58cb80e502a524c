"""Axes of a space: its settings as points of a unit cube, where a model can learn."""

from collections.abc import Sequence

import numpy as np

from cookbook.tuning.spaces.space import Dimension

MOST_LEVELS = 1000  # a hyperparameter with more values counts as continuous


class Axis:
    """One hyperparameter: its values as numbers between 0 and 1."""

    def __init__(self, dimension: Dimension):
        self.dimension = dimension
        self.levels = levels(dimension)
        words = [isinstance(value, str | bool) for value in self.levels]
        self.is_category = len(words) > 1 and any(words)  # its values have no order

    def snapped(self, u: np.ndarray) -> np.ndarray:
        """The nearest numbers that stand for a value: the centres of equal parts."""
        if self.levels:
            return (self._index(u) + 0.5) / len(self.levels)
        if self.dimension.kind == "int":
            return self._position(np.round(self._number(u)))
        return u

    def value(self, u: float) -> object:
        """The value that a number between 0 and 1 stands for."""
        if self.levels:
            return self.levels[int(self._index(u))]
        low, high, step = (getattr(self.dimension, n) for n in ("low", "high", "step"))
        number = float(self._number(u))
        if step is not None and not self.dimension.is_log:
            number = low + step * round((number - low) / step)
        number = min(max(number, low), high)
        return round(number) if self.dimension.kind == "int" else number

    def position(self, value: object) -> float | None:
        """The number that stands for a value; None if the axis does not have it."""
        for index, level in enumerate(self.levels):
            if _are_same(level, value):
                return (index + 0.5) / len(self.levels)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.levels or not is_number:
            return None
        if not self.dimension.low <= value <= self.dimension.high:  # type: ignore
            return None
        return float(self._position(np.array(value, float)))

    def allows(self, u: np.ndarray, allowed: Sequence) -> np.ndarray:
        """Where the axis has one of the allowed values."""
        if not self.levels:
            return np.array([self.value(one) in allowed for one in u], bool)
        return np.array([level in allowed for level in self.levels])[self._index(u)]

    def columns(self, u: np.ndarray) -> np.ndarray:
        """The columns that a model sees: one for each category, else the number."""
        if self.is_category:
            return np.eye(len(self.levels))[self._index(u)]
        return u[:, np.newaxis]

    def _index(self, u):
        last = len(self.levels) - 1
        return np.clip(np.floor(np.multiply(u, last + 1)), 0, last).astype(int)

    def _number(self, u):
        low, high = self.dimension.low, self.dimension.high
        if self.dimension.is_log:
            return low * (high / low) ** u
        return low + (high - low) * u

    def _position(self, number: np.ndarray) -> np.ndarray:
        low, high = self.dimension.low, self.dimension.high
        if self.dimension.is_log:
            return np.log(number / low) / np.log(high / low)
        return (number - low) / (high - low)


class Cube:
    """A space as the unit cube: an axis for each hyperparameter.

    A point is a row of numbers between 0 and 1. Numbers of hyperparameters that are
    not active there have no meaning.
    """

    def __init__(self, dimensions: Sequence[Dimension]):
        self.axes = [Axis(dimension) for dimension in dimensions]

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Random points, uniform on each axis."""
        return self._snapped(rng.random((count, len(self.axes))))

    def near(
        self, points: np.ndarray, rng: np.random.Generator, reach: float
    ) -> np.ndarray:
        """Random points near others: each number moves, or stays, or is drawn anew."""
        shape = points.shape
        moved = np.clip(points + rng.normal(0, reach, shape), 0, 1)
        fate = rng.random(shape)
        changed = np.where(fate < 0.15, rng.random(shape), moved)
        return self._snapped(np.where(fate < 0.65, changed, points))

    def columns(self, points: np.ndarray) -> np.ndarray:
        """What a model sees of points; inactive hyperparameters look all the same."""
        active = self._active(points)
        parts = [
            np.where(active[:, [i]], axis.columns(points[:, i]), 0.5)
            for i, axis in enumerate(self.axes)
        ]
        return np.concatenate(parts, axis=1)

    def values(self, point: np.ndarray) -> dict:
        """The setting at a point: {hyperparameter: value} of the active ones."""
        active = self._active(point[np.newaxis])[0]
        return {
            axis.dimension.name: axis.value(u)
            for axis, u, is_active in zip(self.axes, point, active)
            if is_active
        }

    def point(self, values: dict) -> np.ndarray | None:
        """The point of a setting; None if the setting lies outside the space."""
        point = []
        for axis in self.axes:
            position: float | None = 0.5
            if axis.dimension.is_active(values):
                position = axis.position(values.get(axis.dimension.name))
            if position is None:
                return None
            point.append(position)
        return np.array(point)

    def _snapped(self, points: np.ndarray) -> np.ndarray:
        columns = [axis.snapped(points[:, i]) for i, axis in enumerate(self.axes)]
        return np.stack(columns, axis=1)

    def _active(self, points: np.ndarray) -> np.ndarray:
        """Which hyperparameters have an effect at each point; parents come first."""
        active = np.ones(points.shape, bool)
        for i, axis in enumerate(self.axes):
            for name, allowed in axis.dimension.conditions:
                fits = np.zeros(len(points), bool)
                for j, parent in enumerate(self.axes[:i]):
                    if parent.dimension.name == name:
                        fits |= active[:, j] & parent.allows(points[:, j], allowed)
                active[:, i] &= fits
        return active


def levels(dimension: Dimension) -> tuple:
    """The values of a hyperparameter that has few; () for one that is continuous."""
    if dimension.kind == "choice":
        return dimension.values
    low, high, step = dimension.low, dimension.high, dimension.step
    if low == high:
        return (low,)
    if step is None:
        return ()
    if dimension.is_log:
        count = int(np.log(high / low) / np.log(step) + 1e-8) + 1
        values = [low * step**index for index in range(min(count, MOST_LEVELS + 1))]
    else:
        count = int((high - low) / step + 1e-8) + 1
        values = [low + index * step for index in range(min(count, MOST_LEVELS + 1))]
    if count > MOST_LEVELS:
        return ()
    return tuple(int(v) if dimension.kind == "int" else float(v) for v in values)


def _are_same(level: object, value: object) -> bool:
    """Whether two values are equal, apart from the rounding of a float."""
    if isinstance(level, float) and isinstance(value, int | float):
        return abs(level - value) <= 1e-9 * abs(level)
    return level == value and isinstance(level, bool) == isinstance(value, bool)
