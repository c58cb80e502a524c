"""Picture of how a search went on: the best score so far, trial by trial."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from cookbook.plots.figures import BLUE, ORANGE, Folder, panel, save_figure
from cookbook.tuning.insight.outcome import Outcome


def draw_progress(outcome: Outcome, run: Folder) -> None:
    """Draws tuning_progress.png: each trial's score, and the best one until then."""
    title = f"Best {outcome.score} so far"
    figure, axes = panel(title, "trial", outcome.axis, (7.5, 4.2))
    trials = sorted(outcome.measured, key=lambda result: result.number)
    numbers = np.array([result.number for result in trials])
    scores = np.array(outcome.cut([result.score or 0.0 for result in trials]))
    is_whole = np.array([result.stopped is None for result in trials])

    axes.scatter(numbers[is_whole], scores[is_whole], s=20, color=BLUE, label="trial")
    if not is_whole.all():
        marks: Any = {"s": 20, "facecolors": "none", "edgecolors": BLUE}
        early = ~is_whole
        axes.scatter(numbers[early], scores[early], **marks, label="stopped early")
    _draw_failed(axes, outcome)
    best = np.maximum if outcome.better is max else np.minimum
    last = max(result.number for result in outcome.ranked)
    axes.step(
        [*numbers, last],
        [*best.accumulate(scores), outcome.better(scores)],
        where="post",
        color=ORANGE,
        lw=2,
        label="best so far",
    )
    if numbers[0] == 0:
        axes.axhline(scores[0], ls="--", color="black", lw=1, label="defaults")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=5, fontsize=9)
    save_figure(figure, run, "tuning_progress.png")


def _draw_failed(axes: Axes, outcome: Outcome) -> None:
    """Marks the trials without a score at the lower edge of the picture."""
    numbers = [result.number for result in outcome.ranked]
    measured = {result.number for result in outcome.measured}
    failed = [number for number in numbers if number not in measured]
    if failed:
        edge = axes.get_xaxis_transform()  # heights from 0 to 1
        height = [0.02] * len(failed)
        marks: Any = {"marker": "x", "color": "#CC79A7", "s": 30, "transform": edge}
        axes.scatter(failed, height, **marks, label="failed")
