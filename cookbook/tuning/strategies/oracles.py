"""The oracles of keras-tuner, which propose the trials: random, grid, Bayesian, ..."""

import threading
from typing import Any

from cookbook.processes import role
from cookbook.tuning.trials import Trials


def make_tuner(trials: Trials) -> Any:
    """The keras-tuner search of the kind config.tuner, whose trials `trials` runs."""
    from keras_tuner.engine.base_tuner import BaseTuner

    class Search(BaseTuner):
        """Hands each proposed trial to `trials`, and its score to the oracle."""

        @property
        def tuner_id(self) -> str:
            """Who asks the oracle for a trial: this worker, or this thread."""
            return role() or threading.current_thread().name

        @tuner_id.setter
        def tuner_id(self, name: str) -> None:
            """Does nothing: keras-tuner would give all threads the same name."""

        def _try_run_and_update_trial(self, trial):
            """Replaces keras-tuner's method, which prints a traceback for a failure."""
            values = trial.hyperparameters.values
            number = int(trial.trial_id) + 1
            chosen = {name: v for name, v in values.items() if "/" not in name}
            until = values.get("tuner/epochs")
            result = trials.run_or_recall(number, chosen, until)
            trial.status = "FAILED"
            if result.score is not None:
                self.oracle.update_trial(trial.trial_id, {trials.score: result.score})
                trial.status = "COMPLETED"

    oracle = _make_oracle(trials)
    oracle.verbose = 0  # `trials` shows the progress
    return Search(
        oracle,
        trials.space,  # keras-tuner calls it to find the hyperparameters
        directory=trials.run.path / "tuning",
        project_name=role() or "oracle",
        overwrite=True,  # a search goes on from trials/, not from keras-tuner's files
    )


def _make_oracle(trials: Trials) -> Any:
    """The oracle of the kind config.tuner, for config.tune trials."""
    import keras_tuner

    config = trials.config
    settings = {
        "objective": keras_tuner.Objective(trials.score, trials.better.__name__),
        "seed": config.seed + 1,  # keras-tuner takes the seed 0 for no seed
        "max_consecutive_failed_trials": config.tune + 1,  # a failed trial is a result
    }
    if config.tuner == "hyperband":
        oracle = keras_tuner.oracles.HyperbandOracle(
            max_epochs=config.epochs, hyperband_iterations=config.tune, **settings
        )
        oracle.max_trials = config.tune
        return oracle
    kinds = {
        "random": keras_tuner.oracles.RandomSearchOracle,
        "bayesian": keras_tuner.oracles.BayesianOptimizationOracle,
        "grid": keras_tuner.oracles.GridSearchOracle,
    }
    return kinds[config.tuner](max_trials=config.tune, **settings)
