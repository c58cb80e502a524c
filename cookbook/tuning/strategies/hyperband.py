"""Hyperband: many settings are trained for a few epochs, the best of them for more.

Paper: Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar, "Hyperband: a novel bandit-based
approach to hyperparameter optimization", 2018, https://arxiv.org/abs/1603.06560
"""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import keras_tuner

from cookbook.runs.files import Damaged, read_json
from cookbook.tuning.strategies.oracles import UNTIL, RandomSearch, announce

ETA = 3  # of so many settings one is promoted, to so many times the epochs
SHOWN = 8  # brackets of a plan that are printed


@dataclasses.dataclass(frozen=True)
class Rung:
    """A step of a bracket: so many settings, each trained to the end of this epoch."""

    settings: int
    epochs: int


Bracket = tuple[Rung, ...]


def plan(settings: int, epochs: int) -> Iterator[Bracket]:
    """The brackets in which `settings` are tried, with up to `epochs` each.

    They are those of the paper, from the one with the most rungs to the one that trains
    all its settings to the end, and again from the first. The last bracket has what is
    left of the settings, and as many rungs as these allow.
    """
    deepest = _promotions(epochs) or int(epochs > 1)
    if deepest == 0:
        yield _bracket(settings, 0, epochs)
        return
    for s in itertools.cycle(range(deepest, -1, -1)):
        n = math.ceil((deepest + 1) * ETA**s / (s + 1))
        n = min(n, settings)
        if n == 0:
            return
        yield _bracket(n, min(s, _promotions(n)), epochs)
        settings -= n


def _bracket(n: int, s: int, epochs: int) -> Bracket:
    """Successive halving of n settings: s times, the best third is promoted."""
    rungs = []
    for i in range(s + 1):
        until = round(epochs / ETA ** (s - i))
        rungs.append(Rung(n // ETA**i, max(1, until)))
    return tuple(rungs)


def cost(bracket: Bracket) -> int:
    """The epochs that a bracket takes; promoted trials go on where they were."""
    total = done = 0
    for rung in bracket:
        total += rung.settings * (rung.epochs - done)
        done = rung.epochs
    return total


def _promotions(number: int) -> int:
    """How often a number can be divided by ETA and stay at least 1."""
    s = 0
    while ETA ** (s + 1) <= number:
        s += 1
    return s


class _RunningBracket:
    """A bracket that runs: the trials in its present rung, and which of them ended."""

    def __init__(self, bracket: Bracket):
        self.rungs = list(bracket)
        self.members: list[Any] = []  # keras-tuner's trials
        self.ended: set[str] = set()  # their ids

    @property
    def has_room(self) -> bool:
        """Whether the first rung has room for a further setting."""
        return bool(self.rungs) and len(self.members) < self.rungs[0].settings

    @property
    def is_rung_complete(self) -> bool:
        return not self.has_room and len(self.ended) == len(self.members)

    def promote(self, best_first: Sequence[Any]) -> list[Any]:
        """Opens the next rung; returns the trials in it, or none after the last."""
        self.rungs.pop(0)
        self.ended.clear()
        self.members = []
        if self.rungs:
            rung = self.rungs[0]
            self.members = list(best_first[: rung.settings])
            self.rungs[0] = Rung(len(self.members), rung.epochs)  # some have failed
        if not self.members:
            self.rungs.clear()
        return self.members


class Hyperband(RandomSearch):
    """Hyperband's oracle for keras-tuner.

    A promoted trial keeps its number, its folder and so the state of its optimizer:
    keras-tuner gets the same trial again, with a later last epoch. While a rung is not
    complete, further workers begin the next bracket.
    """

    def __init__(self, trials: Any):
        super().__init__(trials)
        stages = [*_earlier_stages(trials), trials.config.tune]
        parts = [b - a for a, b in zip([0, *stages], stages)]
        epochs = trials.config.epochs
        self.planned = (bracket for n in parts for bracket in plan(n, epochs))
        self.running: list[_RunningBracket] = []
        self.bracket_of: dict[str, _RunningBracket] = {}
        self.promoted: list[Any] = []  # trials that wait for their next rung
        announce(trials, *_summary(parts, epochs))

    @keras_tuner.synchronized
    def create_trial(self, tuner_id: str) -> Any:
        """The next trial for a process: a promoted one, or a new setting."""
        is_new = tuner_id not in self.ongoing_trials

        if is_new and self.promoted and not self.runner.time_is_up():
            trial = self.promoted.pop(0)
            trial.status = "RUNNING"
            self.ongoing_trials[tuner_id] = trial
            self.tuner_ids.add(tuner_id)
        else:
            trial = super().create_trial(tuner_id)
            if is_new and trial.status == "RUNNING":
                self._enter(trial)

        if trial.status == "RUNNING":
            until = self.bracket_of[trial.trial_id].rungs[0].epochs
            trial.hyperparameters.values[UNTIL] = until
        return trial

    def populate_space(self, trial_id: str) -> dict:
        """Values of a new setting; IDLE while others may still be promoted."""
        response = super().populate_space(trial_id)
        is_waiting = any(bracket.rungs for bracket in self.running)
        if response["status"] == "STOPPED":
            if self.is_exhausted:
                self._close_last()
            if is_waiting and not self.runner.time_is_up():
                return {"status": "IDLE"}
        return response

    @keras_tuner.synchronized
    def end_trial(self, trial: Any) -> None:
        """Notes the end of a trial in its rung, and promotes when that is complete."""
        trial.hyperparameters.values.pop(UNTIL, None)
        super().end_trial(trial)
        bracket = self.bracket_of[trial.trial_id]
        bracket.ended.add(trial.trial_id)
        self._promote(bracket)

    def _enter(self, trial: Any) -> None:
        """Puts a new trial into the bracket that has room."""
        if not self.running or not self.running[-1].has_room:
            self.running = [bracket for bracket in self.running if bracket.rungs]
            self.running.append(_RunningBracket(next(self.planned)))
        self.running[-1].members.append(trial)
        self.bracket_of[trial.trial_id] = self.running[-1]

    def _promote(self, bracket: _RunningBracket) -> None:
        if bracket.is_rung_complete:
            sign = -1 if self.runner.better is max else 1
            completed = [t for t in bracket.members if t.status == "COMPLETED"]
            completed.sort(key=lambda trial: (sign * trial.score, trial.trial_id))
            self.promoted += bracket.promote(completed)

    def _close_last(self) -> None:
        """Lets the last bracket go on with fewer settings than were planned."""
        for bracket in self.running:
            if bracket.has_room:
                count = len(bracket.members)
                bracket.rungs[0] = Rung(count, bracket.rungs[0].epochs)
                self._promote(bracket)


def _earlier_stages(trials: Any) -> list[int]:
    """The numbers of settings that the search had before it was extended."""
    try:
        stages = read_json(trials.run.path / "search.json").get("stages", [])
        return sorted(n for n in {*map(int, stages)} if 0 < n < trials.config.tune)
    except (Damaged, TypeError, ValueError, AttributeError):
        return []


def _summary(parts: Sequence[int], epochs: int) -> list[str]:
    """The plan in words, a line for each bracket."""
    if epochs == 1:
        return ["hyperband has nothing to halve with 1 epoch: it is random search"]
    brackets: list[Bracket] = []
    for n in parts:
        room = SHOWN - len(brackets)
        brackets += itertools.islice(plan(n, epochs), room)
    settings = sum(bracket[0].settings for bracket in brackets)

    lines = [f"hyperband's plan for {sum(parts):,} settings:"]
    for i, bracket in enumerate(brackets, 1):
        first, *others = bracket
        noun = "setting" if first.settings == 1 else "settings"
        unit = "epoch" if first.epochs == 1 else "epochs"
        steps = [f"{first.settings} {noun} for {first.epochs} {unit}"]
        steps += [f"{rung.settings} for {rung.epochs}" for rung in others]
        lines.append(f"  bracket {i}: {', '.join(steps)}")
    if settings < sum(parts):
        lines.append("  and so on")
    return lines
