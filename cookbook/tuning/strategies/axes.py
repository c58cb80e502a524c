"""Axes of a space: its settings as points of a unit cube, where a model can learn."""

from collections.abc import Sequence

import numpy as np

from cookbook.tuning.spaces.space import Dimension

MOST_LEVELS = 1000  # a hyperparameter with more values counts as continuous
# Of the numbers of a point, for points near it; the other numbers stay.
DRAWN_ANEW = 0.15
MOVED = 0.5


class LevelAxis:
    """A hyperparameter of few values; each has an equal part of the axis."""

    def __init__(self, dimension: Dimension, values: tuple):
        self.dimension = dimension
        self.values = values
        self.count = len(values)
        words = [isinstance(value, str | bool) for value in values]
        self.has_no_order = self.count > 1 and any(words)

    def snapped(self, u: np.ndarray) -> np.ndarray:
        """The nearest numbers that stand for values: the centres of their parts."""
        return (self._index(u) + 0.5) / self.count

    def value(self, u: float) -> object:
        """The value that a number from 0 to 1 stands for."""
        index = self._index(np.array(u))
        return self.values[int(index)]

    def position(self, value: object) -> float | None:
        """The number that stands for a value; None if the axis does not have it."""
        for index, known in enumerate(self.values):
            if _are_same(known, value):
                return (index + 0.5) / self.count
        return None

    def allows(self, u: np.ndarray, allowed: Sequence) -> np.ndarray:
        """Where the axis has one of the allowed values."""
        fits = np.array([value in allowed for value in self.values])
        return fits[self._index(u)]

    def columns(self, u: np.ndarray) -> np.ndarray:
        """The columns that a model sees: one for each value if they have no order."""
        if not self.has_no_order:
            return u[:, np.newaxis]
        categories = np.eye(self.count)
        return categories[self._index(u)]

    def _index(self, u: np.ndarray) -> np.ndarray:
        part = np.floor(u * self.count)
        part = np.clip(part, 0, self.count - 1)
        return part.astype(int)


class RangeAxis:
    """A hyperparameter that may have any number of a range, or very many."""

    count = np.inf  # of values

    def __init__(self, dimension: Dimension):
        self.dimension = dimension
        self.is_int = dimension.kind == "int"
        self.low = dimension.low
        self.high = dimension.high
        self.is_log = dimension.is_log

    def snapped(self, u: np.ndarray) -> np.ndarray:
        """The nearest numbers that stand for values."""
        if not self.is_int:
            return u
        whole = np.round(self._number(u))
        return self._position(whole)

    def value(self, u: float) -> object:
        """The value that a number from 0 to 1 stands for."""
        step = self.dimension.step

        number = float(self._number(np.array(u)))
        if step is not None and not self.is_log:
            steps = round((number - self.low) / step)
            number = self.low + step * steps
        number = min(max(number, self.low), self.high)
        return round(number) if self.is_int else number

    def position(self, value: object) -> float | None:
        """The number that stands for a value; None if the axis does not have it."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        if value < self.low or value > self.high:
            return None
        return float(self._position(np.array(value, float)))

    def allows(self, u: np.ndarray, allowed: Sequence) -> np.ndarray:
        """Where the axis has one of the allowed values."""
        values = [self.value(one) for one in u]
        return np.array([value in allowed for value in values], bool)

    def columns(self, u: np.ndarray) -> np.ndarray:
        """The column that a model sees."""
        return u[:, np.newaxis]

    def _number(self, u: np.ndarray) -> np.ndarray:
        if self.is_log:
            ratio = self.high / self.low
            return self.low * ratio**u
        return self.low + (self.high - self.low) * u

    def _position(self, number: np.ndarray) -> np.ndarray:
        if self.is_log:
            ratio = self.high / self.low
            return np.log(number / self.low) / np.log(ratio)
        return (number - self.low) / (self.high - self.low)


def axis_of(dimension: Dimension) -> LevelAxis | RangeAxis:
    """The axis of a hyperparameter."""
    values = levels(dimension)
    return LevelAxis(dimension, values) if values else RangeAxis(dimension)


class Cube:
    """A space as the unit cube: an axis for each hyperparameter.

    A point is a row of numbers between 0 and 1. Numbers of hyperparameters that are
    not active there have no meaning.
    """

    def __init__(self, dimensions: Sequence[Dimension]):
        self.axes = [axis_of(dimension) for dimension in dimensions]

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Random points, uniform on each axis."""
        points = rng.random((count, len(self.axes)))
        return self._snapped(points)

    def near(
        self, points: np.ndarray, rng: np.random.Generator, reach: float
    ) -> np.ndarray:
        """Random points near others: each number moves, or stays, or is drawn anew.

        reach: the standard deviation of a move.
        """
        shape = points.shape
        step = rng.normal(0, reach, shape)
        moved = np.clip(points + step, 0, 1)

        fate = rng.random(shape)
        changed = np.where(fate < DRAWN_ANEW, rng.random(shape), moved)
        found = np.where(fate < DRAWN_ANEW + MOVED, changed, points)
        return self._snapped(found)

    def columns(self, points: np.ndarray) -> np.ndarray:
        """What a model sees of points; inactive hyperparameters look all the same."""
        active = self._active(points)
        parts = []
        for axis, u, is_active in zip(self.axes, points.T, active.T):
            columns = axis.columns(u)
            is_shown = is_active[:, np.newaxis]
            parts.append(np.where(is_shown, columns, 0.5))
        return np.concatenate(parts, axis=1)

    def values(self, point: np.ndarray) -> dict:
        """The setting at a point: {hyperparameter: value} of the active ones."""
        active = self._active(point[np.newaxis])[0]
        values = {}
        for axis, u, is_active in zip(self.axes, point, active):
            if is_active:
                values[axis.dimension.name] = axis.value(u)
        return values

    def point(self, values: dict) -> np.ndarray | None:
        """The point of a setting; None if the setting lies outside the space."""
        point = []
        for axis in self.axes:
            dimension = axis.dimension
            position: float | None = 0.5
            if dimension.is_active(values):
                position = axis.position(values.get(dimension.name))
            if position is None:
                return None
            point.append(position)
        return np.array(point)

    def _snapped(self, points: np.ndarray) -> np.ndarray:
        columns = [axis.snapped(u) for axis, u in zip(self.axes, points.T)]
        return np.stack(columns, axis=1)

    def _active(self, points: np.ndarray) -> np.ndarray:
        """Which hyperparameters have an effect at each point; parents come first."""
        active = np.ones(points.shape, bool)
        for i, axis in enumerate(self.axes):
            for name, allowed in axis.dimension.conditions:
                active[:, i] &= self._has(name, allowed, points, active, i)
        return active

    def _has(
        self,
        name: str,
        allowed: Sequence,
        points: np.ndarray,
        active: np.ndarray,
        end: int,
    ) -> np.ndarray:
        """Where a hyperparameter before axis `end` has one of the allowed values."""
        fits = np.zeros(len(points), bool)
        for i, axis in enumerate(self.axes[:end]):
            if axis.dimension.name == name:
                fits |= active[:, i] & axis.allows(points[:, i], allowed)
        return fits


def levels(dimension: Dimension) -> tuple:
    """The values of a hyperparameter that has few; () for one that is continuous."""
    if dimension.kind == "choice":
        return dimension.values
    low, high, step = dimension.low, dimension.high, dimension.step
    if low == high:
        return (low,)
    if step is None:
        return ()
    span = (
        np.log(high / low) / np.log(step) if dimension.is_log else (high - low) / step
    )
    count = int(span + 1e-8) + 1
    if count > MOST_LEVELS:
        return ()

    kind = int if dimension.kind == "int" else float
    if dimension.is_log:
        return tuple(kind(low * step**index) for index in range(count))
    return tuple(kind(low + step * index) for index in range(count))


def _are_same(level: object, value: object) -> bool:
    """Whether two values are equal, apart from the rounding of a float."""
    if isinstance(level, float) and isinstance(value, int | float):
        return abs(level - value) <= 1e-9 * abs(level)
    return level == value and isinstance(level, bool) == isinstance(value, bool)
