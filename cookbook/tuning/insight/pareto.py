"""Trials that no other beats in both of two figures: the Pareto front of a search."""

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from cookbook.plots.figures import ORANGE, Folder, panel, save_figure
from cookbook.tuning.insight.outcome import Outcome, setting_name, table_text
from cookbook.tuning.insight.pictures import (
    BEST,
    DEFAULTS,
    draw_trials,
    place_legend,
)
from cookbook.tuning.trials.progress import setting_text
from cookbook.tuning.trials.results import TrialResult

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
    trials = whole_trials(outcome)  # the best first, and so they stay at equal costs
    trials.sort(key=lambda result: _cost(result, outcome))
    front: list[TrialResult] = []
    for result in trials:
        if not front or _is_better(result, front[-1], outcome):
            front.append(result)
    return front


def _is_better(one: TrialResult, other: TrialResult, outcome: Outcome) -> bool:
    best = outcome.better(one.score, other.score)
    return one.score != other.score and best == one.score


def _cost(result: TrialResult, outcome: Outcome) -> float:
    """The second figure of a trial: its seconds or its parameters."""
    return getattr(result, str(outcome.second))


def front_lines(outcome: Outcome, front: list[TrialResult]) -> list[str]:
    """What is printed of the front: a line for each of its trials."""
    lines = [f"nothing beats these in both {outcome.score} and {outcome.second}:"]
    for result in front:
        lines.append(
            f"  {setting_name(result)}: {table_text(result.score)}, "
            f"{_cost(result, outcome):,} {outcome.second} | "
            f"{setting_text(result.values)}"
        )
    return lines


def draw_front(outcome: Outcome, front: list[TrialResult], run: Folder) -> None:
    """Draws tuning_pareto.png: the score of each trial against its cost."""
    title = f"Nothing beats the front in both {outcome.score} and {outcome.second}"
    figure, axes = panel(title, str(outcome.second), outcome.axis, (7.5, 4.5))
    trials = whole_trials(outcome)
    costs = [_cost(result, outcome) for result in trials]
    scores = outcome.cut([result.score or 0.0 for result in trials])
    numbers = [result.number for result in trials]
    place = dict(zip(numbers, zip(costs, scores)))

    draw_trials(axes, trials, costs, scores)
    x, y = zip(*(place[result.number] for result in front))
    axes.step(
        x,
        y,
        where="post",
        color=ORANGE,
        lw=1.5,
        zorder=1,
    )
    axes.scatter(x, y, **BEST, label="front, with its trials")
    if 0 in place:
        axes.scatter(*place[0], **DEFAULTS, label="defaults")
    _scale_costs(axes, costs)
    _name_points(axes, outcome, front, place)
    axes.margins(y=0.12)
    axes.grid(alpha=0.3)
    place_legend(figure)
    save_figure(figure, run, "tuning_pareto.png")


def _scale_costs(axes: Axes, costs: list[float]) -> None:
    """Writes round numbers below the axis of costs, logarithmic if they are far."""
    axes.xaxis.set_major_locator(MaxNLocator(6))
    if min(costs) > 0 and max(costs) >= WIDE * min(costs):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(lambda cost, _: f"{cost:,.6g}")


def _name_points(
    axes: Axes,
    outcome: Outcome,
    front: list[TrialResult],
    place: dict[int, tuple[float, float]],
) -> None:
    """Writes the number of a trial beside its point, on the side that nothing beats."""
    side = 7 if outcome.better is max else -14
    free = float("inf")  # left of which no number stands yet
    for result in reversed(front):
        point = place[result.number]
        x, _ = axes.transData.transform(point)
        if x < free:
            axes.annotate(
                str(result.number),
                point,
                xytext=(-7, side),
                textcoords="offset points",
                fontsize=8,
            )
            free = x - NEAR
