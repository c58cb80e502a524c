"""Hyperparameter search that survives being killed and returns the best Config."""

import dataclasses
import gc
import shutil
from collections.abc import Callable

import keras

from cookbook.config import default_of, flag_name
from cookbook.data.sources import DataSet
from cookbook.errors import fail, note
from cookbook.processes import is_worker
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import RecipeConfig
from cookbook.tuning.strategies.oracles import make_tuner
from cookbook.tuning.insight.table import show_table
from cookbook.tuning.trials import Trials


def search(
    space: Callable,
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
    config: config.tune is the number of trials, config.tuner the kind of search. Each
        trial trains for config.epochs (with Hyperband: for a part of them) on the
        training part, and all trials start from the same seed.
    score: the column of the history that is compared. The largest value is the best,
        or the smallest if the name ends in loss or distance.

    Finished trials are kept in the folder trials/ of the run. A search that was killed
    and goes on proposes the same trials again, and reads the results of the finished
    ones from there. In the process of a worker (see workers.py) the function does not
    return: the process ends with the worker's last trial.

    The search prints the flags that give the best Config again. That Config learns
    from the training and the validation part, because nothing is left to decide.
    """
    _announce_searched(space, config)
    gc.freeze()  # collecting garbage among all imported modules slows each trial down
    trials = Trials(space, build, data, config, run, score)
    make_tuner(trials).search()
    if is_worker():
        raise SystemExit  # the chief goes on
    ranked = trials.ranked()
    if not ranked or ranked[0].score is None:
        reason = ranked[0].problem if ranked else "the space proposes none"
        fail(f"none of the {len(ranked)} trials gave a {score}: {reason}")
    shutil.rmtree(run.path / "tuning", ignore_errors=True)
    best = dataclasses.replace(
        trials.configure(ranked[0].values),
        resume=config.resume,
        with_validation=data.validation is not None,
    )
    show_table(ranked, score, best, run)
    return best


def _announce_searched(space: Callable, config: RecipeConfig) -> None:
    """Tells the user which of the given flags the search replaces by its own values."""
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    space(hp)
    replaced = [
        flag_name(field.name)
        for field in dataclasses.fields(config)
        if field.name in hp.values
        and getattr(config, field.name) != default_of(config, field)
    ]
    if replaced:
        note(f"the search tries values of its own for {' and '.join(replaced)}")
