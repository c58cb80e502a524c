"""What came of a search: its trials, and what they are compared by."""

import dataclasses
import math
import statistics
from collections.abc import Callable, Sequence

from cookbook.tuning.spaces.space import Dimension
from cookbook.tuning.trials.progress import cell
from cookbook.tuning.trials.results import Confirmed, TrialResult
from cookbook.tuning.trials.runner import Trials

FAR = 3  # times as far from the median as the best score is: what is worse is cut


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The trials of a search, for its table, its pictures and its figures."""

    score: str  # the column of the history that was compared
    better: Callable  # max or min, whichever finds the better of two scores
    dimensions: Sequence[Dimension]  # the space, a hyperparameter each
    ranked: Sequence[TrialResult]  # the best first, those that failed last
    best: TrialResult  # the trial whose settings the search has chosen
    second: str | None = None  # "seconds" or "parameters": a figure to keep small
    tuner: str = "random"

    @classmethod
    def of(cls, trials: Trials, confirmed: Sequence[Confirmed]) -> "Outcome":
        """The outcome of a search; if seeds have confirmed settings, they decide."""
        ranked = trials.ranked()
        numbers = {result.number: result for result in ranked}
        best = numbers[confirmed[0].number] if confirmed else ranked[0]
        return cls(
            trials.score,
            trials.better,
            trials.space.dimensions,
            ranked,
            best,
            trials.second,
            trials.config.tuner,
        )

    @property
    def measured(self) -> list[TrialResult]:
        """The trials that have a score, the best first."""
        return [
            result
            for result in self.ranked
            if result.score is not None and math.isfinite(result.score)
        ]

    @property
    def failed(self) -> list[TrialResult]:
        """The trials that have no score."""
        measured = {result.number for result in self.measured}
        return [result for result in self.ranked if result.number not in measured]

    @property
    def defaults(self) -> TrialResult | None:
        """Trial 0: the settings that the recipe has without a search."""
        found = [result for result in self.ranked if result.number == 0]
        return found[0] if found else None

    def values(self, name: str) -> list:
        """Values of a hyperparameter in the measured trials; None if it is inactive."""
        return [result.values.get(name) for result in self.measured]

    @property
    def scores(self) -> list[float]:
        """The scores of the measured trials, as pictures show them."""
        return self.cut([result.score or 0.0 for result in self.measured])

    @property
    def axis(self) -> str:
        """The name of the axis of scores in a picture."""
        whole = [result.score for result in self.measured]
        return self.score + (" (the worst are cut)" if self.scores != whole else "")

    def cut(self, scores: Sequence[float]) -> list[float]:
        """The scores without extremes, which would hide all other differences.

        A diverged loss can be a million times the others. The end of the scale lies
        FAR times as far on the bad side of the median as the best score on the good.
        """
        best, middle = self.better(scores), statistics.median(scores)
        if best == middle:
            return list(scores)
        end = middle - FAR * (best - middle)
        return [self.better(score, end) for score in scores]


def setting_name(result: TrialResult | Confirmed) -> str:
    """What a trial is called beside its settings."""
    return f"trial {result.number}" if result.number else "defaults"


def table_text(value: object) -> str:
    """A value as it stands in a table: nothing for what a trial does not have."""
    return "" if value is None else cell(value)


def in_two_lines(name: str) -> tuple[str, str]:
    """A name of several words, broken near its middle: ("learning_", "rate")."""
    places = [i + 1 for i, letter in enumerate(name) if letter == "_"]
    if not places:
        return "", name
    middle = min(places, key=lambda i: abs(i - len(name) / 2))
    return name[:middle], name[middle:]
