"""Trials: the defaults are one of them, hopeless ones stop, the best are confirmed."""

import dataclasses
import json
import logging
import os
import sys
import time

import numpy as np
import pytest

from cookbook.runs.files import Damaged
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import NotFinite
from cookbook.tuning.confirm import settings_to_confirm
from cookbook.tuning.search import search
from cookbook.tuning.spaces.space import Space
from cookbook.tuning.trials.attempts import drop_hints_on_retracing
from cookbook.tuning.trials.median_rule import Watch, is_hopeless
from cookbook.tuning.trials.results import TrialResult, read_result
from cookbook.tuning.trials.runner import Trials
from small_training import SearchConfig, build, data, space, table


def trials_in(run):
    """The trials of a search in its run folder."""
    return Trials(
        Space(space, run.config), build, data(), run.config, run, "val_accuracy"
    )


def test_the_settings_of_the_defaults_are_not_trained_twice(tmp_path):
    trained = []

    def counted(config, data):
        trained.append(config.units)
        return build(config, data)

    def few(hp):
        return SearchConfig(units=hp.Choice("units", [4, 8]))

    config = SearchConfig(run_dir=tmp_path, tune=2, tuner="grid", epochs=1)
    run = RunFolder.open("r", config)
    search(few, counted, data(), config, run)
    assert sorted(trained) == [4, 8]
    scores = [row["val_accuracy"] for row in table(run) if row["units"] == "4"]
    assert len(scores) == 2
    assert scores[0] == scores[1]


def test_a_confirmed_search_decides_by_the_mean_over_new_seeds(tmp_path, capsys):
    trained = []

    def recorded(config, data):
        trained.append((config.units, config.seed))
        return build(config, data)

    config = SearchConfig(run_dir=tmp_path, tune=3, epochs=1, seed=7, confirm=1)
    run = RunFolder.open("r", config)
    best = search(space, recorded, data(), config, run)
    first = trained[:4]
    assert {seed for _, seed in first} == {7}
    repeats = trained[4:]
    assert {seed for _, seed in repeats} == {8, 9, 10}
    kept = {p.name for p in (run.path / "trials").glob("confirm_*")}
    assert {"confirm_0_seed_8.json", "confirm_0_seed_10.json"} <= kept
    means = {}
    for file in (run.path / "trials").glob("confirm_*"):
        repeat = json.loads(file.read_text())
        means.setdefault(repeat["values"]["units"], []).append(repeat["score"])
    assert np.mean(means[best.units]) == max(map(np.mean, means.values()))
    assert (best.seed, best.confirm) == (7, 0)

    count = len(trained)
    search(space, recorded, data(), config, run)
    assert len(trained) == count, "a resumed search must confirm nothing again"


def test_each_setting_is_confirmed_once_and_the_defaults_take_no_place(tmp_path):
    config = SearchConfig(run_dir=tmp_path, tune=4, confirm=1)
    run = RunFolder.open("r", config)
    tried = {0: (4, 0.9), 1: (4, 0.9), 2: (8, 0.8), 3: (16, 0.7), 4: (2, None)}
    for number, (units, score) in tried.items():
        scores = [] if score is None else [score]
        result = TrialResult(number, {"units": units}, score, scores, epochs=1)
        run.part("trials").write_json(f"{number}.json", dataclasses.asdict(result))
    assert [result.number for result in settings_to_confirm(trials_in(run))] == [0, 2]


def test_a_search_ends_when_its_time_is_up(tmp_path, capsys):
    config = SearchConfig(run_dir=tmp_path, tune_time="0s", epochs=1)
    run = RunFolder.open("r", config)
    best = search(space, build, data(), config, run)
    assert [row["trial"] for row in table(run)] == ["0"]
    assert best.units == 4
    line = (
        "the 0s of --tune-time are over: the search ends with 0 trials beside trial 0"
    )
    assert line in capsys.readouterr().out.splitlines()


def test_a_search_in_which_all_is_fixed_is_refused_at_once(tmp_path, capsys):
    fixed = ("units=fixed", "learning_rate=fixed")
    config = SearchConfig(run_dir=tmp_path, tune=2, space=fixed)
    run = RunFolder.open("r", config)
    with pytest.raises(SystemExit) as stop:
        search(space, None, data(), config, run)
    assert stop.value.code == 2
    assert "nothing to try" in capsys.readouterr().err
    assert not (run.path / "trials").exists()


def test_trials_that_ran_at_once_use_up_the_time_of_the_search_once(tmp_path):
    """Two workers took 100 s each, at the same time, before the search was killed."""
    config = SearchConfig(run_dir=tmp_path, tune=5, tune_time="150s")
    run = RunFolder.open("r", config)
    run.note_in_search(began=time.time() - 1000, resumed=time.time() - 1000)
    for number in (1, 2):
        result = TrialResult(number, {"units": 4}, 0.5, [0.5], epochs=1, seconds=100.0)
        run.part("trials").write_json(f"{number}.json", dataclasses.asdict(result))
        moment = time.time() - 900
        os.utime(run.path / "trials" / f"{number}.json", (moment, moment))
    resumed = trials_in(run)
    assert 90 < time.time() - resumed.began < 110
    assert not resumed.time_is_up()
    assert run.search["began"] == resumed.began
    assert abs(trials_in(run).began - resumed.began) < 10, "it was killed again at once"


def test_a_trial_that_fails_after_its_promotion_had_not_failed_before(tmp_path):
    """So a search that is killed and goes on promotes the same trials again."""
    config = SearchConfig(run_dir=tmp_path, tune=1, tuner="hyperband", epochs=2)
    trials = trials_in(RunFolder.open("r", config))
    before = trials.run_or_recall(1, {"units": 8}, until=1)

    def broken(config, data):
        raise RuntimeError("out of memory")

    trials.build = broken
    failed = trials.run_or_recall(1, {"units": 8}, until=2)
    assert (failed.score, failed.problem) == (None, "RuntimeError: out of memory")
    again = trials.run_or_recall(1, {"units": 8}, until=1)
    assert (again.score, again.problem) == (before.score, None)
    assert trials.run_or_recall(1, {"units": 8}, until=2) == failed


def test_a_score_that_is_not_a_number_fails_its_trial():
    watch = Watch("val_distance", lambda scores: False)
    with pytest.raises(NotFinite, match="val_distance became nan in epoch 1"):
        watch.on_epoch_end(0, {"val_distance": float("nan")})


def test_the_median_rule_needs_five_earlier_trials_and_a_third_of_the_epochs():
    def result(number, *scores):
        return TrialResult(number, {}, max(scores), list(scores))

    others = [result(i, 0.5 + 0.1 * i, 0.9) for i in range(5)]  # the median is 0.7
    assert is_hopeless([0.69], others, 3, max)
    assert not is_hopeless([0.7], others, 3, max)
    assert not is_hopeless([0.69], others[:4], 3, max)
    assert not is_hopeless([0.69], others, 4, max), "in its first third"
    assert not is_hopeless([0.69], others, 1, max), "nothing would be saved"
    assert is_hopeless([0.1, 0.2], others, 3, max)
    assert not is_hopeless([0.95, 0.2], others, 3, max), "its best counts"
    losses = [result(i, 0.5 + 0.1 * i) for i in range(5)]
    assert is_hopeless([0.71], losses, 3, min)
    assert not is_hopeless([0.69], losses, 3, min)


def test_tpe_with_two_objectives_stops_no_trial(tmp_path):
    """With one, Optuna's pruner stops them, in place of the median rule."""
    settings = {"tuner": "tpe", "tune_metric": "parameters", "epochs": 4}
    config = SearchConfig(run_dir=tmp_path, tune=9, **settings)
    run = RunFolder.open("r", config)
    trials = Trials(Space(space, config), build, data(), config, run, "loss")
    for i in range(6):
        result = TrialResult(i, {"units": 4}, 0.1, [0.1] * 4, epochs=4)
        run.part("trials").write_json(f"{i}.json", dataclasses.asdict(result))
    assert not trials._rule(6, 4, None)([9.0, 9.0])
    random = dataclasses.replace(config, tuner="random")
    trials.config = random
    assert trials._rule(6, 4, None)([9.0, 9.0])


@pytest.mark.parametrize(
    "content",
    ["", '{"number"', '{"number": 1, "values": {}, "scores": null}', '{"number": 1}'],
)
def test_a_damaged_result_is_called_so(content, tmp_path):
    (tmp_path / "1.json").write_text(content)
    with pytest.raises(Damaged):
        read_result(tmp_path / "1.json")


def test_a_search_hides_the_advice_to_make_fewer_graphs(caplog):
    drop_hints_on_retracing()
    logger = logging.getLogger("tensorflow")
    logger.propagate, before = True, logger.propagate
    logger.warning(
        "5 out of the last 9 calls to %s triggered tf.function retracing.", 1
    )
    logger.warning("something else")
    logger.propagate = before
    assert [record.getMessage() for record in caplog.records] == ["something else"]


def test_a_hopeless_trial_is_stopped_and_says_so(tmp_path, capsys):
    """Trials whose learning rate is 0 stay where they began."""

    def rates(hp):
        return SearchConfig(
            learning_rate=hp.Choice("learning_rate", [0.05, 0.04, 1e-9, 0.03, 0.02])
        )

    settings = {"tune": 5, "tuner": "grid", "epochs": 4}
    config = SearchConfig(run_dir=tmp_path, **settings)
    run = RunFolder.open("r", config)
    search(rates, build, data(), config, run, score="loss")
    rows = {row["learning_rate"]: row for row in table(run)}
    assert rows["1e-09"]["epochs_done"] == "2"
    assert rows["0.05"]["epochs_done"] == "4"
    assert "stopped: worse than the median after epoch 2" in capsys.readouterr().out

    config = SearchConfig(run_dir=tmp_path, stop_early=False, **settings)
    run = RunFolder.open("r", config)
    search(rates, build, data(), config, run, score="loss")
    assert {row["epochs_done"] for row in table(run)} == {"4"}


def test_a_missing_package_is_told_before_the_first_training(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "optuna", None)
    config = SearchConfig(run_dir=tmp_path, tune=2, tuner="tpe")
    run = RunFolder.open("r", config)
    with pytest.raises(SystemExit) as stop:
        search(space, None, data(), config, run)
    assert stop.value.code == 2
    assert "needs Optuna, which is not installed" in capsys.readouterr().err
    assert not (run.path / "trials").exists()
