"""Strategies of a search: numbers, plans, coverage; the same again after a break."""

import dataclasses
import itertools
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from benchmarks.search import FunctionTrials, Problem
from cookbook.config import UNLIMITED, Count, TrainingConfig
from cookbook.training.run_folder import RunFolder
from cookbook.tuning.strategies.axes import Cube
from cookbook.tuning.strategies.engines import TUNERS, propose
from cookbook.tuning.strategies.grid import Grid
from cookbook.tuning.strategies.hyperband import cost, plan
from cookbook.tuning.strategies.tpe import StudySearch

KERAS_TUNERS = ["random", "grid", "bayesian", "hyperband"]
EVERY_TUNER = [*KERAS_TUNERS, "tpe"]


@dataclasses.dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 4  # passes
    kind: str = "plain"  # of the optimizer
    momentum: float = 0.3  # of one kind
    rate: float = 0.05  # step size
    units: Count = 4  # hidden units
    is_wide: bool = False  # a flag


def space(hp):
    """With each type of hyperparameter, and one that is not always active."""
    kind = hp.Choice("kind", ["plain", "momentum", "other"])
    with hp.conditional_scope("kind", ["momentum"]):
        momentum = hp.Float("momentum", 0.0, 0.9, step=0.3)
    return Config(
        kind=kind,
        momentum=momentum,
        rate=hp.Float("rate", 1e-3, 1.0, sampling="log"),
        units=hp.Int("units", 2, 5),
        is_wide=hp.Boolean("is_wide"),
    )


def scores(config):
    """Scores that rise with the epochs, and are best at certain settings."""
    distance = abs(np.log10(config.rate) + 2) + abs(config.units - 3) / 2
    distance += {"plain": 1, "momentum": 0, "other": 2}[config.kind]
    for epoch in range(1, 100):
        yield float(-distance + 0.01 * epoch)


PROBLEM = Problem("test", Config, space, scores, "accuracy")


def trials_of(folder, tuner, problem=PROBLEM, kind=FunctionTrials, **settings):
    """A fake Trials whose run folder is `folder`."""
    config = problem.config(tuner=tuner, **settings)
    folder.mkdir(exist_ok=True)
    return kind(problem, config, RunFolder(folder, config))


def searched(folder, tuner, **settings):
    trials = trials_of(folder, tuner, **settings)
    propose(trials)
    return trials


def values(trials):
    return {number: result.values for number, result in trials.done.items()}


@pytest.mark.parametrize("tuner", EVERY_TUNER)
def test_trials_have_the_numbers_from_0_on_and_differ(tuner, tmp_path):
    trials = searched(tmp_path / "r", tuner, tune=12)
    assert [*trials.done] == [*range(13)]
    found = list(values(trials).values())
    assert all(found.count(one) == 1 for one in found)
    for one in found:
        assert ("momentum" in one) == (one["kind"] == "momentum")
        assert set(one) - {"momentum"} == {"kind", "rate", "units", "is_wide"}
    assert len({one["kind"] for one in found}) > 1


@pytest.mark.parametrize("tuner", EVERY_TUNER)
def test_the_same_seed_searches_the_same_and_another_one_does_not(tuner, tmp_path):
    first, again, other = (
        values(searched(tmp_path / str(i), tuner, tune=8, seed=seed))
        for i, seed in enumerate([3, 3, 4])
    )
    assert first == again
    assert tuner == "grid" or first != other


@pytest.mark.parametrize("tuner", ["random", "grid", "bayesian", "tpe"])
def test_a_longer_search_begins_with_the_shorter_one(tuner, tmp_path):
    short = values(searched(tmp_path / "short", tuner, tune=8))
    long = values(searched(tmp_path / "long", tuner, tune=13))
    assert list(long.items())[:9] == list(short.items())


def test_searches_with_neighbouring_seeds_share_no_settings(tmp_path):
    found = [
        values(searched(tmp_path / str(seed), "random", tune=10, seed=seed))
        for seed in range(6)
    ]
    rates = [v["rate"] for one in found for number, v in one.items() if number]
    assert len(set(rates)) == len(rates)


class Killed(BaseException):
    """The end of a process, as far as one process can tell it."""


class Mortal(FunctionTrials):
    """A Trials whose process dies in a trial, after its first epoch."""

    dies_in = 6

    def run_or_recall(self, number, values, until=None, report=None):
        if number == self.dies_in:
            (self.run.part(f"tuning/trial_{number}")).write_json("values.json", values)
            if report is not None:
                report(1, 0.1)
            raise Killed
        return super().run_or_recall(number, values, until, report)


@pytest.mark.parametrize("tuner", EVERY_TUNER)
def test_a_search_that_was_killed_goes_on_to_the_same_trials(tuner, tmp_path):
    whole = values(searched(tmp_path / "whole", tuner, tune=12))
    broken = trials_of(tmp_path / "r", tuner, kind=Mortal, tune=12)
    with pytest.raises(Killed):
        propose(broken)
    again = trials_of(tmp_path / "r", tuner, tune=12)
    again.done = {n: r for n, r in broken.done.items() if n != Mortal.dies_in}
    again.under_way = broken.under_way
    propose(again)
    assert dict(sorted(values(again).items())) == whole


def test_bayesian_leaves_random_once_there_are_results_enough(tmp_path):
    """Four hyperparameters and a conditional one: trial 0 and four others suffice."""
    drawn = values(searched(tmp_path / "a", "random", tune=8))
    modelled = values(searched(tmp_path / "b", "bayesian", tune=8))
    same = [number for number in drawn if drawn[number] == modelled[number]]
    assert same == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("tuner", ["bayesian", "tpe"])
def test_the_trials_of_another_search_are_learned_from_and_its_best_repeated(
    tuner, tmp_path
):
    earlier = [
        r for n, r in searched(tmp_path / "a", "random", tune=9).done.items() if n
    ]
    trials = trials_of(tmp_path / "b", tuner, kind=WithEarlier, tune=3)
    trials.earlier = earlier
    trials.first = [earlier[4].values]
    propose(trials)
    assert values(trials)[1] == earlier[4].values
    assert [*trials.done] == [0, 1, 2, 3]
    without = values(searched(tmp_path / "c", tuner, tune=3))
    assert without[3] != values(trials)[3]


class WithEarlier(FunctionTrials):
    """A Trials with --from."""

    earlier = ()

    @property
    def prior(self):
        return [self.done[0], *self.earlier]


def small_space(hp):
    return Config(units=hp.Int("units", 2, 5), is_wide=hp.Boolean("is_wide"))


@pytest.mark.parametrize("tuner", KERAS_TUNERS)
def test_a_space_without_further_settings_ends_the_search(tuner, tmp_path):
    """It has eight points; one of them is trial 0."""
    problem = dataclasses.replace(PROBLEM, space=small_space)
    trials = searched(tmp_path / "r", tuner, problem=problem, tune=20)
    assert len(trials.done) == (9 if tuner == "grid" else 8)
    assert any("no further settings" in line for line in trials.lines)


def test_a_failed_trial_is_a_bad_one_and_the_search_goes_on(tmp_path):
    def fails(config):
        if config.units == 3:
            raise ValueError("no room")
        yield from scores(config)

    problem = dataclasses.replace(PROBLEM, scores=fails)
    for tuner in EVERY_TUNER:
        trials = searched(tmp_path / tuner, tuner, problem=problem, tune=12)
        failed = [r for r in trials.done.values() if r.score is None]
        assert len(trials.done) == 13
        assert failed
        assert all(result.problem == "no room" for result in failed)


# Grid.


def test_the_grid_counts_the_points_of_a_conditional_space_and_has_each_once(tmp_path):
    trials = trials_of(tmp_path / "r", "grid", tune=5)
    grid = Grid(trials.space.dimensions)
    assert grid.size == (1 + 4 + 1) * 10 * 4 * 2
    points = [grid.point(index) for index in range(grid.size)]
    assert len({str(point) for point in points}) == grid.size
    assert sum("momentum" in point for point in points) == 4 * 10 * 4 * 2
    momenta = {point["momentum"] for point in points if "momentum" in point}
    assert sorted(momenta) == pytest.approx([0.0, 0.3, 0.6, 0.9])
    propose(trials)
    assert trials.lines == [
        "the grid has 480 points; the search covers 5 of them, spread over it",
        "the grid cuts ranges without a step: rate into 10",
    ]


def test_a_partial_grid_has_all_values_and_a_whole_one_all_points(tmp_path):
    part = values(searched(tmp_path / "part", "grid", tune=16))
    searched_values = [one for number, one in part.items() if number]
    assert {one["kind"] for one in searched_values} == {"plain", "momentum", "other"}
    assert {one["units"] for one in searched_values} == {2, 3, 4, 5}
    assert {one["is_wide"] for one in searched_values} == {False, True}
    problem = dataclasses.replace(PROBLEM, space=small_space)
    whole = searched(tmp_path / "whole", "grid", problem=problem, tune=8)
    assert whole.lines[0] == "the grid has 8 points; the search covers all of them"
    assert len(whole.done) == 9
    settings = [tuple(one.items()) for number, one in values(whole).items() if number]
    assert len(set(settings)) == 8


# Hyperband.


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 9, 10, 27, 81])
def test_hyperbands_plan_has_all_settings_and_ends_with_all_epochs(epochs):
    for settings in [*range(1, 60), 250]:
        brackets = list(plan(settings, epochs))
        assert sum(bracket[0].settings for bracket in brackets) == settings
        for bracket in brackets:
            assert bracket[-1].epochs == epochs
            assert bracket[-1].settings >= 1
            for rung, following in itertools.pairwise(bracket):
                assert following.settings == rung.settings // 3
                assert following.epochs > rung.epochs
        assert sum(map(cost, brackets)) <= settings * epochs


def test_hyperbands_plan_is_that_of_the_paper():
    """Li et al., table 1, with 27 epochs; a promoted trial goes on where it was."""
    found = [[(r.settings, r.epochs) for r in bracket] for bracket in plan(49, 27)]
    assert found == [
        [(27, 1), (9, 3), (3, 9), (1, 27)],
        [(12, 3), (4, 9), (1, 27)],
        [(6, 9), (2, 27)],
        [(4, 27)],
    ]
    assert cost(next(plan(49, 27))) == 27 + 9 * 2 + 3 * 6 + 18


class Recording(FunctionTrials):
    """A Trials that notes who was trained how far."""

    def __init__(self, *arguments):
        self.calls = []
        super().__init__(*arguments)

    def run_or_recall(self, number, values, until=None, report=None):
        self.calls.append((number, until))
        return super().run_or_recall(number, values, until, report)


def test_hyperband_promotes_the_best_under_their_numbers(tmp_path):
    trials = trials_of(tmp_path / "r", "hyperband", kind=Recording, tune=12, epochs=9)
    propose(trials)
    calls = trials.calls[1:]  # the first is trial 0
    assert calls[:9] == [(number, 1) for number in range(1, 10)]
    after_one = {number: trials.done[number].scores[0] for number in range(1, 10)}
    best = sorted(after_one, key=after_one.get, reverse=True)
    assert calls[9:12] == [(number, 3) for number in best[:3]]
    assert calls[12:] == [(best[0], 9), *((n, 3) for n in (10, 11, 12)), calls[-1]]
    assert calls[-1][0] in (10, 11, 12)
    assert calls[-1][1] == 9
    assert trials.lines == [
        "hyperband's plan for 12 settings:",
        "  bracket 1: 9 settings for 1 epoch, 3 for 3, 1 for 9",
        "  bracket 2: 3 settings for 3 epochs, 1 for 9",
    ]


def test_hyperband_gives_several_processes_work_and_waits_for_promotions(tmp_path):
    """The oracle alone, asked by three workers whose trials end in turn."""
    from cookbook.tuning.strategies.hyperband import Hyperband

    trials = trials_of(tmp_path / "r", "hyperband", tune=9, epochs=9)
    oracle = Hyperband(trials)
    oracle._set_project_dir(tmp_path, "oracle")

    def end(trial):
        number = int(trial.trial_id) + 1
        oracle.update_trial(trial.trial_id, {"accuracy": number / 10})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)

    running = [oracle.create_trial(f"worker_{i}") for i in range(3)]
    for _ in range(6):
        end(running.pop(0))
        running.append(oracle.create_trial(f"worker_{_ % 3}"))
    assert [trial.trial_id for trial in running] == ["0006", "0007", "0008"]
    end(running.pop(0))
    assert oracle.create_trial("worker_0").status == "IDLE"
    again = oracle.create_trial("worker_1")
    assert again is running[0], "a worker that starts again gets its trial again"
    end(running.pop(0))
    end(running.pop(0))
    promoted = [oracle.create_trial(f"worker_{i}") for i in range(3)]
    assert [trial.trial_id for trial in promoted] == ["0008", "0007", "0006"]
    assert all(t.hyperparameters.values["tuner/epochs"] == 3 for t in promoted)
    assert oracle.create_trial("worker_3").status == "IDLE"
    for trial in promoted:
        end(trial)
    last = oracle.create_trial("worker_0")
    assert (last.trial_id, last.hyperparameters.values["tuner/epochs"]) == ("0008", 9)
    end(last)
    assert oracle.create_trial("worker_0").status == "STOPPED"


def test_hyperband_keeps_the_first_plan_when_a_search_is_extended(tmp_path):
    short = searched(tmp_path / "r", "hyperband", kind=Recording, tune=5, epochs=9)
    long = trials_of(tmp_path / "r", "hyperband", kind=Recording, tune=8, epochs=9)
    long.run.write_json("search.json", {"stages": [5, 8]})
    propose(long)
    assert long.calls[: len(short.calls)] == short.calls
    assert long.lines == [
        "hyperband's plan for 8 settings:",
        "  bracket 1: 5 settings for 3 epochs, 1 for 9",
        "  bracket 2: 3 settings for 3 epochs, 1 for 9",
    ]


def test_hyperband_with_one_epoch_says_that_it_is_random(tmp_path):
    trials = searched(tmp_path / "r", "hyperband", tune=5, epochs=1)
    assert "nothing to halve" in trials.lines[0]
    assert values(trials) == values(searched(tmp_path / "s", "random", tune=5))


class OutOfTime(FunctionTrials):
    """A Trials whose time is up after four trials beside trial 0."""

    def time_is_up(self):
        return len(self.done) > 4


@pytest.mark.parametrize("tuner", EVERY_TUNER)
def test_no_trial_begins_when_the_time_is_up(tuner, tmp_path):
    trials = searched(tmp_path / "r", tuner, kind=OutOfTime, tune=UNLIMITED, epochs=9)
    assert [*trials.done] == [0, 1, 2, 3, 4]


# TPE.


def study_of(trials):
    import optuna

    journal = optuna.storages.journal.JournalFileBackend(
        str(trials.run.path / "study.log"),
        optuna.storages.journal.JournalFileOpenLock(str(trials.run.path / "study.log")),
    )
    storage = optuna.storages.JournalStorage(journal)
    return optuna.load_study(study_name=trials.run.recipe, storage=storage)


def test_the_study_numbers_trials_as_the_search_does(tmp_path):
    trials = searched(tmp_path / "r", "tpe", tune=5)
    study = study_of(trials)
    assert [t.params for t in study.trials] == [*values(trials).values()]
    assert [t.value for t in study.trials] == [r.score for r in trials.done.values()]
    curve = dict(enumerate(trials.done[3].scores, 1))
    assert study.trials[3].intermediate_values == curve


def test_a_trial_that_a_kill_has_left_running_goes_on_under_its_number(tmp_path):
    broken = trials_of(tmp_path / "r", "tpe", kind=Mortal, tune=8)
    with pytest.raises(Killed):
        propose(broken)
    left = study_of(broken).trials[6]
    assert left.state.name == "RUNNING"
    again = trials_of(tmp_path / "r", "tpe", kind=Recording, tune=8)
    propose(again)
    assert [number for number, _ in again.calls] == [0, 6, 7, 8]
    assert values(again)[6] == left.user_attrs["values"]
    assert len(study_of(again).trials) == 9
    assert all(trial.state.is_finished() for trial in study_of(again).trials)


def test_several_searches_share_a_study_and_its_number_of_trials(tmp_path):
    """As two machines do, which have a run folder each."""
    study = str(tmp_path / "study.log")
    first = trials_of(tmp_path / "a", "tpe", kind=OutOfTime, tune=9, study=study)
    propose(first)
    second = searched(tmp_path / "b", "tpe", tune=9, study=study)
    assert [*first.done] == [0, 1, 2, 3, 4]
    assert [*second.done] == [0, 5, 6, 7, 8, 9]
    collected = sorted((tmp_path / "b" / "trials").iterdir())
    assert [path.stem for path in collected] == ["1", "2", "3", "4"]


def test_optuna_stops_hopeless_trials_and_no_stop_early_does_not(tmp_path):
    stopped = {}
    for stop_early in (True, False):
        folder = tmp_path / str(stop_early)
        trials = searched(folder, "tpe", tune=20, epochs=8, stop_early=stop_early)
        stopped[stop_early] = [r for r in trials.done.values() if r.stopped]
    assert stopped[True]
    assert all(result.epochs < 8 for result in stopped[True])
    assert not stopped[False]


def slow_scores(config):
    for score in scores(config):
        time.sleep(0.03)
        yield score


def test_processes_that_share_a_study_run_each_trial_once(tmp_path):
    """Threads stand for the processes; each has a Trials and a study of its own."""
    problem = dataclasses.replace(PROBLEM, scores=slow_scores)
    workers = [trials_of(tmp_path / "r", "tpe", problem, tune=14) for _ in range(3)]

    def work(i):
        search = StudySearch(workers[i])
        search.place = f"worker_{i}"
        search.run_all()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    shares = [[number for number in worker.done if number] for worker in workers]
    assert sorted(itertools.chain(*shares)) == [*range(1, 15)]
    assert all(shares)
    found = {str(values(worker)[n]) for worker, ns in zip(workers, shares) for n in ns}
    assert len(found) == 14


def test_a_study_may_be_a_database(tmp_path):
    study = f"sqlite:///{tmp_path / 'all.db'}"
    trials = searched(tmp_path / "r", "tpe", tune=3, study=study)
    assert [*trials.done] == [0, 1, 2, 3]
    assert (tmp_path / "all.db").stat().st_size > 0
    assert not (tmp_path / "r" / "study.log").exists()


class TwoObjectives(FunctionTrials):
    """A Trials with --tune-metric parameters."""

    second = "parameters"

    def run_or_recall(self, number, values, until=None, report=None):
        assert report is None
        result = super().run_or_recall(number, values, until)
        result.parameters = values["units"]
        return result


def test_tpe_searches_for_two_objectives(tmp_path):
    trials = searched(tmp_path / "r", "tpe", kind=TwoObjectives, tune=14)
    assert [*trials.done] == [*range(15)]
    assert trials.lines == ["with two objectives, tpe stops no trial early"]
    assert [t.values[1] for t in study_of(trials).trials] == [
        result.values["units"] for result in trials.done.values()
    ]


def test_without_optuna_one_line_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SystemExit) as stop:
        searched(tmp_path / "r", "tpe", tune=3)
    assert stop.value.code == 2
    err = capsys.readouterr().err.strip()
    assert err.startswith(
        "error: --tuner tpe needs Optuna, which is not installed: pip"
    )
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("study", ["sqlite:////nowhere/at/all.db", "/nowhere/all.log"])
def test_a_study_that_cannot_be_opened_is_one_line(study, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        searched(tmp_path / "r", "tpe", tune=3, study=study)
    assert stop.value.code == 2
    err = capsys.readouterr().err.strip()
    assert err.startswith(f"error: --study got {study}, which can't be opened")
    assert len(err.splitlines()) == 1


# What models see.


def test_settings_survive_their_way_through_the_cube(tmp_path):
    trials = trials_of(tmp_path / "r", "random", tune=3)
    cube = Cube(trials.space.dimensions)
    rng = np.random.default_rng(0)
    points = np.concatenate(
        [cube.draw(rng, 50), cube.near(cube.draw(rng, 50), rng, 0.1)]
    )
    for point in points:
        setting = cube.values(point)
        again = cube.values(cube.point(setting))
        assert again.pop("rate") == pytest.approx(setting.pop("rate"), rel=1e-9)
        assert again == setting
    assert (
        cube.point({"kind": "plain", "rate": 2.0, "units": 3, "is_wide": True}) is None
    )
    assert cube.point({"kind": "new", "rate": 0.1, "units": 3, "is_wide": True}) is None
    inactive = cube.columns(points)[[cube.values(p)["kind"] == "other" for p in points]]
    assert inactive[:, 3] == pytest.approx(0.5)  # the momentum, after three kinds


def test_each_strategy_has_its_sentence():
    assert set(TUNERS) == set(EVERY_TUNER)
