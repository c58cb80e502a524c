"""Searches with keras-tuner, which hands trials to this process or to its workers."""

import copy
import time
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.base_tuner import BaseTuner

from cookbook.processes import is_worker, role
from cookbook.tuning.strategies.axes import Cube

UNTIL = "tuner/epochs"  # keras-tuner's name for the last epoch of a trial
PAUSE = 0.2  # seconds until a process without work asks for a trial again
DRAWS = (
    20_000  # draws of settings that were tried, after which a space counts as used up
)


class Search(BaseTuner):
    """keras-tuner's search, whose trials are run, or recalled, by a Trials."""

    def __init__(self, oracle: keras_tuner.Oracle, trials: Any):
        self.runner = trials
        self.has_asked = False  # for a trial, and got none
        super().__init__(
            oracle,
            trials.space,  # keras-tuner calls it to find the hyperparameters
            directory=trials.run.path / "tuning",
            project_name=role() or "oracle",
            overwrite=True,  # a search goes on from trials/, not from its files
        )

    def in_slot(self, name: str) -> "Search":
        """The same search for one of several threads, which share its oracle.

        name: tells the threads apart. A worker has a name of its own.
        """
        twin = copy.copy(self)
        twin.tuner_id = role() or name
        return twin

    def pre_create_trial(self) -> None:
        """Waits a little if there was no trial to run, because others still run."""
        if self.has_asked:
            time.sleep(PAUSE)
        self.has_asked = True

    def on_trial_begin(self, trial: Any) -> None:
        """Notes that there was a trial to run."""
        self.has_asked = False

    def _try_run_and_update_trial(self, trial):
        """Replaces keras-tuner's method, which prints a traceback for a failure."""
        values = dict(trial.hyperparameters.values)
        until = values.pop(UNTIL, None)
        result = self.runner.run_or_recall(number_of_trial(trial), values, until)
        trial.status = "FAILED"
        if result.score is not None:
            score = {self.runner.score: result.score}
            self.oracle.update_trial(trial.trial_id, score, step=result.epochs)
            trial.status = "COMPLETED"


class RandomSearch(keras_tuner.Oracle):
    """Random search: the n-th setting depends on the seed and n alone.

    It is also what other strategies build on: `proposed` is theirs to replace.
    keras-tuner's own oracle counts up from its seed: with seed 5 a space of five
    hyperparameters gets the settings of seed 0 again, one trial later. It also never
    tries the last value of some ranges, such as 0.12 of 0 to 0.12 in steps of 0.04.
    """

    def __init__(self, trials: Any):
        super().__init__(
            objective=keras_tuner.Objective(trials.score, trials.better.__name__),
            # A failure is a result, and ends no search.
            max_consecutive_failed_trials=trials.config.tune + 1,
            seed=trials.config.seed + 1,  # keras-tuner takes the seed 0 for no seed
        )
        self.verbose = 0  # `trials` shows the progress
        self.runner = trials
        self.cube = Cube(trials.space.dimensions)
        self.defaults = trials.space.defaults()
        self.is_exhausted = False

    def populate_space(self, trial_id: str) -> dict:
        """keras-tuner asks here for the values of the next trial."""
        number = int(trial_id) + 1
        if number > self.runner.config.tune or self.runner.time_is_up():
            return {"status": "STOPPED"}
        first = self.runner.first
        if number <= len(first):
            values = first[number - 1]
        else:
            values = self.proposed(number)
        if values is None:
            self._tell_exhausted(number)
            return {"status": "STOPPED"}
        return {"status": "RUNNING", "values": values}

    def proposed(self, number: int) -> dict | None:
        """The values of a trial; None if the space has no further ones."""
        rng = np.random.default_rng([self.runner.config.seed, number])
        tried = self.tried()
        for _ in range(DRAWS):
            values = self.cube.values(self.cube.draw(rng, 1)[0])
            if values not in tried:
                return values
        return None

    def tried(self) -> list[dict]:
        """The values of the trials so far, trial 0 included."""
        begun = [trial.hyperparameters.values for trial in self.trials.values()]
        return [self.defaults, *begun]

    def _tell_exhausted(self, number: int) -> None:
        """Says once that the search ends before its last trial."""
        if not self.is_exhausted:
            self.is_exhausted = True
            self.runner.say(
                f"the space has no further settings: the search ends with {number - 1} "
                "trials beside trial 0"
            )


def number_of_trial(trial: Any) -> int:
    """The number of keras-tuner's trial in the search; trial 0 is not among them."""
    return int(trial.trial_id) + 1


def announce(trials: Any, *lines: str) -> None:
    """Prints lines about a search, in one of its processes."""
    if not is_worker():
        for line in lines:
            trials.say(line)
