"""Verdicts: whether a figure that was measured again lies within its tolerance."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cookbook.reproduce.folders import is_on_its_data
from cookbook.reproduce.plan import Planned
from cookbook.runs.files import Damaged, read_json
from cookbook.runs.record import code_of_recipe


@dataclasses.dataclass(frozen=True)
class Repeated:
    """What became of a planned run."""

    run: Planned
    metrics: dict[str, Any] | None = None  # of a run that was finished
    folder: Path | None = None  # the run folder
    problem: str = ""  # why there are no metrics
    is_failure: bool = False  # whether the run itself failed

    @property
    def value(self) -> float | None:
        """The headline figure, if the run has measured it on the data it asked for."""
        if self.metrics is None or not is_on_its_data(self.metrics):
            return None
        return float(next(iter(self.metrics.values())))

    @property
    def tolerance(self) -> tuple[float, float] | None:
        """(expected figure, tolerance): the recipe's, or for other flags the row's."""
        expected = (self.metrics or {}).get("expected") or self.run.tolerance
        return (expected[0], expected[1]) if expected else None

    @property
    def distance(self) -> float:
        """How far the figure lies outside its tolerance; below 0 if it is too small."""
        if self.value is None or self.tolerance is None:
            return 0.0
        goal, tolerance = self.tolerance
        apart = self.value - goal
        if abs(apart) <= tolerance:
            return 0.0
        return apart - tolerance if apart > 0 else apart + tolerance

    @property
    def is_bad(self) -> bool:
        """Whether the run contradicts the results, or could not be compared."""
        is_elsewhere = self.metrics is not None and self.value is None
        return self.is_failure or is_elsewhere or self.distance != 0

    @property
    def verdict(self) -> str:
        """The judgement in words."""
        if self.metrics is None:
            return self.problem
        if self.value is None:
            return f"NOT COMPARED: it ran on {self.metrics['data']}"
        if self.tolerance is None:
            return "no tolerance is stated"
        if self.distance:
            side = "above" if self.distance > 0 else "below"
            return f"OUTSIDE: {abs(self.distance):.4g} {side} its tolerance"
        return "within its tolerance"


def outcome_table(outcomes: Sequence[Repeated]) -> str:
    """The figures of all runs beside what is expected, in columns."""
    rows = [("run", "measured", "expected", "in the results", "verdict")]
    for each in outcomes:
        expected = ""
        if each.tolerance:
            goal, tolerance = each.tolerance
            expected = f"{goal:.4f} +- {tolerance:.4f}"
        measured, kept = _figure(each.value), _figure(each.run.kept)
        rows.append((each.run.name, measured, expected, kept, each.verdict))
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def agreement(outcomes: Sequence[Repeated]) -> str:
    """How many runs agree with the results, and which ones do not."""
    measured = [each for each in outcomes if each.value is not None]
    outside = [each.run.name for each in measured if each.distance]
    failed = [each.run.name for each in outcomes if each.is_bad and not each.distance]
    lines = [f"{len(measured)} of {len(outcomes)} runs are measured"]
    if measured:
        lines[0] += f", {len(outside)} of them outside their tolerance"
    lines += [f"outside: {name}" for name in outside]
    lines += [f"failed: {name}" for name in failed]
    old = [each for each in measured if _has_other_code(each)]
    if old:
        lines.append(
            f"{len(old)} of the runs found were made with other code; remove their "
            "folders to measure them again, such as "
            f"{old[0].folder}"
        )
    return "\n".join(lines)


def _has_other_code(outcome: Repeated) -> bool:
    """Whether the code has changed since a run was begun."""
    if outcome.folder is None:
        return False
    try:
        saved = read_json(outcome.folder / "code.json")
    except Damaged:
        return True
    now = code_of_recipe(outcome.run.file)
    return any(saved.get(name) != checksum for name, checksum in now.items())
