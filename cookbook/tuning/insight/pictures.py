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
from matplotlib.ticker import NullFormatter

from cookbook.plots.figures import BLUE, ORANGE, save_figure
from cookbook.training.run_folder import RunFolder

Marks = list[tuple[float, str]]  # of an axis: heights and texts
DECADES = 20  # an axis is logarithmic if its values differ by this factor or more


def draw_parallel(
    rows: Sequence[dict],
    names: Sequence[str],
    score: str,
    run: RunFolder,
) -> None:
    """Draws tuning_parallel.png: each trial is a line through its values to its score.

    rows: a dict for each trial, best first.
    names: the columns of the hyperparameters.
    score: the column of the score.
    """
    columns = [*names, score]
    width = 1.6 * len(columns) + 1.5
    figure = Figure(figsize=(width, 4.5), layout="constrained")
    axes = figure.subplots()

    heights = []  # of each column, of each trial
    for x, name in enumerate(columns):
        column, marks = _placed([row[name] for row in rows])
        heights.append(column)
        _draw_axis(axes, x, marks)

    scores = np.array([row[score] for row in rows], "float64")
    scale = Normalize(scores.min(), scores.max())
    colour = ScalarMappable(scale, colormaps["cividis"])
    lines = list(zip(*heights))
    others = zip(lines[1:], scores[1:])
    for line, value in reversed(list(others)):  # the better ones on top
        shade = colour.to_rgba(value)
        axes.plot(line, color=shade, lw=1.3, alpha=0.9)
    axes.plot(lines[0], color=ORANGE, lw=3, alpha=0.9)

    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks([])
    axes.set_xlim(-0.2, len(columns) - 0.5)
    axes.set_title(f"{len(rows)} trials, the best in orange")
    figure.colorbar(colour, ax=axes, label=score)
    save_figure(figure, run, "tuning_parallel.png")


def _draw_axis(
    axes: Axes,
    x: float,
    marks: Marks,
) -> None:
    """Draws an upright axis at `x` with a text at each height."""
    axes.axvline(x, color="black", lw=0.8)
    frame = {"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 0.5}
    for height, text in marks:
        axes.text(x, height, f" {text}", fontsize=8, va="center", bbox=frame)


def draw_scores(
    rows: Sequence[dict],
    names: Sequence[str],
    score: str,
    run: RunFolder,
) -> None:
    """Draws tuning_scores.png: the score against each hyperparameter.

    rows: a dict for each trial, best first; each is a point, the best a diamond.
    """
    if not names:
        return
    across = min(3, len(names))
    down = math.ceil(len(names) / across)
    size = (3.6 * across, 3 * down)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(down, across, squeeze=False, sharey=True)

    scores = [row[score] for row in rows]
    for axes, name in zip(panels.flat, names):
        _scatter(axes, [row[name] for row in rows], scores)
        axes.set_xlabel(name)

    for axes in panels[:, 0]:
        axes.set_ylabel(score)
    for axes in panels.flat[len(names) :]:
        axes.axis("off")
    figure.suptitle("Score of each trial, the best a diamond")
    save_figure(figure, run, "tuning_scores.png")


def _scatter(
    axes: Axes,
    values: Sequence,
    scores: Sequence[float],
) -> None:
    """Draws a point for each trial, and the first one as a diamond."""
    if not _are_numbers(values):
        values = [str(value) for value in values]
    elif _spans_decades(values):
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.scatter(values, scores, color=BLUE, s=22)
    axes.scatter(values[:1], scores[:1], color=ORANGE, s=60, marker="D")
    axes.grid(alpha=0.3)


def _are_numbers(values: Sequence) -> bool:
    """Whether all values are numbers; True and False are words, not numbers."""
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
    return True


def _spans_decades(values: Sequence[float]) -> bool:
    """Whether the values differ so much that a logarithmic axis shows them better."""
    smallest = min(values)
    return smallest > 0 and max(values) / smallest >= DECADES


def _placed(values: Sequence) -> tuple[Any, Marks]:
    """(heights of the values on an axis from 0 to 1, [(height, text)] of its marks)."""
    if _are_numbers(values):
        return _placed_numbers(values)
    words = [str(value) for value in values]
    kinds = sorted(set(words))
    last = max(1, len(kinds) - 1)
    height = {kind: i / last for i, kind in enumerate(kinds)}
    marks = [(height[kind], kind) for kind in kinds]
    return [height[word] for word in words], marks


def _placed_numbers(values: Sequence[float]) -> tuple[Any, Marks]:
    """What `_placed` returns for numbers; more than five get two marks, at the ends."""
    places = np.array(values, "float64")
    if _spans_decades(values):
        places = np.log(places)
    low = places.min()
    span = places.max() - low
    heights = (places - low) / (span or 1)

    texts = {}
    for height, value in sorted(zip(heights, values)):
        texts[height] = f"{value:.4g}"
    marks = list(texts.items())
    if len(marks) > 5:
        marks = [marks[0], marks[-1]]
    return heights, marks
