"""Progress of a search on the screen: a line for each trial."""

import time
from typing import Any

import numpy as np

from cookbook.config import UNLIMITED, seconds_in
from cookbook.tuning.results import TrialResult


def progress_line(trials: Any, result: TrialResult) -> str:
    """The line about a trial that has ended: its score, its time, its settings."""
    parts = [
        f"{_name(trials, result)}: {trials.score} {_verdict(trials, result)}",
        f"{result.seconds:.0f} s",
    ]
    left = _seconds_left(trials)
    if left is not None:
        parts.append(f"about {duration(left)} left")
    chosen = [f"{name} {cell(value)}" for name, value in result.values.items()]
    return " | ".join([*parts, ", ".join(chosen)])


def _name(trials: Any, result: TrialResult) -> str:
    if result.number == 0:
        return "trial 0, the defaults"
    total = trials.config.tune
    name = f"trial {result.number}"
    if total < UNLIMITED:
        name += f" of {total}"
    return name


def _verdict(trials: Any, result: TrialResult) -> str:
    """The score of a trial and the best so far, or that the trial failed."""
    if result.score is None:
        return f"failed ({result.problem})"
    best = trials.ranked()[0]
    text = f"{result.score:.4g}"
    if best.number != result.number:
        text += f" (best {best.score:.4g}, of trial {best.number})"
    if result.stopped:
        text += f", stopped: {result.stopped}"
    return text


def _seconds_left(trials: Any) -> float | None:
    """The expected time until the last trial ends; None if nobody can know.

    It follows from the mean of the trials that are done, or from --tune-time.
    """
    times = []
    if trials.config.tune_time is not None:
        times.append(trials.began + seconds_in(trials.config.tune_time) - time.time())
    total = trials.config.tune
    if total < UNLIMITED and trials.config.tuner != "hyperband":
        done = trials.done
        at_once = 1
        for folder in (trials.run.path / "tuning").glob("trial_*"):
            at_once += int(folder.name.removeprefix("trial_")) not in done
        mean = float(np.mean([result.seconds for result in done.values()]))
        times.append(mean * (total + 1 - len(done)) / at_once)
    return max(0.0, min(times)) if times else None


def duration(seconds: float) -> str:
    """A time in seconds, minutes or hours, whichever is easiest to read."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def cell(value: object) -> str:
    """A value as it stands in a table: numbers have four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
