"""Searches with Optuna: TPE proposes, and its median pruner stops hopeless trials.

The study holds trial 0 first, so that optuna-dashboard, too, numbers trials as the
search does. Several processes may share a study, on one machine or on several: --study
names a file for Optuna's journal, or the URL of one of its databases.

Paper: Bergstra, Bardenet, Bengio, Kégl, "Algorithms for hyper-parameter optimization",
2011, https://papers.nips.cc/paper/4443-algorithms-for-hyper-parameter-optimization
"""

import dataclasses
import os
import sys
import threading
import time
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cookbook.errors import fail
from cookbook.processes import ID, is_worker, role
from cookbook.tuning.scale.chief import wait_for_workers
from cookbook.tuning.scale.slots import in_slots
from cookbook.tuning.spaces.space import Dimension
from cookbook.tuning.strategies.axes import Cube, levels
from cookbook.tuning.trials.results import TrialResult

REDRAWS = 30  # draws of settings that were tried, before one of them is tried again
PATIENCE = 60  # seconds for another process to put trial 0 into a new study
PAUSE = 0.2  # seconds between two looks at the study


def search_with_optuna(trials: Any) -> None:
    """Runs trials until the study has all of them, those of other processes included.

    The chief of several processes trains nothing: it waits for its workers.
    """
    search = StudySearch(trials)
    if role() == "chief":
        wait_for_workers(lambda: not search.is_running())
    else:
        in_slots(trials.slots, lambda name: search.run_all())
    if not is_worker():
        search.collect()


class StudySearch:
    """The part of one process in a study of Optuna."""

    def __init__(self, trials: Any):
        self.optuna = import_optuna()
        self.trials = trials
        self.cube = Cube(trials.space.dimensions)
        self.second: str | None = trials.second  # a second objective
        self.directions = [{min: "minimize", max: "maximize"}[trials.better]]
        self.directions += ["minimize"] if self.second else []
        # Tells the trials of this run from those of runs that share the study.
        self.run_id = f"{trials.run.path.name}-{trials.run.path.stat().st_ino}"
        if sys.platform == "win32":  # it has no such locks: each worker keeps its own
            self.run_id += os.environ.get(ID, "")
        # Processes that propose at the same moment have seeds of their own.
        self.place = os.environ.get(ID, "")
        if trials.config.study:
            self.place += self.run_id
        self.storage = _storage(self.optuna, trials)
        self.study = self._opened()
        self.one_at_a_time = threading.Lock()
        if self.second and trials.config.stop_early:
            trials.say("with two objectives, tpe stops no trial early")

    def run_all(self) -> None:
        """Runs trials that were left behind, and new ones, until there are enough."""
        while True:
            with self.one_at_a_time:  # so that two threads propose different values
                claimed = self._claimed()
            if claimed is None:
                return
            number, trial, lock = claimed
            with lock:
                self._run(number, trial)

    def is_running(self) -> bool:
        """Whether trials of the study run, in any process, or are still to come."""
        states = [frozen.state.name for frozen in self._searched()]
        if "RUNNING" in states or 0 not in self.trials.done:
            return True
        is_complete = len(states) >= self.trials.config.tune and "WAITING" not in states
        return not is_complete and not self.trials.time_is_up()

    def collect(self) -> None:
        """Writes results of other machines, which have run folders of their own."""
        done = self.trials.done
        for number, frozen in enumerate(self._searched(), 1):
            result = frozen.user_attrs.get("result")
            if frozen.state.name == "RUNNING":
                self.trials.say(f"trial {number} runs in another process: not counted")
            elif result is not None and number not in done:
                folder = self.trials.run.part("trials")
                folder.write_json(f"{number}.json", {**result, "number": number})

    # The study.

    def _opened(self) -> Any:
        """The study; the process that creates it puts the trials so far into it."""
        optuna, config = self.optuna, self.trials.config
        pruner = optuna.pruners.NopPruner()
        if config.stop_early and not self.second:
            pruner = optuna.pruners.MedianPruner(n_warmup_steps=config.epochs // 4)
        settings = {
            "study_name": self.trials.run.recipe,
            "storage": self.storage,
            # It is never asked: all trials come with their values.
            "sampler": optuna.samplers.RandomSampler(),
            "pruner": pruner,
        }
        until = time.time()
        try:
            study = optuna.create_study(directions=self.directions, **settings)
        except optuna.exceptions.DuplicatedStudyError:
            until += PATIENCE
            study = optuna.load_study(**settings)
        if [d.name.lower() for d in study.directions] != self.directions:
            fail(
                f"the study {study.study_name} has other objectives than this search: "
                "name another --study"
            )

        while not study.get_trials(deepcopy=False) and time.time() < until:
            time.sleep(PAUSE)
        if not study.get_trials(deepcopy=False):
            self._add_done(study)
        return study

    def _add_done(self, study: Any) -> None:
        """Puts trial 0 into a new study, and trials that were run without it."""
        done = self.trials.done
        defaults = self.trials.space.defaults()
        if 0 in done:
            study.add_trial(self._frozen(done[0], is_defaults=True))
        else:  # another process runs it at this moment
            study.add_trial(self._unfinished(defaults, is_defaults=True))
        number = 1
        while number in done:
            study.add_trial(self._frozen(done[number]))
            number += 1

    def _end_defaults(self) -> None:
        """Tells the study the result of trial 0, if it came after the study."""
        frozen = self.study.get_trials(deepcopy=False)[0]
        if frozen.state.name == "RUNNING" and 0 in self.trials.done:
            self._tell(self.study, self._again(frozen), self.trials.done[0])

    def _searched(self) -> list:
        """The study's trials in the order of their numbers, which begin with 1."""
        found = self.study.get_trials(deepcopy=False)
        return [frozen for frozen in found if _is_searched(frozen.user_attrs)]

    def _number(self, trial: Any) -> int:
        """The number of the study's trial in the search."""
        return sum(other.number <= trial.number for other in self._searched())

    # The next trial.

    def _claimed(self) -> tuple[int, Any, Any] | None:
        """The number of the next trial for this process, the trial, and its lock."""
        self._end_defaults()
        for number, frozen in enumerate(self._searched(), 1):
            is_ours = frozen.user_attrs.get("run") == self.run_id
            if frozen.state.name == "RUNNING" and number <= self.trials.config.tune:
                lock = self._lock(number, frozen) if is_ours else None
                if lock is not None:  # its process has died
                    return number, self._again(frozen), lock

        while trial := self._new():
            number = self._number(trial)
            lock = self._lock(number, trial)
            if lock is not None:  # else another process took it for left behind
                return number, trial, lock
        return None

    def _new(self) -> Any:
        """A new trial; None if there are enough, or if the time is up.

        Each process puts a proposal into the study's queue, and takes the oldest. So
        none is lost with a process that is killed between the two.
        """
        asked = self.trials.config.tune
        while not self.trials.time_is_up():
            searched = self._searched()
            if len(searched) < asked:
                values = self._proposed(len(searched) + 1)
                content = {"values": values, "run": self.run_id}
                self.study.enqueue_trial(values, content)
            elif all(frozen.state.name != "WAITING" for frozen in searched):
                break
            trial = self.study.ask()
            has_values = "values" in trial.user_attrs  # else the queue was empty
            if has_values and self._number(trial) <= asked:
                trial.set_user_attr("run", self.run_id)
                return trial
            trial.set_user_attr("is_surplus", True)  # two have asked for the last one
            self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
        return None

    def _again(self, frozen: Any) -> Any:
        """The study's trial, for this process to go on with."""
        study_id = self.storage.get_study_id_from_name(self.study.study_name)
        find = self.storage.get_trial_id_from_study_id_trial_number
        return self.optuna.trial.Trial(self.study, find(study_id, frozen.number))

    def _lock(self, number: int, trial: Any) -> Any:
        """The open file that claims a trial; None if another process has or had it.

        The system frees the claim when the process ends, however that happens.
        """
        path = self.trials.run.part("tuning/claims").path / str(number)
        file = path.open("w")
        if sys.platform != "win32":
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                return None
        if self.study.get_trials(deepcopy=False)[trial.number].state.is_finished():
            file.close()
            return None
        return file

    # One trial.

    def _run(self, number: int, trial: Any) -> None:
        """Runs a trial of the study, and tells the study its result."""
        values = trial.user_attrs["values"]
        if self.cube.point(values) is not None:
            try:
                suggested(self.trials.space.dimensions, trial)  # the study notes them
            except ValueError as problem:
                fail(
                    f"the study {self.study.study_name} has trials of another space "
                    f"({problem}): name another --study"
                )
        steps = {
            *self.study.get_trials(deepcopy=False)[trial.number].intermediate_values
        }

        def report(epoch: int, score: float) -> bool:
            if epoch not in steps:  # of a trial that goes on, some are known
                trial.report(score, epoch)
                steps.add(epoch)
            return trial.should_prune()

        reporter = None if self.second else report
        result = self.trials.run_or_recall(number, values, report=reporter)

        trial.set_user_attr("result", dataclasses.asdict(result))
        if not self.second:
            for epoch, score in enumerate(result.scores, 1):
                report(epoch, score)
        self._tell(self.study, trial, result)

    def _tell(self, study: Any, trial: Any, result: TrialResult) -> None:
        """Ends a trial of a study with its result, unless another process has."""
        states = self.optuna.trial.TrialState
        if result.score is None:
            study.tell(trial, state=states.FAIL, skip_if_finished=True)
        elif result.stopped and not self.second:
            study.tell(trial, state=states.PRUNED, skip_if_finished=True)
        else:
            second = [getattr(result, self.second)] if self.second else []
            study.tell(trial, [result.score, *second], skip_if_finished=True)

    # A proposal.

    def _proposed(self, number: int) -> dict:
        """The values for a trial: one of --from, or TPE's proposal from all results.

        TPE works on a copy of the study. There it may draw again what was tried, and
        learn from results of other searches, which have no number in this one.
        """
        if number <= len(self.trials.first):
            return self.trials.first[number - 1]
        copy = self._empty_copy(number)
        tried = [self.trials.space.defaults()]

        for result in self.trials.prior:
            if self.cube.point(result.values) is not None:
                copy.add_trial(self._frozen(result))
        for frozen in self._searched():
            values = frozen.user_attrs["values"]
            tried.append(values)
            if self.cube.point(values) is not None:
                is_known = frozen.state.is_finished()
                copy.add_trial(frozen if is_known else self._unfinished(values))

        for _ in range(REDRAWS):
            values = suggested(self.trials.space.dimensions, copy.ask())
            if values not in tried:
                break
        return values

    def _empty_copy(self, number: int) -> Any:
        """A study in memory, whose sampler has a seed of its own for each trial."""
        config, samplers = self.trials.config, self.optuna.samplers
        place = zlib.crc32(self.place.encode())
        parts = np.random.SeedSequence([config.seed, number, place])
        has_scopes = any(d.conditions for d in self.trials.space.dimensions)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", self.optuna.exceptions.ExperimentalWarning)
            group = has_scopes and not self.second
            sampler = samplers.TPESampler(
                seed=int(parts.generate_state(1)[0]), group=group
            )
        return self.optuna.create_study(directions=self.directions, sampler=sampler)

    def _unfinished(self, values: dict, **marks: bool) -> Any:
        """A running trial in Optuna's form, near which TPE proposes no others."""
        study = self.optuna.create_study(directions=self.directions)
        study.enqueue_trial(values, {"values": values, **marks})
        trial = study.ask()
        if self.cube.point(values) is not None:
            suggested(self.trials.space.dimensions, trial)
        return study.get_trials(deepcopy=False)[0]

    def _frozen(self, result: TrialResult, **marks: bool) -> Any:
        """A result in Optuna's form; values outside the space are no parameters."""
        study = self.optuna.create_study(directions=self.directions)
        content = {"values": result.values, "result": dataclasses.asdict(result)}
        study.enqueue_trial(result.values, {**content, "run": self.run_id, **marks})
        trial = study.ask()
        if self.cube.point(result.values) is not None:
            suggested(self.trials.space.dimensions, trial)

        for epoch, score in enumerate(result.scores, 1):
            if not self.second:
                trial.report(score, epoch)
        self._tell(study, trial, result)
        return study.get_trials(deepcopy=False)[0]


def suggested(dimensions: Sequence[Dimension], trial: Any) -> dict:
    """The values of a trial of Optuna, for the hyperparameters that are active."""
    values: dict = {}
    for dimension in dimensions:
        if dimension.is_active(values):
            values[dimension.name] = _suggested(dimension, trial)
    return values


def _suggested(dimension: Dimension, trial: Any) -> Any:
    name, low, high = dimension.name, dimension.low, dimension.high
    found = levels(dimension)
    if dimension.kind == "choice" or (found and dimension.is_log):
        return trial.suggest_categorical(name, found)  # Optuna has no factor as a step
    suggest = trial.suggest_int if dimension.kind == "int" else trial.suggest_float
    if dimension.step is None or dimension.is_log:
        return suggest(name, low, high, log=dimension.is_log)
    # Optuna wants steps that end at the highest value, digit by digit.
    last = low + int((high - low) / dimension.step + 1e-8) * dimension.step
    return suggest(name, low, type(low)(f"{last:.12g}"), step=dimension.step)


def _is_searched(attributes: dict) -> bool:
    """Whether a trial has a number: not trial 0, nor one beyond the last."""
    marks = {"is_defaults", "is_surplus"} & attributes.keys()
    return "values" in attributes and not marks


def _storage(optuna: Any, trials: Any) -> Any:
    """Where the study is kept: a database, or a journal, which is a file."""
    storages = optuna.storages
    place = trials.config.study or str(trials.run.path / "study.log")
    try:
        if "://" in place:
            return storages.RDBStorage(place)
        file = str(Path(place).resolve())
        lock = storages.journal.JournalFileOpenLock(file)
        return storages.JournalStorage(storages.journal.JournalFileBackend(file, lock))
    except Exception as problem:  # each database has errors of its own
        fail(f"--study got {place}, which can't be opened: {problem}")


def import_optuna() -> Any:
    """Optuna, whose own lines stay off the screen."""
    try:
        import optuna
    except ImportError:
        fail(
            "--tuner tpe needs Optuna, which is not installed: pip install "
            "'optuna>=5,<6', or choose another --tuner"
        )
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
