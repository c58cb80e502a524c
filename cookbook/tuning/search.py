"""Hyperparameter search that survives being killed and returns the best Config."""

import dataclasses
import shutil
from collections.abc import Callable
from typing import Any

import keras

from cookbook.config import default_of, flag_name
from cookbook.data.sources import DataSet
from cookbook.errors import fail, note
from cookbook.processes import is_worker, role
from cookbook.runs.settings import without_search
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import RecipeConfig
from cookbook.tuning.confirm import confirm
from cookbook.tuning.insight.table import show_search
from cookbook.tuning.scale.on_ray import workplace
from cookbook.tuning.spaces.space import Space
from cookbook.tuning.strategies.engines import propose, refuse_missing_packages
from cookbook.tuning.trials.attempts import imports_set_aside
from cookbook.tuning.trials.runner import Trials


@imports_set_aside()
def search(
    space: Callable[[Any], Any],
    build: Callable[..., keras.Model],
    data: DataSet,
    config: RecipeConfig,
    run: RunFolder,
    score: str = "val_accuracy",
) -> RecipeConfig:
    """Searches the hyperparameters of a recipe; returns the best Config it found.

    space: space(hp) declares the hyperparameters with hp.Choice, hp.Float, ..., named
        as fields of Config, and returns a Config of them.
    build: build(config, data) returns the compiled model.
    config: its settings are those of trial 0, to which all others are compared. The
        fields of SearchOptions say how many trials follow, and how they are chosen.
        Each trial trains for config.epochs (with Hyperband: for a part of them) on the
        training part, and all trials start from the same seed.
    score: the column of the history that is compared. The largest value is the best,
        or the smallest if the name ends in loss or distance.

    Finished trials are kept in the folder trials/ of the run. A search that was killed
    and goes on proposes the same trials again, and reads the results of the finished
    ones from there. In the process of a worker (see scale/workers.py) the function does
    not return: the process ends with the worker's last trial.

    The search ends with what it gained over the defaults, and with the flags that give
    the best Config again. That Config learns from the training and the validation part,
    because nothing is left to decide.
    """
    refuse_missing_packages(config.tuner)
    ranges = Space(space, config)
    if not ranges.dimensions:
        fail("--tune has nothing to try: let --space leave at least one setting free")
    run.note_in_search(score=score)
    trials = Trials(ranges, build, data, config, run, score)
    _announce_searched(ranges)
    with workplace(trials) as place:
        if role() in (None, "worker_0"):
            place.run_defaults()
        propose(place)
        if is_worker():
            raise SystemExit  # the chief decides, and trains the best settings
        _announce_end_of_time(trials)
        place.run_defaults()  # reads the result, unless no worker has tried them
        confirmed = confirm(place) if config.confirm else []
    ranked = trials.ranked()
    if ranked[0].score is None:
        fail(
            f"none of the {len(ranked)} trials gave a {score}: trial "
            f"{ranked[0].number} failed ({ranked[0].problem}); correct that, and "
            "start anew without --resume"
        )

    if config.confirm and not confirmed:
        trials.say("each of the best settings failed with a seed: none is confirmed")
    chosen = confirmed[0].number if confirmed else ranked[0].number
    best = _final(trials, chosen)
    run.decide(best)
    show_search(trials, confirmed, best)
    shutil.rmtree(run.path / "tuning", ignore_errors=True)
    return best


def _final(trials: Trials, number: int) -> RecipeConfig:
    """The Config with a trial's values, which is to be trained on all parts."""
    chosen = without_search(trials.space.configure(trials.done[number].values))
    return dataclasses.replace(
        chosen, with_validation=trials.data.validation is not None
    )


def _announce_end_of_time(trials: Trials) -> None:
    """Tells the user if the time was too short for the trials that were asked for."""
    count = len([number for number in trials.done if number])
    if count < trials.config.tune and trials.time_is_up():
        trials.say(
            f"the {trials.config.tune_time} of --tune-time are over: the search ends "
            f"with {count} trials beside trial 0"
        )


def _announce_searched(space: Space) -> None:
    """Tells the user which settings that differ from the recipe's trial 0 alone has.

    The user gave them as flags, or `for_few` chose them.
    """
    config = space.config
    searched = {dimension.name for dimension in space.dimensions}
    given = [
        field.name
        for field in dataclasses.fields(config)
        if field.name in searched
        and getattr(config, field.name) != default_of(config, field)
    ]
    if given and not is_worker():
        flags = [f"{flag_name(name)} {getattr(config, name)}" for name in given]
        note(
            f"trial 0 takes {' and '.join(flags)}, the other trials try values of "
            f"their own; --space {given[0]}=fixed would keep that of trial 0 in all"
        )
