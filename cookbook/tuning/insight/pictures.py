"""Pictures of a search: all hyperparameters at once, and each against the score."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cookbook.plots.figures import BLUE, ORANGE, Folder, save_figure
from cookbook.tuning.insight.outcome import Outcome, in_two_lines, setting_name
from cookbook.tuning.insight.scales import Categories, Numbers, Scale, scale_of
from cookbook.tuning.spaces.space import Dimension
from cookbook.tuning.trials.results import TrialResult

MANY = 40  # trials whose lines are drawn more faintly
JITTER = 0.1  # width of the column of points above a category
MOST_PANELS = 12  # of tuning_scores.png
LONGEST_TICKS = 36  # characters that have room below a panel
# Marks that look alike in all pictures.
WHOLE: Any = {
    "s": 20,
    "color": BLUE,
    "alpha": 0.7,
}
STOPPED: Any = {
    "s": 20,
    "facecolors": "none",
    "edgecolors": BLUE,
}
BEST: Any = {
    "s": 70,
    "marker": "D",
    "color": ORANGE,
}
DEFAULTS: Any = {
    "s": 60,
    "marker": "x",
    "color": "black",
}
# The frame behind a text.
FRAME: Any = {
    "facecolor": "white",
    "alpha": 0.8,
    "lw": 0,
    "pad": 0.5,
}


def draw_parallel(outcome: Outcome, run: Folder) -> None:
    """Draws tuning_parallel.png: each trial is a line through its values to its score.

    The scales are those of the space. An inactive hyperparameter is passed below.
    """
    columns = _columns(outcome)
    width = 1.5 * len(columns) + 1.5
    figure = Figure(figsize=(width, 4.8), layout="constrained")
    axes = figure.subplots()

    heights = [scale.places(values) for _, scale, values in columns]
    _draw_lines(axes, outcome, np.transpose(heights))
    for x, (_, scale, _) in enumerate(columns):
        _draw_axis(axes, x, scale)

    labels = ["\n".join(in_two_lines(name)).strip() for name, _, _ in columns]
    axes.set_xticks(range(len(columns)), labels)
    axes.set_yticks([])
    axes.set_xlim(-0.2, len(columns) - 0.35)
    axes.spines[:].set_visible(False)
    axes.set_title(_counted(outcome))
    save_figure(figure, run, "tuning_parallel.png")


def _columns(outcome: Outcome) -> list[tuple[str, Scale, Sequence]]:
    """(name, scale, values) of each hyperparameter and, last, of the score."""
    columns: list[tuple[str, Scale, Sequence]] = []
    for dimension in outcome.dimensions:
        values = outcome.values(dimension.name)
        scale = scale_of(dimension, values)
        columns.append((dimension.name, scale, values))
    scores = outcome.scores
    scale = Numbers(min(scores), max(scores))
    columns.append((outcome.score, scale, scores))
    return columns


def _draw_lines(axes: Axes, outcome: Outcome, lines: np.ndarray) -> None:
    """Draws a line for each trial, the darker the better; the best ones on top."""
    scores = outcome.scores
    palette = "cividis_r" if outcome.better is max else "cividis"
    scale = Normalize(min(scores), max(scores))
    shades = ScalarMappable(scale, colormaps[palette])
    alpha = 0.85 if len(lines) <= MANY else 0.5

    trials = list(zip(outcome.measured, lines, scores))
    for result, line, score in reversed(trials):
        if result not in (outcome.best, outcome.defaults):
            axes.plot(line, color=shades.to_rgba(score), lw=1.2, alpha=alpha)
    for result, line, _ in trials:
        if result is outcome.best:
            label = f"best: {setting_name(result)}"
            axes.plot(line, color=ORANGE, lw=3, label=label)
        if result is outcome.defaults:
            axes.plot(line, "--", color="black", lw=1.8, label="defaults")

    axes.figure.colorbar(shades, ax=axes, label=outcome.axis)
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.13),
        ncols=2,
        frameon=False,
    )


def _draw_axis(axes: Axes, x: float, scale: Scale) -> None:
    """Draws an upright axis at `x` with a text at each tick."""
    axes.plot([x, x], [0, 1], color="black", lw=0.8)
    for height, text in scale.ticks:
        axes.text(
            x,
            height,
            f" {text}",
            fontsize=8,
            va="center",
            bbox=FRAME,
        )


def _counted(outcome: Outcome) -> str:
    """How many trials a picture shows, and how many have failed."""
    count = len(outcome.measured)
    failed = len(outcome.ranked) - count
    note = f", without {failed} that failed" if failed else ""
    return f"{count} trials{note}: darker is better"


def draw_scores(outcome: Outcome, run: Folder) -> None:
    """Draws tuning_scores.png: the score against each hyperparameter."""
    shown = outcome.dimensions[:MOST_PANELS]
    if not shown:
        return
    across = min(3, len(shown))
    down = math.ceil(len(shown) / across)
    size = (3.7 * across, 3 * down + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(down, across, squeeze=False, sharey=True)

    for axes, dimension in zip(panels.flat, shown):
        _draw_panel(axes, outcome, dimension)
    for axes in panels[:, 0]:
        axes.set_ylabel(outcome.axis)
    for axes in panels.flat[len(shown) :]:
        axes.axis("off")

    if is_spread_over_decades(outcome):
        panels[0, 0].set_yscale("log")  # the panels share it
    handles, labels = panels[0, 0].get_legend_handles_labels()
    place_legend(figure, handles=handles, labels=labels)
    figure.suptitle(f"{outcome.score} of each trial")
    save_figure(figure, run, "tuning_scores.png")


def is_spread_over_decades(outcome: Outcome) -> bool:
    """Whether the worst losses would press the best ones together."""
    scores = outcome.scores
    return outcome.better is min and 0 < 10 * min(scores) <= max(scores)


def _draw_panel(axes: Axes, outcome: Outcome, dimension: Dimension) -> None:
    """Draws a point for each trial: its value, its score."""
    values = outcome.values(dimension.name)
    scale = scale_of(dimension, values)
    x = scale.places(values)
    if isinstance(scale, Categories):  # moves points apart that hide each other
        moves = (0.618 * np.arange(len(x)) + 0.5) % 1
        x = x + JITTER * (moves - 0.5)
    draw_trials(axes, outcome.measured, x, outcome.scores)
    for result, place, score in zip(outcome.measured, x, outcome.scores):
        if result is outcome.best:
            axes.scatter(place, score, **BEST, label="best")
        if result is outcome.defaults:
            axes.scatter(place, score, **DEFAULTS, label="defaults")

    heights, texts = zip(*scale.ticks)
    is_wide = len("  ".join(texts)) > LONGEST_TICKS
    axes.set_xticks(heights, texts)
    axes.tick_params("x", labelsize=8, labelrotation=30 if is_wide else 0)
    axes.set_xlim(min(0, x.min()) - 0.06, 1.06)
    note = " (logarithmic)" if dimension.is_log else ""
    axes.set_xlabel(f"{dimension.name}{note}")
    axes.grid(alpha=0.3)


def draw_trials(
    axes: Axes,
    trials: Sequence[TrialResult],
    x: Sequence[float] | np.ndarray,
    y: Sequence[float],
) -> None:
    """Draws a point for each trial; those that were stopped early are hollow."""
    kinds = {"trial": (False, WHOLE), "stopped early": (True, STOPPED)}
    for label, (is_stopped, marks) in kinds.items():
        shown = [
            (place, score)
            for result, place, score in zip(trials, x, y)
            if bool(result.stopped) == is_stopped
        ]
        if shown:
            axes.scatter(*zip(*shown), **marks, label=label)


def place_legend(figure: Figure, **settings: Any) -> None:
    """Draws the legend of a figure below it, in one row."""
    figure.legend(
        loc="outside lower center",
        ncols=5,
        fontsize=9,
        **settings,
    )
