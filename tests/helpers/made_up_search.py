"""A search without trainings: its scores come from a formula of the settings."""

import dataclasses
import json
import math
from pathlib import Path

import numpy as np

from cookbook.config import Count, Portion, Rate, TrainingConfig
from cookbook.tuning.spaces.space import Dimension
from cookbook.tuning.trials.results import TrialResult

SPACE = (
    Dimension("learning_rate", "float", low=1e-4, high=1e-1, is_log=True),
    Dimension("units", "int", low=16, high=512, step=2, is_log=True),
    Dimension("dropout", "float", low=0.0, high=0.6),
    Dimension("optimizer", "choice", ("adam", "sgd", "rmsprop")),
    Dimension(
        "nesterov", "choice", (False, True), conditions=(("optimizer", ("sgd",)),)
    ),
)


@dataclasses.dataclass(frozen=True)
class Config(TrainingConfig):
    """A Config with the fields of SPACE."""

    learning_rate: Rate = 0.02  # step size
    units: Count = 32  # hidden units
    dropout: Portion = 0.0  # share of units that are left out
    optimizer: str = "sgd"  # kind of optimizer
    nesterov: bool = False  # whether the momentum looks ahead
    epochs: Count = 5  # passes


@dataclasses.dataclass
class Folder:
    """A folder that takes files, as a RunFolder does."""

    path: Path

    def write(self, name, save):
        save(self.path / name)

    def write_json(self, name, content):
        text = json.dumps(content, indent=2, allow_nan=False)
        (self.path / name).write_text(text)


@dataclasses.dataclass
class Space:
    """Only what the insight asks of a space."""

    dimensions: tuple


@dataclasses.dataclass
class Trials:
    """Only what the insight asks of the trials of a search."""

    results: list
    run: Folder
    config: Config = dataclasses.field(default_factory=Config)
    space: Space = dataclasses.field(default_factory=lambda: Space(SPACE))
    score: str = "val_accuracy"
    second: str | None = None

    @property
    def better(self):
        return min if self.score.endswith("loss") else max

    @property
    def done(self):
        return {result.number: result for result in self.results}

    def ranked(self):
        sign = -1 if self.better is max else 1
        return sorted(
            self.results,
            key=lambda one: (one.score is None, sign * (one.score or 0), one.number),
        )


def accuracy(values):
    """A score that learning_rate decides, units a little, and nothing else."""
    off = math.log10(values["learning_rate"] / 3e-3)
    return 0.97 - 0.08 * off**2 + 0.01 * math.log2(values["units"] / 512)


def drawn(dimensions, random):
    """Random values of a space, without those that are not active."""
    values = {}
    for one in dimensions:
        if not one.is_active(values):
            continue
        share = random.random()
        if one.kind == "choice":
            values[one.name] = one.values[int(share * len(one.values))]
        else:
            low, high = one.low, one.high
            value = (
                low * (high / low) ** share
                if one.is_log
                else low + share * (high - low)
            )
            values[one.name] = round(value) if one.kind == "int" else value
    return values


def results(count, score=accuracy, noise=0.004, seed=0, all_whole=False):
    """The defaults and `count` trials; unless `all_whole`, some fail or are stopped."""
    random = np.random.default_rng(seed)
    defaults = {one.name: getattr(Config(), one.name) for one in SPACE}
    found = []
    for number in range(count + 1):
        values = drawn(SPACE, random) if number else defaults
        scores = [score(values) - 0.2 * 0.5**i for i in range(1, 5)]
        scores.append(score(values) + noise * random.standard_normal())
        result = TrialResult(number, values, max(scores), scores, epochs=5)
        result.parameters = int(values["units"] * 795)
        result.seconds = round(2 + values["units"] / 40 + random.random(), 1)
        if all_whole:
            pass
        elif number % 9 == 4:
            result.scores, result.score = [], None
            result.problem, result.epochs = "the loss became nan in epoch 1", 0
        elif number > 8 and number % 5 == 2:
            result.scores, result.epochs = scores[:2], 2
            result.score = max(result.scores)
            result.stopped = "worse than the median after epoch 2"
        found.append(result)
    return found
