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
from cookbook.tuning.insight.outcome import Outcome, in_two_lines, name_of
from cookbook.tuning.insight.scales import Categories, Numbers, Scale, scale_of
from cookbook.tuning.space import Dimension

JITTER = 0.1  # width of the column of points above a category
MOST_PANELS = 12  # of tuning_scores.png
FRAME = {"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 0.5}  # behind a text


def draw_parallel(outcome: Outcome, run: Folder) -> None:
    """Draws tuning_parallel.png: each trial is a line through its values to its score.

    The scales are those of the space. An inactive hyperparameter is passed below.
    """
    columns = [outcome.values(one.name) for one in outcome.dimensions]
    scales = [scale_of(one, c) for one, c in zip(outcome.dimensions, columns)]
    scores = outcome.scores
    scales.append(Numbers(min(scores), max(scores)))
    columns.append(scores)
    names = [one.name for one in outcome.dimensions] + [outcome.score]

    figure = Figure(figsize=(1.5 * len(names) + 1.5, 4.8), layout="constrained")
    axes = figure.subplots()
    heights = [[scale.place(v) for v in c] for scale, c in zip(scales, columns)]
    _draw_lines(axes, outcome, np.transpose(heights), scores)
    for x, scale in enumerate(scales):
        _draw_axis(axes, x, scale)
    labels = ["\n".join(in_two_lines(name)).strip() for name in names]
    axes.set_xticks(range(len(names)), labels)
    axes.set_yticks([])
    axes.set_xlim(-0.2, len(names) - 0.35)
    axes.spines[:].set_visible(False)
    axes.set_title(_counted(outcome))
    save_figure(figure, run, "tuning_parallel.png")


def _draw_lines(
    axes: Axes, outcome: Outcome, lines: np.ndarray, scores: Sequence[float]
) -> None:
    """Draws a line for each trial, the darker the better; the best ones on top."""
    palette = colormaps["cividis_r" if outcome.better is max else "cividis"]
    shades = ScalarMappable(Normalize(min(scores), max(scores)), palette)
    alpha = 0.85 if len(lines) <= 40 else 0.5
    trials = list(zip(outcome.measured, lines, scores))
    for result, line, score in reversed(trials):
        if result not in (outcome.best, outcome.defaults):
            axes.plot(line, color=shades.to_rgba(score), lw=1.2, alpha=alpha)
    for result, line, _ in trials:
        if result is outcome.best:
            axes.plot(line, color=ORANGE, lw=3, label=f"best: {name_of(result)}")
        if result is outcome.defaults:
            axes.plot(line, "--", color="black", lw=1.8, label="defaults")
    axes.figure.colorbar(shades, ax=axes, label=outcome.axis)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, frameon=False)


def _draw_axis(axes: Axes, x: float, scale: Scale) -> None:
    """Draws an upright axis at `x` with a text at each tick."""
    axes.plot([x, x], [0, 1], color="black", lw=0.8)
    for height, text in scale.ticks:
        axes.text(x, height, f" {text}", fontsize=8, va="center", bbox=FRAME)


def _counted(outcome: Outcome) -> str:
    """How many trials a picture shows, and how many have failed."""
    failed = len(outcome.ranked) - len(outcome.measured)
    note = f", without {failed} that failed" if failed else ""
    return f"{len(outcome.measured)} trials{note}: darker is better"


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
        _scatter(axes, outcome, dimension)
    for axes in panels[:, 0]:
        axes.set_ylabel(outcome.axis)
    for axes in panels.flat[len(shown) :]:
        axes.axis("off")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9)
    figure.suptitle(f"{outcome.score} of each trial")
    save_figure(figure, run, "tuning_scores.png")


def _scatter(axes: Axes, outcome: Outcome, dimension: Dimension) -> None:
    """Draws a point for each trial, and marks the best one and the defaults."""
    values = outcome.values(dimension.name)
    scale = scale_of(dimension, values)
    x = np.array([scale.place(value) for value in values])
    if isinstance(scale, Categories):  # moves points apart that hide each other
        x += JITTER * ((0.618 * np.arange(len(x)) + 0.5) % 1 - 0.5)
    y = np.array(outcome.scores)
    is_whole = np.array([result.stopped is None for result in outcome.measured])
    numbers = np.array([result.number for result in outcome.measured])
    axes.scatter(x[is_whole], y[is_whole], s=20, color=BLUE, alpha=0.6, label="trial")
    if not is_whole.all():
        open_marks: Any = {"s": 20, "facecolors": "none", "edgecolors": BLUE}
        axes.scatter(x[~is_whole], y[~is_whole], **open_marks, label="stopped early")
    best, defaults = numbers == outcome.best.number, numbers == 0
    axes.scatter(x[best], y[best], s=70, marker="D", color=ORANGE, label="best")
    axes.scatter(x[defaults], y[defaults], s=60, marker="x", c="k", label="defaults")
    axes.set_xticks(*zip(*scale.ticks))
    is_wide = sum(len(text) + 2 for _, text in scale.ticks) > 36
    axes.tick_params("x", labelsize=8, labelrotation=30 if is_wide else 0)
    axes.set_xlim(min(-0.06, x.min() - 0.06), 1.06)
    axes.set_xlabel(dimension.name + (" (logarithmic)" if dimension.is_log else ""))
    axes.grid(alpha=0.3)
