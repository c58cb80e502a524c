"""Progress of a search on the screen: a line for each trial."""

import statistics
import time
from typing import Any

from cookbook.config import UNLIMITED, seconds_in
from cookbook.tuning.trials.results import TrialResult


def progress_line(trials: Any, result: TrialResult) -> str:
    """The line about a trial that has ended: its score, its time, its settings."""
    parts = [
        f"{_name(trials, result)}: {_verdict(trials, result)}",
        f"{result.seconds:.0f} s",
    ]
    left = _seconds_left(trials)
    if left is not None:
        parts.append(f"about {duration(left)} left")
    parts.append(setting_text(result.values))
    return " | ".join(parts)


def setting_text(values: dict) -> str:
    """The hyperparameters of a trial in one line, as in `units 64, dropout 0.2`."""
    return ", ".join(f"{name} {cell(value)}" for name, value in values.items())


def _name(trials: Any, result: TrialResult) -> str:
    """What the line calls the trial."""
    if result.number == 0:
        return "trial 0, the defaults"
    total = trials.config.tune
    name = f"trial {result.number}"
    if total < UNLIMITED:
        name += f" of {total}"
    return name


def _verdict(trials: Any, result: TrialResult) -> str:
    """The score of a trial and the best so far, or that the trial failed."""
    text = score_text(trials.score, result)
    if result.score is None:
        return text
    best = trials.ranked()[0]
    if best.number != result.number:
        text += f" (best {cell(best.score)}, of trial {best.number})"
    if result.stopped:
        text += f", stopped: {result.stopped}"
    return text


def score_text(score: str, result: TrialResult) -> str:
    """The score of a trial with the name of its column, or why the trial failed."""
    if result.score is None:
        return f"failed ({result.problem})"
    return f"{score} {cell(result.score)}"


def _seconds_left(trials: Any) -> float | None:
    """The expected time until the last trial ends; None if it has, or nobody can know.

    It follows from the mean of the trials that are done, or from --tune-time.
    """
    times = []
    config = trials.config
    if config.tune_time is not None:
        end = trials.began + seconds_in(config.tune_time)
        times.append(end - time.time())
    if config.tune < UNLIMITED and config.tuner != "hyperband":
        times.append(_seconds_of_rest(trials))
    if not times or min(times) <= 0:
        return None
    return min(times)


def _seconds_of_rest(trials: Any) -> float:
    """The expected time of the trials that are left, as many at once as now."""
    done = trials.done
    at_once = 1
    for folder in (trials.run.path / "tuning").glob("trial_*"):
        number = int(folder.name.removeprefix("trial_"))
        at_once += number not in done
    seconds = [result.seconds for result in done.values()]
    left = trials.config.tune + 1 - len(done)
    return statistics.fmean(seconds) * left / at_once


def duration(seconds: float) -> str:
    """A time in seconds, minutes or hours, whichever is easiest to read."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def cell(value: object) -> str:
    """A value as it stands in a table: numbers have four significant digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
