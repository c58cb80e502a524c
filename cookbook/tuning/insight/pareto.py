"""Trials that no other beats in both of two figures: the Pareto front of a search."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from cookbook.plots.figures import BLUE, ORANGE, Folder, panel, save_figure
from cookbook.tuning.insight.outcome import Outcome, name_of, written
from cookbook.tuning.results import TrialResult

WIDE = 20  # the axis is logarithmic if its figures differ by this factor or more
NEAR = 18  # pixels between two points that both have room for their numbers


def whole_trials(outcome: Outcome) -> list[TrialResult]:
    """The trials with the longest training, which alone can be compared in both."""
    epochs = max(result.epochs for result in outcome.measured)
    return [result for result in outcome.measured if result.epochs == epochs]


def front_of(outcome: Outcome) -> list[TrialResult]:
    """The trials of the front, the cheapest first.

    Each one has a better score than all that are cheaper.
    """
    if outcome.second is None:
        return []
    front: list[TrialResult] = []
    # Of equal costs the best score comes first, as in outcome.measured.
    for result in sorted(whole_trials(outcome), key=lambda one: _cost(one, outcome)):
        scores = [result.score, *(other.score for other in front[-1:])]
        is_better = len(scores) == 1 or scores[0] != scores[1]
        if is_better and outcome.better(scores) == result.score:
            front.append(result)
    return front


def front_lines(outcome: Outcome, front: list[TrialResult]) -> list[str]:
    """What is printed of the front: a line for each of its trials."""
    lines = [f"nothing beats these in both {outcome.score} and {outcome.second}:"]
    for result in front:
        values = ", ".join(f"{k} {written(v)}" for k, v in result.values.items())
        cost = f"{_cost(result, outcome):,} {outcome.second}"
        lines.append(f"  {name_of(result)}: {written(result.score)}, {cost} | {values}")
    return lines


def draw_front(outcome: Outcome, front: list[TrialResult], run: Folder) -> None:
    """Draws tuning_pareto.png: the score of each trial against its cost."""
    title = f"Nothing beats the front in both {outcome.score} and {outcome.second}"
    figure, axes = panel(title, str(outcome.second), outcome.axis, (7.5, 4.5))
    trials = whole_trials(outcome)
    costs = [_cost(result, outcome) for result in trials]
    scores = outcome.cut([result.score or 0.0 for result in trials])
    place = {one.number: (x, y) for one, x, y in zip(trials, costs, scores)}
    axes.scatter(costs, scores, s=20, color=BLUE, alpha=0.6, label="trial")
    x, y = zip(*(place[result.number] for result in front))
    axes.step(x, y, where="post", color=ORANGE, lw=1.5, zorder=1)
    axes.scatter(x, y, s=60, marker="D", color=ORANGE, label="front, with its trials")
    if 0 in place:
        axes.scatter(*place[0], s=60, marker="x", color="black", label="defaults")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    if min(costs) > 0 and max(costs) >= WIDE * min(costs):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(lambda cost, _: f"{cost:,.6g}")
    _name_points(axes, outcome, front, place)
    axes.margins(y=0.12)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=3, fontsize=9)
    save_figure(figure, run, "tuning_pareto.png")


def _name_points(
    axes: Axes, outcome: Outcome, front: list[TrialResult], place: dict
) -> None:
    """Writes the number of a trial beside its point, on the side that nothing beats."""
    side = 7 if outcome.better is max else -14
    free = float("inf")  # left of which no number stands yet
    for result in reversed(front):
        x, _ = axes.transData.transform(place[result.number])
        if x < free:
            shift: Any = {"xytext": (-7, side), "textcoords": "offset points"}
            name = str(result.number)
            axes.annotate(name, place[result.number], fontsize=8, **shift)
            free = x - NEAR


def _cost(result: TrialResult, outcome: Outcome) -> float:
    return getattr(result, str(outcome.second))
