"""Verdict on a search: what it gained over the defaults, and whether that is chance."""

import dataclasses
import math
import statistics
from collections.abc import Sequence

from cookbook.tuning.insight.outcome import Outcome, setting_name, table_text
from cookbook.tuning.trials.results import Confirmed, seed_of_repeat

WIDE = 2  # standard errors; a smaller difference may be chance


@dataclasses.dataclass(frozen=True)
class Gain:
    """How much better the chosen settings are than the defaults."""

    text: str  # one sentence
    difference: float | None = None  # above 0: better; None if the defaults failed
    noise: float | None = None  # a difference up to this may be chance; None: unknown


def gain_of(outcome: Outcome, confirmed: Sequence[Confirmed]) -> Gain:
    """The gain, from the means of several seeds if they have confirmed the settings."""
    if confirmed:
        return _gain_in_the_mean(outcome, confirmed)
    best, defaults = outcome.best, outcome.defaults
    if defaults is None or defaults.score is None or best.score is None:
        reason = f" ({defaults.problem})" if defaults else ""
        return Gain(f"the defaults have no score{reason}, so there is no gain to state")
    if best is defaults:
        return Gain(
            f"no trial has a better {outcome.score} than the defaults, "
            f"{table_text(defaults.score)}",
            0.0,
        )
    difference = _improvement(outcome, best.score, defaults.score)
    scores = f"{table_text(best.score)}, the defaults have {table_text(defaults.score)}"
    return Gain(
        f"the best trial, {best.number}, has a {outcome.score} of {scores}: better by "
        f"{difference:.2g}. That is one training each, so a part of it may be chance; "
        "--confirm 3 measures how much",
        difference,
    )


def _gain_in_the_mean(outcome: Outcome, confirmed: Sequence[Confirmed]) -> Gain:
    best = confirmed[0]
    defaults = [one for one in confirmed if one.number == 0]
    if not defaults:
        return Gain(
            "the defaults failed, in the search or with one of the seeds, so there is "
            "no gain to state"
        )
    if best.number == 0:
        return Gain(
            "the search found nothing better than the defaults, which have the best "
            f"mean {outcome.score}, {table_text(best.mean)}",
            0.0,
            noise_of(confirmed),
        )
    difference = _improvement(outcome, best.mean, defaults[0].mean)
    noise = noise_of(confirmed)
    means = f"{table_text(best.mean)}, the defaults {table_text(defaults[0].mean)}"
    chance = f"the seeds alone make differences up to {noise:.2g}"
    if difference > noise:
        text = (
            f"trial {best.number} has a mean {outcome.score} of {means}: better by "
            f"{difference:.2g}, which is more than chance, since {chance}"
        )
    else:
        text = (
            "the search found nothing better than the defaults beyond the seeds' "
            f"noise: trial {best.number} has a mean {outcome.score} of {means}, and "
            f"{chance}"
        )
    return Gain(text, difference, noise)


def _improvement(outcome: Outcome, ours: float, theirs: float) -> float:
    return ours - theirs if outcome.better is max else theirs - ours


def noise_of(confirmed: Sequence[Confirmed]) -> float:
    """The difference of two means that chance can make: WIDE standard errors.

    The standard deviation of a training is pooled over all settings, since one setting
    has too few trainings to know it.
    """
    variance = statistics.fmean(one.deviation**2 for one in confirmed)
    count = min(len(one.scores) for one in confirmed)
    return WIDE * math.sqrt(2 * variance / count)


def confirmed_rows(
    confirmed: Sequence[Confirmed], score: str, seed: int
) -> list[dict[str, str]]:
    """A row for each confirmed setting, for printing.

    seed: that of the search, which the seeds of the confirmation follow.
    """
    return [
        {
            "setting": setting_name(one),
            f"mean {score}": table_text(one.mean),
            "deviation": f"{one.deviation:.2g}",
            **{
                f"seed {seed_of_repeat(seed, i)}": table_text(found)
                for i, found in enumerate(one.scores, 1)
            },
        }
        for one in confirmed
    ]
