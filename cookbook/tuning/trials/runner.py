"""Trials: the trainings of a search, each run once and kept in the folder trials/."""

import dataclasses
import shutil
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from cookbook.config import seconds_in
from cookbook.data.sources import DataSet, first_line
from cookbook.errors import Mistake, fail
from cookbook.processes import is_worker, role
from cookbook.runs.files import Damaged, read_json, storage_problem
from cookbook.runs.precision import choose_precision
from cookbook.runs.stopping import Stopped, asked
from cookbook.training.board import board_of_trial, log_settings
from cookbook.training.checkpoint import Saves
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import NotFinite, RecipeConfig, fit, seed_everything
from cookbook.tuning.spaces.space import Space
from cookbook.tuning.trials.attempts import (
    count_attempt,
    drop_hints_on_retracing,
    free_memory,
    take_back_attempt,
)
from cookbook.tuning.trials.median_rule import Watch, is_hopeless
from cookbook.tuning.trials.progress import progress_line
from cookbook.tuning.trials.results import TrialResult, read_result, results_in
from custom_layers.common.fused import only_shared_programs
from custom_layers.common.private_keras import note_gradients

Report = Callable[[int, float], bool]


class Trials:
    """Runs the trials of a search, and remembers each result in the folder trials/."""

    slots = 1  # threads of this process that may run trials at once

    def __init__(
        self,
        space: Space,
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
        self.second = None if config.tune_metric == "none" else config.tune_metric
        self.earlier: list[TrialResult] = []  # of the search that --from names
        if config.from_ is not None:
            from cookbook.tuning.trials.earlier import earlier_trials

            self.earlier = self._sorted(earlier_trials(run, space, score))
        self.began = self._beginning()

    @property
    def done(self) -> dict[int, TrialResult]:
        """{number: result} of the trials that ended, in this process or another one.

        A trial whose file is damaged is not among them, and is run again.
        """
        return results_in(self.run.path)

    @property
    def prior(self) -> list[TrialResult]:
        """Results from which a model may learn before its first proposal."""
        defaults = self.done.get(0)
        known = [] if defaults is None or defaults.score is None else [defaults]
        return known + self.earlier

    @property
    def first(self) -> list[dict]:
        """Values that are tried before a strategy proposes: the best of --from."""
        return [result.values for result in self.earlier[:1]]

    def ranked(self) -> list[TrialResult]:
        """The results, best first, the failed last; of equal ones the longest first."""
        return self._sorted(self.done.values())

    def _sorted(self, results: Any) -> list[TrialResult]:
        sign = -1 if self.better is max else 1

        def key(result: TrialResult) -> tuple:
            has_failed = result.score is None
            badness = sign * (result.score or 0)
            return has_failed, badness, -result.epochs, result.number

        return sorted(results, key=key)

    def _beginning(self) -> float:
        """The time at which the search began, without the time when it did not run."""
        search = self.run.search or {}
        if is_worker() and "began" in search:
            return search["began"]
        done = self.done
        spent = sum(result.seconds for result in done.values())
        if "began" in search:  # trials that ran at once took less time than their sum
            trials = self.run.path / "trials"
            ends = [(trials / f"{number}.json").stat().st_mtime for number in done]
            spent = min(spent, max([search["resumed"], *ends]) - search["began"])
        now = time.time()
        self.run.note_in_search(began=now - spent, resumed=now)
        return now - spent

    def time_is_up(self) -> bool:
        """Whether --tune-time has passed, so that no other trial may begin."""
        limit = self.config.tune_time
        return limit is not None and time.time() - self.began >= seconds_in(limit)

    def run_defaults(self) -> TrialResult:
        """Trial 0: the settings that the recipe has without a search."""
        return self.run_or_recall(0, self.space.defaults())

    def run_or_recall(
        self,
        number: int,
        values: dict,
        until: int | None = None,
        report: Report | None = None,
    ) -> TrialResult:
        """The result of a trial, which is trained unless it has been trained before.

        until: the epoch at whose end the trial ends (default: the Config's last). A
            trial that has got that far is not trained again, one that has not goes on.
            The settings of trial 0 are not trained twice either.
        report: report(epoch, score) is called after each epoch, counted from 1, in
            place of the median rule; if it returns True, the trial is stopped.
        """
        values = {name: _plain_number(value) for name, value in values.items()}
        config = dataclasses.replace(
            self.space.configure(values), with_validation=False
        )
        until = until or config.epochs
        folder = self._folder(number, values)
        if config.tensorboard:
            folder.board = board_of_trial(self.run, number)
        before = self.done.get(number)
        if before and (before.epochs >= until or before.problem or before.stopped):
            return self._cut(before, until)

        defaults = self.done.get(0)
        if number and defaults and defaults.values == values:
            result = dataclasses.replace(defaults, number=number, seconds=0.0)
        else:
            result = TrialResult(number, values)
            watch = Watch(self.score, self._rule(number, until, report))
            self.attempt(result, config, folder, watch, until)
            if result.problem and before:  # it failed after Hyperband promoted it
                result.scores, result.epochs = before.scores, before.epochs
        self._remember(result, folder)
        return self._cut(result, until)

    def attempt(
        self,
        result: TrialResult,
        config: RecipeConfig,
        folder: RunFolder,
        watch: Watch,
        until: int,
    ) -> None:
        """Trains a model; writes what came of it, or why it failed, into `result`."""
        forget_gradients = note_gradients()
        try:
            with only_shared_programs():
                self._train(result, config, folder, watch, until)
        except Mistake:
            raise
        except KeyboardInterrupt:
            take_back_attempt(folder)
            raise
        except Exception as error:  # whatever a trial can die of is its result
            if asked():  # unless a library has made this error out of a signal
                take_back_attempt(folder)
                raise Stopped from error
            if problem := storage_problem(error):
                where = f"trial {result.number} can't be saved in {self.run.path}"
                fail(f"{where} ({problem})")
            result.problem = first_line(error)
            if not isinstance(error, NotFinite):
                result.problem = f"{type(error).__name__}: {result.problem}"
        forget_gradients()
        free_memory()
        result.seconds = round(time.time() - folder.started, 1)

    def _train(
        self,
        result: TrialResult,
        config: RecipeConfig,
        folder: RunFolder,
        watch: Watch,
        until: int,
    ) -> None:
        count_attempt(folder)
        drop_hints_on_retracing()
        keras.backend.clear_session()
        choose_precision(config)  # this may be another process than the search's
        seed_everything(config.seed)
        model = self.build(config, self.data)
        rows = fit(model, self.data, config, folder, [watch], until)
        result.scores = [row[self.score] for row in rows]
        result.score = self.better(result.scores)
        result.epochs = len(rows)
        if result.epochs < until:
            result.stopped = f"worse than the median after epoch {result.epochs}"
        newest = Saves(folder).paths()[0]
        result.steps = int(newest.stem.removeprefix("step_"))
        sizes = [np.prod(weight.shape) for weight in model.trainable_weights]
        result.parameters = int(sum(sizes))

    def _rule(
        self, number: int, until: int, report: Report | None
    ) -> Callable[[list[float]], bool]:
        """The function that says whether a trial with such scores is to stop.

        The median rule looks at trials of lower numbers only. So a search that was
        killed and goes on stops the same trials as one that was not. The function
        holds no more of the search than it needs, because Ray copies it.
        """
        if report is not None:
            return lambda scores: report(len(scores), scores[-1])
        if not self.config.stop_early or self.config.tuner in ("hyperband", "tpe"):
            return lambda scores: False
        earlier = [result for other, result in self.done.items() if other < number]
        better = self.better
        return lambda scores: is_hopeless(scores, earlier, until, better)

    def _cut(self, result: TrialResult, until: int) -> TrialResult:
        """The result that a trial had at the end of epoch `until`.

        A trial that failed later than that had not failed then.
        """
        has_failed_later = result.problem and result.epochs >= until
        if result.epochs <= until and not has_failed_later:
            return result
        scores = result.scores[:until]
        return dataclasses.replace(
            result,
            scores=scores,
            score=self.better(scores),
            epochs=until,
            problem=None,
        )

    def _folder(self, number: int, values: dict) -> RunFolder:
        """The trial's own folder, where its training is saved.

        A folder that holds other values is refused, except in a search by several
        processes. A new chief may have got the scores of its workers in another order,
        and then proposes other trials than the chief that was killed. Such a trial
        starts anew.
        """
        finished = self.run.path / "trials" / f"{number}.json"
        folder = self.run.part(f"tuning/trial_{number}")
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
            if role() is None and self.slots == 1 and saved is not None:
                fail(
                    f"trial {number} in {self.run.path} has other values than this "
                    "search proposes: the recipe's space has changed since; undo "
                    "that, or start anew without --resume"
                )
            finished.unlink(missing_ok=True)
            shutil.rmtree(folder.path)
            folder = self.run.part(f"tuning/trial_{number}")
        folder.write_json("values.json", values)
        return folder

    def _remember(self, result: TrialResult, folder: RunFolder) -> None:
        """Writes the result to trials/ and prints it; deletes saves of no more use."""
        content = dataclasses.asdict(result)
        self.run.part("trials").write_json(f"{result.number}.json", content)
        kept = 1 if self.config.tuner == "hyperband" else 0  # it may go on
        for path in Saves(folder).paths()[kept:]:
            path.unlink()

        if folder.board and result.score is not None:
            log_settings(folder.board, result.values, {self.score: result.score})
        self.say(progress_line(self, result))

    def say(self, text: str) -> None:
        """Prints a line about the search."""
        print(text, flush=True)


def _plain_number(value: Any) -> Any:
    """A number of NumPy as one of Python, which JSON can hold."""
    return value.item() if isinstance(value, np.generic) else value
