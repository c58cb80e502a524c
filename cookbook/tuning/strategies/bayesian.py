"""Bayesian optimization: a Gaussian process says which setting to try next."""

import contextlib
from typing import Any

import numpy as np

from cookbook.errors import fail
from cookbook.runs.files import Damaged, read_json
from cookbook.tuning.strategies.oracles import RandomSearch
from cookbook.tuning.strategies.surrogate import next_point

FEWEST = 3  # trials from which a model can learn something


class BayesianSearch(RandomSearch):
    """Bayesian optimization with keras-tuner as its engine and a model of our own.

    The first trials are those of random search. Once max(3, hyperparameters) results
    are there, the defaults and those of --from among them, each trial is the setting
    whose result is expected to improve most on the best so far.

    keras-tuner's own Bayesian oracle models no noise, lays the values of a category on
    one axis, proposes settings again that were tried, and takes seconds for that.
    """

    def __init__(self, trials: Any):
        super().__init__(trials)
        searched = [axis for axis in self.cube.axes if axis.count > 1]
        self.enough = max(FEWEST, len(searched))
        self.recorded = self._recorded()

    def proposed(self, number: int) -> dict | None:
        """The values of a trial: those it had before a break, drawn, or modelled."""
        if number in self.recorded:  # workers may have ended in another order
            return self.recorded[number]
        observed = self._observed()
        modelled = None
        if len(observed) >= self.enough:
            modelled = self._modelled(number, observed)
        return modelled or super().proposed(number)

    def tried(self) -> list[dict]:
        """The values of the trials so far, and of those of --from."""
        return [*super().tried(), *(result.values for result in self.runner.prior)]

    def _modelled(self, number: int, observed: list[tuple]) -> dict | None:
        """The values of the greatest expected improvement that were not tried."""
        tried = self.tried()
        points, scores = zip(*observed)

        def is_new(point: np.ndarray) -> bool:
            return self.cube.values(point) not in tried

        point = next_point(
            self.cube,
            np.array(points),
            self._badness(scores),
            self._pending(),
            np.random.default_rng([self.runner.config.seed, number]),
            is_new,
        )
        return None if point is None else self.cube.values(point)

    def _pending(self) -> np.ndarray:
        """The points of the trials that run at this moment."""
        points = []
        for trial in self.ongoing_trials.values():
            point = self.cube.point(trial.hyperparameters.values)
            if point is not None:
                points.append(point)
        return np.array(points).reshape(-1, len(self.cube.axes))

    def _observed(self) -> list[tuple]:
        """(point, score) of each result inside the space; None for a failed one."""
        ended = [(result.values, result.score) for result in self.runner.prior]
        for trial in self.trials.values():
            if trial.status in ("COMPLETED", "FAILED"):
                ended.append((trial.hyperparameters.values, trial.score))

        observed = []
        for values, score in ended:
            point = self.cube.point(values)
            if point is not None:
                observed.append((point, score))
        has_score = any(score is not None for _, score in observed)
        return observed if has_score else []

    def _badness(self, scores: tuple) -> np.ndarray:
        """Scores where small is good; a failed trial counts as the worst."""
        sign = -1 if self.runner.better is max else 1
        known = [sign * score for score in scores if score is not None]
        worst = max(known)  # as bad as a failed trial is taken to be

        return np.array([worst if s is None else sign * s for s in scores], float)

    def _recorded(self) -> dict[int, dict]:
        """{number: values} of the trials that were begun before this process."""
        run = self.runner.run
        begun = {}
        for path in (run.path / "tuning").glob("trial_*/values.json"):
            number = path.parent.name.removeprefix("trial_")
            with contextlib.suppress(Damaged, ValueError):
                begun[int(number)] = read_json(path)
        for done, result in self.runner.done.items():
            begun[done] = result.values

        for number, values in begun.items():
            is_own = len(self.runner.first) < number <= self.runner.config.tune
            if is_own and self.cube.point(values) is None:
                fail(
                    f"trial {number} in {run.path} lies outside this search's space: "
                    "the space has changed since; undo that, or start anew without "
                    "--resume"
                )
        return begun
