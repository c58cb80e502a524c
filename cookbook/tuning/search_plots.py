"""Pictures of a search: all hyperparameters at once, and each against the score."""

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from cookbook.plots.figures import BLUE, ORANGE, save_figure


def draw_parallel(rows, names, score, run):
    """tuning_parallel.png: a line for each trial, through its values, to its score.

    rows: a dict for each trial, best first; names: the hyperparameters' columns.
    """
    columns = [*names, score]
    heights, ticks = zip(*(_placed([row[name] for row in rows]) for name in columns))
    scores = np.array([row[score] for row in rows], "float64")
    colour = ScalarMappable(Normalize(scores.min(), scores.max()), colormaps["cividis"])
    figure = Figure(figsize=(1.6 * len(columns) + 1.5, 4.5), layout="constrained")
    axes = figure.subplots()
    for i in reversed(range(len(rows))):  # the best is drawn last, on top
        line = [column[i] for column in heights]
        width, shade = (3, ORANGE) if i == 0 else (1.3, colour.to_rgba(scores[i]))
        axes.plot(range(len(columns)), line, color=shade, lw=width, alpha=0.9)
    for x, marks in enumerate(ticks):
        axes.axvline(x, color="black", lw=0.8)
        for y, text in marks:
            axes.text(
                x, y, f" {text}", fontsize=8, va="center",
                bbox={"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 0.5},
            )  # fmt: skip
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks([])
    axes.set_xlim(-0.2, len(columns) - 0.5)
    axes.set_title(f"{len(rows)} trials, the best in orange")
    figure.colorbar(colour, ax=axes, label=score)
    save_figure(figure, run, "tuning_parallel.png")


def draw_scores(rows, names, score, run):
    """tuning_scores.png: the score against each hyperparameter, a point a trial."""
    if not names:
        return
    across = min(3, len(names))
    down = -(-len(names) // across)
    figure = Figure(figsize=(3.6 * across, 3 * down), layout="constrained")
    panels = figure.subplots(down, across, squeeze=False, sharey=True)
    scores = [row[score] for row in rows]
    for axes, name in zip(panels.flat, names):
        values = [row[name] for row in rows]
        if not all(_is_number(value) for value in values):
            values = [str(value) for value in values]
        elif _spans_decades(values):
            axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.scatter(values, scores, color=BLUE, s=22)
        axes.scatter(values[:1], scores[:1], color=ORANGE, s=60, marker="D")
        axes.set_xlabel(name)
        axes.grid(alpha=0.3)
    for axes in panels[:, 0]:
        axes.set_ylabel(score)
    for axes in panels.flat[len(names) :]:
        axes.axis("off")
    figure.suptitle("Score of each trial, the best a diamond")
    save_figure(figure, run, "tuning_scores.png")


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _spans_decades(values):
    return min(values) > 0 and max(values) / min(values) >= 20


def _placed(values):
    """(height from 0 to 1 of each value, [(height, text)] of an axis's marks)."""
    if all(_is_number(value) for value in values):
        scale = np.log if _spans_decades(values) else np.asarray
        places = scale(np.array(values, "float64"))
        low, high = places.min(), places.max()
        heights = (places - low) / ((high - low) or 1)
        texts = {h: f"{v:.4g}" for h, v in sorted(zip(heights, values))}
        kept = list(texts) if len(texts) <= 5 else [min(texts), max(texts)]
        return heights, [(height, texts[height]) for height in kept]
    kinds = sorted({str(value) for value in values})
    heights = [kinds.index(str(v)) / max(1, len(kinds) - 1) for v in values]
    return heights, [(i / max(1, len(kinds) - 1), kind) for i, kind in enumerate(kinds)]
