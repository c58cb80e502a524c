"""Grid search: each combination of values once, in an order drawn at random."""

import random
from collections.abc import Sequence
from typing import Any

from cookbook.config import UNLIMITED
from cookbook.tuning.spaces.space import Dimension
from cookbook.tuning.strategies.axes import axis_of, levels
from cookbook.tuning.strategies.oracles import RandomSearch, announce

PARTS = 10  # values taken from a range that has no step


class Grid:
    """The combinations of the values of all hyperparameters, each with an index.

    A hyperparameter that is not active beside the values of others adds no points.
    """

    def __init__(self, dimensions: Sequence[Dimension]):
        self.dimensions = list(dimensions)
        self.values = [grid_values(dimension) for dimension in dimensions]
        self.size = self._count(0, {})

    def point(self, index: int) -> dict:
        """The values of the active hyperparameters at an index."""
        values: dict = {}
        for i, dimension in enumerate(self.dimensions):
            if not dimension.is_active(values):
                continue
            for value in self.values[i]:
                inside = self._count(i + 1, {**values, dimension.name: value})
                if index < inside:
                    values[dimension.name] = value
                    break
                index -= inside
        return values

    def _count(self, start: int, values: dict) -> int:
        """The number of points beside given values of those before `start`."""
        for i in range(start, len(self.dimensions)):
            dimension = self.dimensions[i]
            if not dimension.is_active(values):
                continue
            if self._has_conditions(dimension.name, i + 1):
                branches = [{**values, dimension.name: v} for v in self.values[i]]
                return sum(self._count(i + 1, branch) for branch in branches)
            return len(self.values[i]) * self._count(i + 1, values)
        return 1

    def _has_conditions(self, name: str, start: int) -> bool:
        """Whether a later hyperparameter depends on the value of this one."""
        later = self.dimensions[start:]
        return any(parent == name for d in later for parent, _ in d.conditions)


class GridSearch(RandomSearch):
    """Grid search over the values of a Grid, in an order that the seed decides.

    A partial grid in the order of its indices would keep the first hyperparameters at
    their first values.
    """

    def __init__(self, trials: Any):
        super().__init__(trials)
        self.grid = Grid(trials.space.dimensions)
        # The order must not depend on the number of trials, which may grow later.
        count = min(self.grid.size, UNLIMITED)
        drawn = random.Random(trials.config.seed).sample(range(self.grid.size), count)
        self.order = iter(drawn)
        announce(trials, *self._summary())

    def proposed(self, number: int) -> dict | None:
        """The next point of the grid. That of trial 0 costs no second training."""
        for index in self.order:
            values = self.grid.point(index)
            if values not in self.runner.first:
                return values
        return None

    def _summary(self) -> list[str]:
        size, asked = self.grid.size, self.runner.config.tune
        covered = (
            "all of them" if asked >= size else f"{asked} of them, drawn at random"
        )
        lines = [f"the grid has {size:,} points; the search covers {covered}"]
        cut = [
            f"{dimension.name} into {len(values)}"
            for dimension, values in zip(self.grid.dimensions, self.grid.values)
            if not levels(dimension)
        ]
        if cut:
            lines.append(f"the grid cuts ranges without a step: {', '.join(cut)}")
        return lines


def grid_values(dimension: Dimension) -> list:
    """The values of a hyperparameter in a grid; ranges without a step are cut."""
    if levels(dimension):
        return list(levels(dimension))
    axis = axis_of(dimension)
    cut = [axis.value(index / (PARTS - 1)) for index in range(PARTS)]
    return list(dict.fromkeys(cut))  # whole numbers may come twice
