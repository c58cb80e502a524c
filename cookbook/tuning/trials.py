"""Trials: the trainings of a search, each run once and kept in the folder trials/."""

import contextlib
import ctypes
import dataclasses
import gc
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cookbook.data.sources import DataSet, first_line
from cookbook.errors import Mistake, fail
from cookbook.processes import role
from cookbook.runs.files import Damaged, read_json, storage_problem
from cookbook.runs.stopping import Stopped, asked
from cookbook.training.board import log_settings
from cookbook.training.checkpoint import Saves
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import NotFinite, RecipeConfig, fit, seed_everything
from custom_layers.common.private_keras import note_gradients

ATTEMPTS = 5  # kills at the same step after which a trial counts as failed


@dataclasses.dataclass
class TrialResult:
    """What a trial was, and what came of it: the content of trials/<trial>.json."""

    trial: str  # its name
    values: dict  # {hyperparameter: value}; keras-tuner's own names have a slash
    score: float | None = None  # None if the trial failed
    problem: str | None = None  # why it failed
    epochs: int = 0
    steps: int = 0
    seconds: float = 0.0

    def hyperparameters(self) -> dict:
        """The values of the recipe's own hyperparameters."""
        return {key: value for key, value in self.values.items() if "/" not in key}


def read_result(path: Path) -> TrialResult:
    """The result of a trial in a file; raises Damaged if it does not hold one."""
    content = read_json(path)
    try:
        result = TrialResult(**content)
    except TypeError as problem:
        raise Damaged(str(problem)) from None
    numbers = result.score or 0.0, result.epochs, result.steps, result.seconds
    if not all(isinstance(number, int | float) for number in numbers):
        raise Damaged("one of its numbers is not a number")
    if not isinstance(result.values, dict):
        raise Damaged("its values are not a JSON object")
    return result


class Trials:
    """Runs the trials of a search, and remembers each result in the folder trials/."""

    def __init__(
        self,
        space: Callable,
        build: Callable[..., keras.Model],
        data: DataSet,
        config: RecipeConfig,
        run: RunFolder,
        score: str,
    ):
        self.space = space
        self.build = build
        self.data = data
        self.config = config
        self.run = run
        self.score = score
        self.better = min if score.endswith(("loss", "distance")) else max

    @property
    def done(self) -> dict[str, TrialResult]:
        """{name: result} of the trials that ended, in this process or another one."""
        found = {}
        for file in sorted((self.run.path / "trials").glob("[0-9]*.json")):
            with contextlib.suppress(Damaged):  # such a trial is run again
                found[file.stem] = read_result(file)
        return found

    def ranked(self) -> list[TrialResult]:
        """The results, best first, the failed last; of equal ones the longest first."""

        sign = -1 if self.better is max else 1

        def key(result: TrialResult) -> tuple:
            has_failed = result.score is None
            badness = sign * (result.score or 0)
            return has_failed, badness, -result.epochs

        return sorted(self.done.values(), key=key)

    def configure(self, values: dict) -> RecipeConfig:
        """The Config that has a trial's hyperparameters."""
        import keras_tuner

        hp = keras_tuner.HyperParameters()
        hp.values = dict(values)
        proposal = self.space(hp)
        chosen = {key: getattr(proposal, key) for key in values if "/" not in key}
        return dataclasses.replace(self.config, **chosen)

    def run_or_recall(self, name: str, values: dict) -> TrialResult:
        """The result of a trial, which is run unless it has been run before."""
        values = {name: _plain_number(value) for name, value in values.items()}
        folder = self._folder(name, values)
        if name in self.done:
            return self.done[name]

        result = TrialResult(name, values)
        forget_gradients = note_gradients()
        try:
            self._train(result, folder)
        except Mistake:
            raise
        except KeyboardInterrupt:
            _take_back_attempt(folder)
            raise
        except Exception as error:  # whatever a trial can die of is its result
            if asked():  # unless a library has made this error out of a signal
                _take_back_attempt(folder)
                raise Stopped from error
            if problem := storage_problem(error):
                fail(f"trial {name} can't be saved in {self.run.path} ({problem})")
            result.problem = first_line(error)
            if not isinstance(error, NotFinite):
                result.problem = f"{type(error).__name__}: {result.problem}"
        forget_gradients()
        _free_memory()
        seconds = time.time() - folder.started
        result.seconds = round(seconds, 1)
        self._remember(result, folder)
        return result

    def _folder(self, name: str, values: dict) -> RunFolder:
        """The trial's own folder, where its training is saved.

        A folder that holds other values is refused, except in a search by several
        processes. A new chief may have got the scores of its workers in another order,
        and then proposes other trials than the chief that was killed. Such a trial
        starts anew.
        """
        finished = self.run.path / "trials" / f"{name}.json"
        folder = self.run.part(f"tuning/trial_{name}")
        begun = folder.path / "values.json"
        saved: dict | None = values
        try:
            if finished.exists():
                saved = read_result(finished).values
            elif begun.exists():
                saved = read_json(begun)
        except Damaged as problem:
            place = finished if finished.exists() else begun
            print(f"{place} is damaged ({problem}): the trial starts anew")
            saved = None

        if saved != values:
            if role() is None and saved is not None:
                fail(
                    f"trial {name} in {self.run.path} has other values than this "
                    "search proposes: the recipe's space has changed since; undo "
                    "that, or start anew without --resume"
                )
            finished.unlink(missing_ok=True)
            shutil.rmtree(folder.path)
            folder = self.run.part(f"tuning/trial_{name}")
        folder.write_json("values.json", values)
        return folder

    def _train(self, result: TrialResult, folder: RunFolder) -> None:
        """Trains the trial's model; writes score, epochs and steps into `result`."""
        values = result.values
        config = dataclasses.replace(
            self.configure(values), with_validation=False, tensorboard=False
        )
        _count_attempt(folder)
        promoted = values.get("tuner/trial_id")  # by Hyperband, to be trained longer
        if promoted is not None and not Saves(folder).paths():
            before = self.run.part(f"tuning/trial_{promoted}")
            newest = Saves(before).paths()[0]
            folder.write(newest.name, lambda path: shutil.copy(newest, path))

        keras.backend.clear_session()
        seed_everything(config.seed)
        model = self.build(config, self.data)
        until = values.get("tuner/epochs", config.epochs)
        rows = fit(model, self.data, config, folder, (), until)
        if self.score not in rows[0]:
            columns = ", ".join(rows[0])
            fail(f"a search needs the column {self.score}, got {columns}")

        result.score = self.better(row[self.score] for row in rows)
        result.epochs = len(rows)
        newest = Saves(folder).paths()[0]
        result.steps = int(newest.stem.removeprefix("step_"))

    def _remember(self, result: TrialResult, folder: RunFolder) -> None:
        """Writes the result to trials/ and prints it; deletes saves of no more use."""
        content = dataclasses.asdict(result)
        self.run.part("trials").write_json(f"{result.trial}.json", content)
        kept = 1 if self.config.tuner == "hyperband" else 0  # it may promote the trial
        for path in Saves(folder).paths()[kept:]:
            path.unlink()

        if self.config.tensorboard and result.score is not None:
            where = self.run.path / "tensorboard" / f"trial_{result.trial}"
            log_settings(where, result.values, {self.score: result.score})

        chosen = result.hyperparameters().items()
        settings = ", ".join(f"{name} {cell(value)}" for name, value in chosen)
        print(
            f"trial {len(self.done)} of {self.config.tune}: {self.score} "
            f"{self._verdict(result)} | {result.seconds:.0f} s | "
            f"about {_duration(self._seconds_left())} left | {settings}",
            flush=True,
        )

    def _verdict(self, result: TrialResult) -> str:
        """The score of a trial and the best so far, or that the trial failed."""
        if result.score is None:
            return f"failed ({result.problem})"
        best = self.ranked()[0]
        if best.trial == result.trial:
            return f"{result.score:.4g}"
        return f"{result.score:.4g} (best {best.score:.4g})"

    def _seconds_left(self) -> float:
        """The expected time until the last trial ends, from the mean of those done."""
        done = self.done
        at_once = 1
        for folder in (self.run.path / "tuning").glob("trial_*"):
            name = folder.name.removeprefix("trial_")
            at_once += name not in done
        mean = float(np.mean([result.seconds for result in done.values()]))
        left = self.config.tune - len(done)
        return mean * left / at_once


def _free_memory() -> None:
    """Gives the memory of the last trial back to the system.

    Its model is part of a circle of references, which the garbage collector ends. The C
    library of Linux keeps freed memory, unless it is asked for it.
    """
    gc.collect()
    with contextlib.suppress(AttributeError, OSError, TypeError):  # other systems
        ctypes.CDLL(None).malloc_trim(0)


def _plain_number(value: Any) -> Any:
    """A number of NumPy as one of Python, which JSON can hold."""
    return value.item() if isinstance(value, np.generic) else value


def _count_attempt(folder: RunFolder) -> None:
    """Raises RuntimeError once a trial was killed ATTEMPTS times at the same step."""
    saves = Saves(folder).paths()
    at = saves[0].name if saves else "its start"
    count = 0
    with contextlib.suppress(Damaged, TypeError):  # then the count begins anew
        before = read_json(folder.path / "attempts.json")
        if before.get("at") == at:
            count = int(before.get("count", 0))
    if count >= ATTEMPTS:
        raise RuntimeError(
            f"killed {count} times after {at}, perhaps for its use of memory"
        )
    folder.write_json("attempts.json", {"at": at, "count": count + 1})


def _take_back_attempt(folder: RunFolder) -> None:
    """Forgets the attempts of a trial that a signal has ended: it did not fail."""
    (folder.path / "attempts.json").unlink(missing_ok=True)


def _duration(seconds: float) -> str:
    """A time in seconds, minutes or hours, whichever is easiest to read."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def cell(value: object) -> str:
    """A value as it stands in a table: numbers have four significant digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
