"""Results of trials, as the search keeps them in files of their own."""

import contextlib
import dataclasses
import statistics
from pathlib import Path

from cookbook.runs.files import Damaged, read_json


@dataclasses.dataclass
class TrialResult:
    """What a trial was, and what came of it: the content of trials/<number>.json."""

    number: int  # the same on the screen, in files and in TensorBoard; 0: the defaults
    values: dict  # {hyperparameter: value} of the hyperparameters that are active
    score: float | None = None  # the best of `scores`; None if the trial failed
    # After each epoch; of a failed trial, those before Hyperband promoted it.
    scores: list[float] = dataclasses.field(default_factory=list)
    problem: str | None = None  # why it failed
    stopped: str | None = None  # why it was stopped before its last epoch
    epochs: int = 0
    steps: int = 0
    seconds: float = 0.0  # from the building of its model to the last validation
    parameters: int = 0  # numbers that the training changes


@dataclasses.dataclass(frozen=True)
class Confirmed:
    """The scores that the settings of a trial reach with several seeds."""

    number: int  # of the trial
    scores: list[float]

    @property
    def mean(self) -> float:
        """The mean of the scores, by which the search decides."""
        return statistics.fmean(self.scores)

    @property
    def deviation(self) -> float:
        """The sample standard deviation of the scores: the noise of the seeds."""
        return statistics.stdev(self.scores)


def results_in(run: Path) -> dict[int, TrialResult]:
    """{number: result} of the trials in a run folder; damaged files are left out."""
    found = {}
    for path in (run / "trials").glob("*.json"):
        with contextlib.suppress(Damaged):
            result = read_result(path)
            if path.stem == str(result.number):  # others are of a confirmation
                found[result.number] = result
    return dict(sorted(found.items()))


def seed_of_repeat(seed: int, i: int) -> int:
    """The seed of the i-th further training of a setting, counted from 1."""
    return (seed + i) % 2**31


def read_result(path: Path) -> TrialResult:
    """The result of a trial in a file; raises Damaged if it does not hold one."""
    content = read_json(path)
    try:
        result = TrialResult(**content)
    except TypeError as problem:
        raise Damaged(str(problem)) from None
    if not isinstance(result.scores, list):
        raise Damaged("its scores are not a list")
    numbers = [result.score or 0.0, result.epochs, result.steps, result.seconds]
    numbers += [result.number, result.parameters, *result.scores]
    if not all(isinstance(number, int | float) for number in numbers):
        raise Damaged("one of its numbers is not a number")
    if not isinstance(result.values, dict):
        raise Damaged("its values are not a JSON object")
    return result
