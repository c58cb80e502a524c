"""Importance of each hyperparameter: how much of the scores a forest owes to it."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import PercentFormatter

from cookbook.plots.figures import BLUE, Folder, panel, save_figure
from cookbook.tuning.insight.outcome import Outcome
from cookbook.tuning.insight.pictures import place_legend
from cookbook.tuning.insight.scales import is_plain_number
from cookbook.tuning.spaces.space import Dimension

FEWEST = 8  # trials
PER_DIMENSION = 2  # trials for each hyperparameter
TREES = 100
SHUFFLES = 10  # of each hyperparameter
NOISES = 3  # columns of random numbers, which show what chance alone gives
POOR = 0.25  # R^2 below which the forest has not understood the scores


@dataclasses.dataclass(frozen=True)
class Importance:
    """How important each hyperparameter is, or why nothing can be said about it."""

    text: str  # the same in words
    skill: float | None = None  # R^2 of the forest on trials that it has not seen
    # Shares of 1, the largest first.
    values: dict[str, float] = dataclasses.field(default_factory=dict)
    noise: float = 0.0  # the share that a column of random numbers gets

    @property
    def is_trusted(self) -> bool:
        """Whether the forest predicts unseen trials well enough to be believed."""
        return self.skill is not None and self.skill >= POOR


def importance_of(outcome: Outcome) -> Importance:
    """The importance of each hyperparameter for the score of a trial.

    A random forest learns to predict the score from the values. The importance of a
    hyperparameter is what the forest's R^2 loses when its values are shuffled among the
    trials (permutation importance; Breiman, "Random forests", 2001,
    https://doi.org/10.1023/A:1010933404324), as a share of all losses. A tree is asked
    only about trials that it has not learned from, so that noise has none.
    """
    varied = _varied(outcome)
    scores = np.array(_comparable(outcome))
    count = len(scores)
    needed = max(FEWEST, PER_DIMENSION * len(varied))
    if not varied or np.ptp(scores) == 0:
        return Importance("importance: not measured, since all trials are alike")
    if count < needed:
        return Importance(
            f"importance: not measured, which takes {needed} trials with a score; "
            f"there are {count}"
        )

    skill, losses, noise = _measure(varied, scores)
    total = sum(losses.values()) or 1.0
    shares = {name: loss / total for name, loss in losses.items()}
    values = dict(sorted(shares.items(), key=lambda item: -item[1]))
    found = Importance("", skill, values, min(1.0, noise / total))
    return dataclasses.replace(found, text=_in_words(found, outcome))


def _varied(outcome: Outcome) -> dict[Dimension, list]:
    """{hyperparameter: its value in each trial} of those with more than one value."""
    found = {}
    for dimension in outcome.dimensions:
        values = outcome.values(dimension.name)
        if len(set(values) - {None}) > 1:
            found[dimension] = values
    return found


def _comparable(outcome: Outcome) -> list[float]:
    """The score of each measured trial; with Hyperband, at the epoch that all reached.

    Hyperband trains good trials for longer: their last scores would also show that.
    """
    trials = outcome.measured
    scores = [result.score or 0.0 for result in trials]
    if outcome.tuner == "hyperband":
        epochs = min(len(result.scores) for result in trials)
        scores = [outcome.better(result.scores[:epochs]) for result in trials]
    return outcome.cut(scores)


def _measure(
    varied: dict[Dimension, list], scores: np.ndarray
) -> tuple[float, dict[str, float], float]:
    """(R^2, {hyperparameter: how much R^2 loses without it}, the same of noise)."""
    from sklearn.inspection import permutation_importance

    random = np.random.default_rng(0)
    columns, sizes = [], []
    for dimension, values in varied.items():
        column, size = _coded(dimension, values, random)
        columns.append(column)
        sizes.append(size)
    for _ in range(NOISES):
        columns.append(random.random(len(scores)))
        sizes.append(0)

    x = np.stack(columns, axis=1)
    forest = UnseenForest(sizes).fit(x, scores)
    losses = permutation_importance(
        forest,
        x,
        scores,
        scoring=r_squared,
        n_repeats=SHUFFLES,
        random_state=0,
    ).importances_mean
    named = {}
    for dimension, loss in zip(varied, losses):
        named[dimension.name] = max(0.0, float(loss))
    noise = np.abs(losses[len(varied) :]).max()
    return r_squared(forest, x, scores), named, float(noise)


class UnseenForest:
    """A random forest whose trees answer only for rows that they have not learned from.

    sizes: the number of categories in each column, whose codes have no order; 0 for a
        column of numbers.
    """

    def __init__(self, sizes: Sequence[int]):
        self.sizes = sizes

    def fit(self, x: np.ndarray, y: np.ndarray) -> "UnseenForest":
        """Learns the rows of `x`; each tree draws rows of its own."""
        from sklearn.ensemble import RandomForestRegressor

        forest = RandomForestRegressor(TREES, random_state=0, n_jobs=1)
        forest.fit(self._spread(x), y)
        self.trees = forest.estimators_
        rows = np.arange(len(y))
        learned = [np.isin(rows, drawn) for drawn in forest.estimators_samples_]
        self.is_unseen = ~np.array(learned)  # of each tree, each row
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """A number for each of the learned rows, whose values may have changed."""
        x = self._spread(x)
        answers = [tree.predict(x, check_input=False) for tree in self.trees]
        weights = self.is_unseen + 1e-9  # in case all trees have learned a row
        return np.average(answers, axis=0, weights=weights)

    def _spread(self, x: np.ndarray) -> np.ndarray:
        """Gives each category a column of its own, which holds 0 and 1."""
        columns: list[np.ndarray] = []
        for column, size in zip(x.T, self.sizes):
            if size:
                columns += [column == code for code in range(size)]
            else:
                columns.append(column)
        return np.stack(columns, axis=1).astype("float32")


def r_squared(forest: UnseenForest, x: np.ndarray, y: np.ndarray) -> float:
    """The share of the variance of `y` that the forest explains; below 0: it errs."""
    error = np.square(y - forest.predict(x)).sum()
    variation = np.square(y - y.mean()).sum()
    return float(1 - error / variation)


def _coded(
    dimension: Dimension, values: list, random: np.random.Generator
) -> tuple[np.ndarray, int]:
    """(a number for each value, the number of categories or 0 for numbers).

    An inactive value becomes one of the active ones, drawn at random. Otherwise it
    would tell the forest the value of the hyperparameter that it depends on.
    """
    active = [value for value in values if value is not None]
    drawn = random.integers(len(active), size=len(values))
    filled = []
    for i, value in zip(drawn, values):
        filled.append(active[i] if value is None else value)

    if not all(map(is_plain_number, active)):
        kinds = list(dict.fromkeys(active))
        codes = [kinds.index(value) for value in filled]
        return np.array(codes, "float64"), len(kinds)
    numbers = np.array(filled, "float64")
    if dimension.is_log and min(active) > 0:
        numbers = np.log(numbers)
    return numbers, 0


def _in_words(found: Importance, outcome: Outcome) -> str:
    """The importances as they are printed, with what they are worth."""
    count = len(outcome.measured)
    if not found.is_trusted:
        return (
            f"importance: {count} trials do not show it; a forest that learns from "
            f"them explains the score of unseen ones with R^2 {found.skill:.2f} "
            "(1: perfectly, 0: not at all)"
        )
    parts = [f"{name} {share:.0%}" for name, share in found.values.items()]
    return (
        f"importance for {outcome.score}: {', '.join(parts)} (chance gives up to "
        f"{found.noise:.0%}; from a forest with R^2 {found.skill:.2f} on unseen trials)"
    )


def draw_importance(found: Importance, outcome: Outcome, run: Folder) -> None:
    """Draws tuning_importance.png: a bar for each hyperparameter."""
    if found.skill is None:
        return
    title = f"Importance for {outcome.score}"
    note = f"a forest explains unseen trials with R^2 {found.skill:.2f}"
    colour = BLUE
    if not found.is_trusted:
        title = "Too few trials, or too much noise: do not trust these importances"
        colour = "#BBBBBB"
    height = 1.9 + 0.35 * len(found.values)
    figure, axes = panel(title, f"share ({note})", "", (7.5, height))
    shares = list(found.values.values())
    bars = axes.barh(list(found.values), shares, color=colour)
    axes.bar_label(bars, [f"{share:.0%}" for share in shares], padding=4)
    axes.axvline(
        found.noise,
        ls="--",
        color="black",
        lw=1,
        label="share of a random number, by chance",
    )
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    place_legend(figure)
    save_figure(figure, run, "tuning_importance.png")
