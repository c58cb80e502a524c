"""Strategies of a search: numbers, plans, coverage; the same again after a break."""

import dataclasses
import itertools
import typing
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search import FunctionTrials
from cookbook.config import UNLIMITED, Tuner
from cookbook.tuning.strategies.axes import Cube
from cookbook.tuning.strategies.engines import propose
from cookbook.tuning.strategies.grid import Grid
from cookbook.tuning.strategies.hyperband import cost, plan
from function_trials import (
    PROBLEM,
    Config,
    Killed,
    Mortal,
    OutOfTime,
    Recording,
    scores,
    searched,
    trials_of,
    values,
)

KERAS_TUNERS = ["random", "grid", "bayesian", "hyperband"]
EVERY_TUNER = [*KERAS_TUNERS, "tpe"]


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
        trials = searched(tmp_path / tuner, tuner, problem=problem, tune=12, seed=1)
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
        "the grid has 480 points; the search covers 5 of them, drawn at random",
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


@pytest.mark.parametrize("tuner", EVERY_TUNER)
def test_no_trial_begins_when_the_time_is_up(tuner, tmp_path):
    trials = searched(tmp_path / "r", tuner, kind=OutOfTime, tune=UNLIMITED, epochs=9)
    assert [*trials.done] == [0, 1, 2, 3, 4]


def test_hyperband_ends_if_all_its_trials_fail(tmp_path):
    def fails(config):
        raise ValueError("no room")
        yield

    problem = dataclasses.replace(PROBLEM, scores=fails)
    trials = searched(tmp_path / "r", "hyperband", problem=problem, tune=12, epochs=9)
    assert len(trials.done) == 13


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


def test_each_strategy_can_be_chosen_and_has_a_row_in_the_page():
    assert set(typing.get_args(Tuner)) == set(EVERY_TUNER)
    page = (Path(__file__).parents[2] / "docs" / "search.md").read_text()
    for tuner in EVERY_TUNER:
        assert f"\n| `{tuner}`" in page
