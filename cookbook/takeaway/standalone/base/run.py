"""The end of a script: its figures, its last line, and what main returns."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
from matplotlib.figure import Figure

from cookbook.takeaway.standalone.base.folder import RunFolder

Figures = dict[str, Any]  # what was measured at the end of a run, the headline first
Expected = dict[str, tuple[float, float]]  # {data set: (headline figure, tolerance)}


def save_figure(figure: Figure, run: RunFolder, name: str) -> None:
    """Writes the figure into the run folder as PNG."""
    figure.savefig(run.path / name, dpi=120)


@dataclasses.dataclass(frozen=True)
class Run:
    """A finished run."""

    model: keras.Model | None
    history: list[dict]  # one dict per epoch
    figures: Figures
    folder: Path  # where the files of the run are


def finish(
    model: keras.Model,
    data: Any,
    history: list[dict],
    run: RunFolder,
    figures: Figures,
    expected: Expected,
) -> Run:
    """Saves the weights and the figures, prints the last line, returns the Run."""
    model.save_weights(run.path / "model.weights.h5")
    run.write_json("metrics.json", {**figures, "data": data.note})
    name, value = next(iter(figures.items()))
    goal = expected.get(data.name)
    wanted = f"expected {goal[0]:.4f} +- {goal[1]:.4f}" if goal else "only a try"
    seconds = time.time() - run.started
    print(f"{name} {value:.4f} ({wanted}) | {data.note} | {seconds:.0f} s | {run.path}")
    return Run(model, history, figures, run.path)


def print_figures(figures: Figures) -> None:
    """Prints figures below each other."""
    for name, value in figures.items():
        shown = round(value, 4) if isinstance(value, float) else value
        print(f"{name:<32}{shown}")


@dataclasses.dataclass(frozen=True)
class Claim:
    """A finding of an experiment: a sentence, its measured number, and a bound."""

    text: str  # with {}, {percent} or {points} where the number stands
    measured: float
    _: dataclasses.KW_ONLY
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        if self.at_most is not None:
            return bool(self.measured <= self.at_most)
        return self.at_least is not None and bool(self.measured >= self.at_least)

    @property
    def sentence(self) -> str:
        hundred = f"{100 * self.measured:.3g}"
        said = self.text.format(
            f"{self.measured:.3g}", percent=f"{hundred} %", points=f"{hundred} points"
        )
        if self.at_least is None:
            return f"{said} (at most {self.at_most:g})"
        return f"{said} (at least {self.at_least:g})"


def conclude(run: RunFolder, claims: Sequence[Claim]) -> Run:
    """Prints every claim, writes metrics.json, and returns the Run."""
    for claim in claims:
        print("holds " if claim.holds else "FAILS ", claim.sentence)
    figures = {claim.sentence: claim.measured for claim in claims}
    run.write_json("metrics.json", figures)
    print(f"{sum(claim.holds for claim in claims)} of {len(claims)} claims hold")
    return Run(None, [], figures, run.path)
