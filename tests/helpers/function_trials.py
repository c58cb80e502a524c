"""A search of a function, for the tests of strategies: it takes no time."""

import dataclasses

import numpy as np

from benchmarks.search import FunctionTrials, Problem
from cookbook.config import Count, TrainingConfig
from cookbook.training.run_folder import RunFolder
from cookbook.tuning.strategies.engines import propose


@dataclasses.dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 4  # passes
    kind: str = "plain"  # of the optimizer
    momentum: float = 0.3  # of one kind
    rate: float = 0.05  # step size
    units: Count = 4  # hidden units
    is_wide: bool = False  # a flag


def space(hp):
    """With each type of hyperparameter, and one that is not always active."""
    kind = hp.Choice("kind", ["plain", "momentum", "other"])
    with hp.conditional_scope("kind", ["momentum"]):
        momentum = hp.Float("momentum", 0.0, 0.9, step=0.3)
    return Config(
        kind=kind,
        momentum=momentum,
        rate=hp.Float("rate", 1e-3, 1.0, sampling="log"),
        units=hp.Int("units", 2, 5),
        is_wide=hp.Boolean("is_wide"),
    )


def scores(config):
    """Scores that rise with the epochs, and are best at certain settings."""
    distance = abs(np.log10(config.rate) + 2) + abs(config.units - 3) / 2
    distance += {"plain": 1, "momentum": 0, "other": 2}[config.kind]
    for epoch in range(1, 100):
        yield float(-distance + 0.01 * epoch)


PROBLEM = Problem("test", Config, space, scores, "accuracy")


def trials_of(folder, tuner, problem=PROBLEM, kind=FunctionTrials, **settings):
    """A fake Trials whose run folder is `folder`."""
    config = problem.config(tuner=tuner, **settings)
    folder.mkdir(exist_ok=True)
    return kind(problem, config, RunFolder(folder, config))


def searched(folder, tuner, **settings):
    trials = trials_of(folder, tuner, **settings)
    propose(trials)
    return trials


def values(trials):
    return {number: result.values for number, result in trials.done.items()}


class Killed(BaseException):
    """The end of a process, as far as one process can tell it."""


class Mortal(FunctionTrials):
    """A Trials whose process dies in a trial, after its first epoch."""

    dies_in = 6

    def run_or_recall(self, number, values, until=None, report=None):
        if number == self.dies_in:
            (self.run.part(f"tuning/trial_{number}")).write_json("values.json", values)
            if report is not None:
                report(1, 0.1)
            raise Killed
        return super().run_or_recall(number, values, until, report)


class Recording(FunctionTrials):
    """A Trials that notes who was trained how far."""

    def __init__(self, *arguments):
        self.calls = []
        super().__init__(*arguments)

    def run_or_recall(self, number, values, until=None, report=None):
        self.calls.append((number, until))
        return super().run_or_recall(number, values, until, report)


class OutOfTime(FunctionTrials):
    """A Trials whose time is up after four trials beside trial 0."""

    def time_is_up(self):
        return len(self.done) > 4
