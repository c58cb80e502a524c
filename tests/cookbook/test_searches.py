"""Searches that go on: repeated, extended and warm-started, with nothing ever lost."""

import dataclasses
import json
import shutil
from pathlib import Path

import keras
import pytest

from cookbook.errors import fail
from cookbook.processes import ID, IP, PORT
from cookbook.runs.searches import find_search, is_finished
from cookbook.runs.settings import SEARCH, plain
from cookbook.training import run_folder
from cookbook.training.checkpoint import Saves, fingerprint
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from cookbook.tuning.spaces.space import Space
from cookbook.tuning.trials.earlier import earlier_trials
from cookbook.tuning.trials.results import TrialResult, results_in
from small_training import SearchConfig, build, data, space


class Killed(BaseException):
    """What a kill is in these tests."""


def content(run, name="search.json"):
    path = getattr(run, "path", run)
    return json.loads((path / name).read_text())


def opened(config, **settings):
    """The run folder of a Config, as another process would open it."""
    return RunFolder.open("r", dataclasses.replace(config, **settings))


def whole_run(config, stop=lambda place: None):
    """What the main of a recipe does; `stop` may raise at places inside."""
    run = RunFolder.open("r", config)
    stop("opened")
    if config.tune:
        config = search(space, build, data(), config, run)
        stop("searched")
    seed_everything(config.seed)
    net = build(config, data())
    history = train(net, data(), config, run)
    stop("trained")
    run.write("model.keras", net.save)
    stop("written")
    run.complete({"weights": fingerprint(net.get_weights()), "epochs": len(history)})
    return run


def refusal(capsys, call, *arguments):
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        call(*arguments)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def pretended(config, trials, **metrics):
    """The folder of a finished search whose trials nobody has trained."""
    run = opened(config)
    for number in range(trials + 1):
        result = TrialResult(number, {"units": 8, "learning_rate": 0.1}, number / 100)
        content = dataclasses.asdict(result)
        run.part("trials").write_json(f"{number}.json", content)
    run.note_in_search(score="val_accuracy")
    run.decide(dataclasses.replace(config, units=8))
    run.write_json("model.keras", {})
    run.complete(metrics)
    return run


@pytest.fixture
def config(tmp_path):
    return SearchConfig(run_dir=tmp_path, tune=2, epochs=1)


# What the files say


def test_config_json_holds_the_best_settings_and_search_json_what_was_asked(tmp_path):
    config = SearchConfig(
        run_dir=tmp_path, tune=3, tuner="grid", epochs=1, space=("units=16,32",)
    )
    run = whole_run(config)
    best = max(
        results_in(run.path).values(), key=lambda result: (result.score, -result.number)
    )
    saved = content(run, "config.json")
    chosen = {name: saved[name] for name in best.values}
    assert chosen == best.values
    assert saved["with_validation"]
    defaults = plain(SearchConfig())
    assert {name: saved[name] for name in SEARCH} == {n: defaults[n] for n in SEARCH}
    asked = content(run)
    assert asked["settings"] == plain(config)
    assert asked["stages"] == [3]
    assert asked["score"] == "val_accuracy"
    goal = {"tune": 3, "tune_time": None, "confirm": 0}
    assert content(run, "metrics.json")["search"] == goal
    assert "units 16" not in str(saved)


def test_a_run_without_a_search_says_nothing_of_one(tmp_path):
    run = whole_run(SearchConfig(run_dir=tmp_path, epochs=1))
    assert not (run.path / "search.json").exists()
    assert "search" not in content(run, "metrics.json")


def test_the_settings_of_a_search_decide_what_resumes_it(config, capsys):
    run = opened(config)
    run.decide(dataclasses.replace(config, units=16))
    assert content(run, "config.json")["units"] == 16
    assert opened(config, resume=True).path == run.path
    line = refusal(capsys, lambda: opened(config, resume=True, units=16))
    assert "(units: 4 -> 16)" in line
    line = refusal(capsys, lambda: opened(config, resume=True, tuner="grid"))
    assert "(tuner: random -> grid)" in line
    line = refusal(capsys, lambda: opened(config, resume=True, tune=0))
    assert "tune: 2 -> 0" in line
    line = refusal(capsys, lambda: opened(config, resume=True, tune=1))
    assert "--tune got 1" in line
    assert "asked for 2 trials" in line
    free = {"confirm": 3, "tune_metric": "seconds", "stop_early": False}
    assert opened(config, resume=True, **free, tune_time="2h").path == run.path
    assert content(run)["settings"]["confirm"] == 3


@pytest.mark.parametrize("damage", ["", "{}", '{"settings": {"tune": "2"}}', "[]"])
def test_a_damaged_search_json_is_told_and_does_not_block_the_run_before(
    damage, config, capsys
):
    first, second = opened(config), opened(config)
    (second.path / "search.json").write_text(damage)
    assert opened(config, resume=True).path == first.path
    assert f"{second.path / 'search.json'} is damaged" in capsys.readouterr().out
    chosen = {"resume": True, "run": second.path}
    assert "is damaged" in refusal(capsys, lambda: opened(config, **chosen))


def test_a_mistake_in_from_python_leaves_no_empty_run_either(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.ps1", ">>> ", raising=False)
    with pytest.raises(run_folder.Mistake), run_folder.without_empty_folders():
        fail(f"a mistake in {opened(SearchConfig(run_dir=tmp_path / 'runs')).path}")
    assert not (tmp_path / "runs").exists()


# More of a finished search


def test_a_finished_search_goes_on_if_more_is_asked_of_it(config):
    run = pretended(config, 2)
    assert is_finished(run.path)
    longer = opened(config, resume=True, tune=5)
    assert longer.path == run.path
    assert not is_finished(run.path)
    assert not longer.is_finished
    assert content(run)["stages"] == [2, 5]
    assert (run.path / "model.keras").exists()
    longer.complete({})
    assert is_finished(run.path)
    assert opened(config, resume=True, tune=5, confirm=3).path == run.path
    assert content(run)["stages"] == [2, 5]


def test_a_search_that_time_has_ended_goes_on_from_what_it_had(config, capsys):
    timed = dataclasses.replace(config, tune=0, tune_time="1m")
    run = pretended(timed, 7)
    assert content(run)["stages"] == [100_000]
    line = refusal(capsys, lambda: opened(config, resume=True, tune=6))
    assert "its search has 7 trials" in line
    assert opened(timed, resume=True, tune_time="2m").path == run.path
    assert opened(config, resume=True, tune=9).path == run.path
    assert content(run)["stages"] == [7, 9]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "its search has 2 trials"),
        ({"tune": 1}, "its search has 2 trials"),
        ({"tune": 9, "units": 9}, "its search had other settings (units: 4 -> 9)"),
        ({"tune": 0}, "is finished: start"),
    ],
)
def test_a_finished_search_that_can_t_go_on_says_why(
    settings, expected, config, capsys
):
    run = pretended(config, 2)
    line = refusal(capsys, lambda: opened(config, resume=True, **settings))
    assert f"{run.path} is finished" in line
    assert expected in line


def test_a_finished_search_whose_record_is_damaged_says_so(config, capsys):
    run = pretended(config, 2)
    (run.path / "search.json").write_text('{"settings')
    longer = {"resume": True, "tune": 5, "run": run.path}
    line = refusal(capsys, lambda: opened(config, **longer))
    assert "its search.json is damaged (it is not JSON" in line


def test_the_newest_run_that_can_go_on_is_meant_and_run_names_another(config):
    first, second = pretended(config, 2), pretended(config, 2)
    other = pretended(dataclasses.replace(config, units=9), 2)
    assert opened(config, resume=True, tune=3).path == second.path
    assert opened(config, resume=True, tune=3, run=first.path).path == first.path
    begun = opened(config, tune=3)
    assert opened(config, resume=True, tune=3).path == begun.path
    assert is_finished(other.path)


def test_a_worker_shares_the_folder_of_its_chief(config, monkeypatch):
    run = pretended(config, 2)
    again = dataclasses.replace(config, resume=True, tune=4)
    chief = opened(again)
    before = (run.path / "search.json").read_bytes()
    for name, value in {ID: "worker_0", IP: "127.0.0.1", PORT: "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(run_folder, "wait_for_chief", lambda: None)
    assert opened(again).path == chief.path == run.path
    assert (run.path / "search.json").read_bytes() == before


def test_another_choice_drops_the_saves_of_the_one_before(config):
    run = opened(config)
    inside = run.part("part")
    for place in (run, inside):
        run.decide(config)
        (place.path / "step_1.save").touch()
    kept = run.part("tuning/trial_1").path / "step_1.save"
    kept.touch()
    run.decide(dataclasses.replace(config, save_every=7))  # changes no result
    assert Saves(run).paths()
    run.decide(dataclasses.replace(config, units=9))
    assert not Saves(run).paths() + Saves(inside).paths()
    assert kept.exists()


def results_of(run):
    """What stays in use until the next results are written."""
    names = ("config.json", "metrics.json", "model.keras")
    return [(run.path / name).read_bytes() for name in names]


@pytest.mark.slow
def test_kills_while_a_search_goes_on_lose_nothing(tmp_path, monkeypatch):
    """An unbroken search of 4 trials, and one of 2, then 4, killed at each place.

    With this seed trial 4 is the best, so that other settings are trained at last.
    """
    config = SearchConfig(run_dir=tmp_path / "whole", tune=4, epochs=2, seed=1)
    whole = whole_run(config)
    few = dataclasses.replace(config, run_dir=tmp_path / "broken", tune=2)
    run = whole_run(few)
    before = results_of(run)
    more = dataclasses.replace(few, tune=4, resume=True)
    place = ""

    def stop(reached, logs=None):
        if reached == place:
            raise Killed

    def fit_of(model, *arguments, **settings):
        is_last = not [*(run.path / "tuning").glob("trial_*")]
        here = "last training" if is_last else "trial"
        bomb = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: stop(here))
        callbacks = [*settings.pop("callbacks", ()), bomb]
        return fit(model, *arguments, callbacks=callbacks, **settings)

    fit = keras.Sequential.fit
    monkeypatch.setattr(keras.Sequential, "fit", fit_of)
    for place in ("opened", "trial", "searched", "last training", "trained"):
        with pytest.raises(Killed):
            whole_run(more, stop)
        assert results_of(run) == before, place
        assert not is_finished(run.path), place
    place = ""
    assert whole_run(more, stop).path == run.path
    assert is_finished(run.path)
    weights = content(run, "metrics.json")["weights"]
    assert weights == content(whole, "metrics.json")["weights"]
    assert trained_in(run) == trained_in(whole)
    assert results_of(run)[0] != before[0]


def trained_in(run):
    return [(r.number, r.values, r.scores) for r in results_in(run.path).values()]


@pytest.mark.slow
def test_ctrl_c_in_the_next_training_leaves_the_model_that_answers(config, monkeypatch):
    run = whole_run(config)
    before = results_of(run)

    def interrupted(model, *arguments, **settings):
        if [*(run.path / "tuning").glob("trial_*")]:
            return fit(model, *arguments, **settings)
        fit(model, *arguments, **settings)
        raise KeyboardInterrupt

    fit = keras.Sequential.fit
    monkeypatch.setattr(keras.Sequential, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        whole_run(dataclasses.replace(config, tune=3, resume=True))
    assert results_of(run) == before


# What another search has found


def test_from_names_a_run_a_recipe_or_its_folder(config, tmp_path):
    first, second = pretended(config, 2), pretended(config, 3)
    opened(dataclasses.replace(config, tune=0))  # has no trials
    for asked in (second.path, tmp_path / "r", Path("r")):
        assert find_search(asked, tmp_path, "r") == second.path
    assert find_search(Path("r"), tmp_path, "r", second.path) == first.path


def test_a_run_that_from_can_t_name_is_one_line_and_no_folder(config, tmp_path, capsys):
    done = pretended(config, 2)
    plain_run = opened(config, tune=0)
    before = [*(tmp_path / "r").iterdir()]
    for asked, recipe, expected in [
        (tmp_path / "nothing", "r", "there is no such run"),
        (plain_run.path, "r", "without trials of a search"),
        (done.path, "q", "a run of r, expected one of q"),
    ]:
        settings = dataclasses.replace(config, from_=asked)
        assert expected in refusal(capsys, RunFolder.open, recipe, settings)
    assert [*(tmp_path / "r").iterdir()] == before
    assert not (tmp_path / "q").exists()


def earlier(config, source, score="val_accuracy", **settings):
    """(the results that a new search takes from `source`, its run)"""
    config = dataclasses.replace(config, from_=source, **settings)
    run = opened(config)
    return earlier_trials(run, Space(space, config), score), run


def add(run, number, values, score=0.5):
    result = dataclasses.asdict(TrialResult(number, values, score))
    run.part("trials").write_json(f"{number}.json", result)


def test_trials_with_possible_values_and_a_score_are_taken(config, capsys):
    source = pretended(config, 1)
    add(source, 2, {"units": 8, "learning_rate": 0.1}, None)  # has failed
    add(source, 3, {"units": 3, "learning_rate": 0.1})  # not among the choices
    add(source, 4, {"units": 8, "learning_rate": 0.9})  # beyond the range
    add(source, 5, {"units": 8, "learning_rate": 0.1, "batch_size": 99})
    add(source, 6, {"units": 8, "learning_rate": 0.1, "batch_size": 8})  # as it is here
    add(source, 7, {"learning_rate": 0.1})  # units were not tried: the run's own, 4
    (source.path / "trials" / "8.json").write_text("{")
    capsys.readouterr()
    found, _ = earlier(config, source.path, epochs=3)
    assert [result.number for result in found] == [0, 1, 6, 7]
    assert found[-1].values == {"units": 4, "learning_rate": 0.1}
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"note: the search learns from 4 trials of {source.path}; not possible here: 3 "
        "(batch_size is not tried here, learning_rate has other values here, units has "
        "other values here); its other settings were not the same (epochs: 1 -> 3)"
    )


def test_a_changed_space_decides_which_trials_are_possible(config):
    source = pretended(config, 1)
    fixed, _ = earlier(config, source.path, space=("units=fixed",), units=8)
    assert [result.values for result in fixed] == [{"learning_rate": 0.1}] * 2
    other, _ = earlier(config, source.path, space=("units=fixed",))
    assert other == []


def test_scores_of_another_column_are_refused(config, capsys):
    source = pretended(config, 1)
    line = refusal(capsys, earlier, config, source.path, "val_loss")
    assert "compared by val_accuracy, expected val_loss" in line


def test_a_resumed_search_takes_the_trials_that_it_took_at_first(config, tmp_path):
    source = pretended(config, 2)
    found, run = earlier(config, source.path)
    shutil.rmtree(source.path)
    again = dataclasses.replace(config, from_=source.path, resume=True)
    resumed = opened(again)
    assert resumed.path == run.path
    ranges = Space(space, again)
    assert earlier_trials(resumed, ranges, "val_accuracy") == found
