"""Confirmation of a search: the best settings and the defaults with further seeds."""

import contextlib
import dataclasses

from cookbook.runs.files import Damaged
from cookbook.tuning.scale.slots import map_in_slots
from cookbook.tuning.trials.median_rule import Watch
from cookbook.tuning.trials.progress import score_text
from cookbook.tuning.trials.results import (
    Confirmed,
    TrialResult,
    read_result,
    seed_of_repeat,
)
from cookbook.tuning.trials.runner import Trials

SEEDS = 3  # trainings of each setting, with seeds that the search has not used


def confirm(trials: Trials) -> list[Confirmed]:
    """Trains the best settings and the defaults with further seeds, best mean first.

    The best trial of many is partly the luckiest one. So its first score, for which it
    was chosen, does not count. Settings that fail with one of the seeds are left out.
    """
    chosen = settings_to_confirm(trials)
    pairs = []
    for result in chosen:
        for i in range(SEEDS):
            pairs.append((result, seed_of_repeat(trials.config.seed, i + 1)))
    repeats = map_in_slots(trials.slots, lambda pair: _repeat(trials, *pair), pairs)

    scores: dict[int, list[float]] = {}
    for repeat in repeats:
        if repeat.score is not None:
            scores.setdefault(repeat.number, []).append(repeat.score)
    confirmed = []
    for number, found in scores.items():
        if len(found) == SEEDS:
            confirmed.append(Confirmed(number, found))
    return sorted(
        confirmed,
        key=lambda one: one.mean,
        reverse=trials.better is max,
    )


def settings_to_confirm(trials: Trials) -> list[TrialResult]:
    """The trial of the defaults, and the best others, each setting once.

    The defaults take no place of the best. Otherwise defaults that lead by luck would
    be compared with nothing.
    """
    ranked = [result for result in trials.ranked() if result.score is not None]
    defaults = [result for result in ranked if result.number == 0]
    distinct = list(defaults)
    for result in ranked:
        if all(result.values != other.values for other in distinct):
            distinct.append(result)
    return distinct[: len(defaults) + trials.config.confirm]


def _repeat(trials: Trials, result: TrialResult, seed: int) -> TrialResult:
    """A training of a trial's settings with another seed, unless it is done already."""
    config = dataclasses.replace(
        trials.space.configure(result.values),
        seed=seed,
        with_validation=False,
        tensorboard=False,
    )
    name = f"{result.number}_seed_{seed}"
    kept = trials.run.path / "trials" / f"confirm_{name}.json"
    with contextlib.suppress(Damaged):  # or it has not been trained
        before = read_result(kept)
        if before.values == result.values:
            return before

    folder = trials.run.part(f"tuning/confirm_{name}")
    repeat = TrialResult(result.number, result.values)
    watch = Watch(trials.score, lambda scores: False)
    trials.attempt(repeat, config, folder, watch, config.epochs)
    content = dataclasses.asdict(repeat)
    trials.run.part("trials").write_json(kept.name, content)
    for path in folder.path.glob("step_*.save"):
        path.unlink()

    trials.say(
        f"confirming trial {result.number} with seed {seed}: "
        f"{score_text(trials.score, repeat)} | {repeat.seconds:.0f} s"
    )
    return repeat
