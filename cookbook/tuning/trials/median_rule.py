"""Median rule: when a trial is not worth its remaining epochs."""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence

import keras

from cookbook.errors import fail
from cookbook.training.train import NotFinite
from cookbook.tuning.trials.results import TrialResult

LEAST = 5  # trials that must have got as far, before the rule stops another one
WARM_UP = 1 / 3  # share of the epochs in which no trial is stopped


def is_hopeless(
    scores: Sequence[float],
    earlier: Iterable[TrialResult],
    epochs: int,
    better: Callable,
) -> bool:
    """Whether a trial is worse than the median of the earlier trials at its epoch.

    Each trial counts with its best score until then. The rule is the one that Google
    Vizier uses, with the best score in place of the average (Golovin et al., "Google
    Vizier: A service for black-box optimization", 2017,
    https://doi.org/10.1145/3097983.3098043).

    scores: of the trial, after each of its epochs so far.
    epochs: of a trial that is not stopped.
    better: max or min, whichever finds the better of two scores.
    """
    epoch = len(scores)
    if epoch < math.ceil(WARM_UP * epochs) or epoch >= epochs:
        return False
    others = [
        better(result.scores[:epoch])
        for result in earlier
        if len(result.scores) >= epoch
    ]
    if len(others) < LEAST:
        return False
    median = statistics.median(others)
    best = better(scores)
    return best != median and better(best, median) == median


class Watch(keras.callbacks.Callback):
    """Follows the score of a trial, and stops the trial when it is told to.

    is_over: is_over(scores) says, after each epoch, whether the trial is to stop.
    """

    def __init__(self, score: str, is_over: Callable[[list[float]], bool]):
        super().__init__()
        self.score = score
        self.is_over = is_over
        # An attribute that a save of the training keeps.
        self.scores: list[float] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        if self.score not in logs:
            columns = ", ".join(logs)
            fail(
                f"a search needs the column {self.score}, got {columns}: let the "
                "recipe call search with the name of one of these as its score"
            )
        score = float(logs[self.score])
        if not math.isfinite(score):  # it could not be compared with others
            raise NotFinite(f"the {self.score} became {score} in epoch {epoch + 1}")
        self.scores = [*self.scores, score]
        if self.is_over(self.scores):
            self.model.stop_training = True
