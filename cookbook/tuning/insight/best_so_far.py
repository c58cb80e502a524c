"""Picture of how a search went on: the best score so far, trial by trial."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from cookbook.plots.figures import ORANGE, Folder, panel, save_figure
from cookbook.tuning.insight.outcome import Outcome
from cookbook.tuning.insight.pictures import draw_trials, place_legend

PINK = "#CC79A7"


def draw_progress(outcome: Outcome, run: Folder) -> None:
    """Draws tuning_progress.png: each trial's score, and the best one until then."""
    title = f"Best {outcome.score} so far"
    figure, axes = panel(title, "trial", outcome.axis, (7.5, 4.2))
    trials = outcome.measured
    numbers = [result.number for result in trials]
    draw_trials(axes, trials, numbers, outcome.scores)
    _draw_failed(axes, outcome)
    _draw_best(axes, outcome, numbers)

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    place_legend(figure)
    save_figure(figure, run, "tuning_progress.png")


def _draw_best(axes: Axes, outcome: Outcome, numbers: Sequence[int]) -> None:
    """Draws the best score so far as stairs, and that of the defaults as a line."""
    scores = np.array(outcome.scores)
    order = np.argsort(numbers)
    accumulate = np.maximum if outcome.better is max else np.minimum
    best = accumulate.accumulate(scores[order])
    last = max(result.number for result in outcome.ranked)
    axes.step(
        [*np.sort(numbers), last],
        [*best, best[-1]],
        where="post",
        color=ORANGE,
        lw=2,
        label="best so far",
    )
    if 0 in numbers:
        axes.axhline(
            scores[order[0]],
            ls="--",
            color="black",
            lw=1,
            label="defaults",
        )


def _draw_failed(axes: Axes, outcome: Outcome) -> None:
    """Marks the trials without a score at the lower edge of the picture."""
    failed = [result.number for result in outcome.failed]
    if failed:
        axes.scatter(
            failed,
            [0.02] * len(failed),
            marker="x",
            color=PINK,
            s=30,
            transform=axes.get_xaxis_transform(),  # heights are from 0 to 1
            label="failed",
        )
