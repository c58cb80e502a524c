"""Tuning: the answer is the best Config, and the same search gives it again."""

import dataclasses

import keras
import numpy as np
import pytest
from matplotlib.image import imread

from cookbook.command_line import parse
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from cookbook.tuning.trials.attempts import ATTEMPTS
from small_training import (
    SearchConfig,
    build,
    data,
    entries,
    space,
    table,
    without_times,
)


def test_search_returns_the_best_row_and_keeps_the_other_settings(tmp_path):
    config = SearchConfig(run_dir=tmp_path, tune=4, epochs=3)
    run = RunFolder.open("r", config)
    best = search(space, build, data(), config, run)
    rows = table(run)
    assert len(rows) == 5
    assert sorted(int(row["trial"]) for row in rows) == [0, 1, 2, 3, 4]
    scores = [float(row["val_accuracy"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert best.units == int(rows[0]["units"])
    assert best.learning_rate == float(rows[0]["learning_rate"])
    assert (best.epochs, best.run_dir, best.tune) == (3, tmp_path, 0)


def test_of_a_loss_the_smallest_is_best(tmp_path):
    config = SearchConfig(run_dir=tmp_path, tune=3)
    run = RunFolder.open("r", config)
    best = search(space, build, data(), config, run, score="val_loss")
    losses = [float(row["val_loss"]) for row in table(run)]
    assert losses == sorted(losses)
    assert best.learning_rate == float(table(run)[0]["learning_rate"])


class Killed(BaseException):
    """What ends a search in the middle of a training."""


def killed_in_training(net):
    """The model, whose fit raises Killed in its fifth step."""
    original, seen = net.fit, []

    def kill(batch, logs):
        seen.append(batch)
        if len(seen) == 5:
            raise Killed

    killer = keras.callbacks.LambdaCallback(on_train_batch_begin=kill)
    net.fit = lambda *a, callbacks=(), **k: original(
        *a, callbacks=[*callbacks, killer], **k
    )
    return net


@pytest.mark.slow
@pytest.mark.parametrize("tuner", ["random", "bayesian", "hyperband", "grid", "tpe"])
def test_every_tuner_gives_the_same_table_again_after_a_break(tuner, tmp_path, capsys):
    """The second search is broken in its 4th trial, then goes on to the same end.

    Both have the seed 0, which keras-tuner itself takes for no seed.
    """
    epochs = 3 if tuner == "hyperband" else 2
    settings = {"tune": 5, "tuner": tuner, "epochs": epochs, "save_every": 2}
    config = SearchConfig(run_dir=tmp_path, **settings)
    whole = RunFolder.open("whole", config)
    search(space, build, data(), config, whole)

    trained = []

    def mortal(config, data):
        trained.append(config)
        net = build(config, data)
        return killed_in_training(net) if len(trained) == 4 else net

    broken = RunFolder.open("broken", config)
    with pytest.raises(Killed):
        search(space, mortal, data(), config, broken)
    assert len(entries(broken)) == 3  # trial 0 is one of them
    again = dataclasses.replace(config, resume=True)
    run = RunFolder.open("broken", again)
    search(space, mortal, data(), again, run)
    assert without_times(table(run)) == without_times(table(whole))
    finished = len(table(run))
    trainings = finished + 1 + (tuner == "hyperband")  # it promotes one
    assert len(trained) == trainings, "a trial was repeated, or lost"
    assert f"trial {finished - 1} of 5" in capsys.readouterr().out
    assert not (run.path / "tuning").exists()


@pytest.mark.slow
def test_a_promoted_trial_goes_on_with_its_optimizers_state(tmp_path):
    """Hyperband's promoted trial has the history of one that was never cut."""
    config = SearchConfig(run_dir=tmp_path, tune=8, tuner="hyperband", epochs=3)
    run = RunFolder.open("r", config)
    search(space, build, data(), config, run)
    trials = {trial["number"]: trial for trial in entries(run)}
    assert len(trials) == 9
    lengths = {trial["epochs"] for number, trial in trials.items() if number}
    assert lengths == {1, 3}
    promoted = next(t for t in trials.values() if t["number"] and t["epochs"] == 3)
    settings = dataclasses.replace(config, **promoted["values"])
    seed_everything(0)
    rows = train(build(settings, data()), data(), settings)
    assert promoted["scores"] == [row["val_accuracy"] for row in rows]


def test_failing_trials_are_recorded_and_the_search_goes_on(tmp_path, capsys):
    def risky(hp):
        return SearchConfig(
            units=hp.Choice("units", [2, 4, 8, 16]),
            batch_size=hp.Choice("batch_size", [4, 8]),
        )

    def fails(config, data):
        if config.units == 4:
            raise MemoryError("no room for 4 units")
        net = build(config, data)
        if config.units == 8:
            net.trainable_variables[0].assign(np.nan * net.trainable_variables[0])
        return net

    config = SearchConfig(run_dir=tmp_path, tune=8, tuner="grid", epochs=1)
    run = RunFolder.open("r", config)
    best = search(risky, fails, data(), config, run)
    assert best.units in (2, 16)
    rows = table(run)
    assert len(rows) == 9
    problems = {row["units"]: row["problem"] for row in rows}
    assert problems["4"] == "MemoryError: no room for 4 units"
    assert problems["8"] == "the loss became nan in epoch 1"
    assert problems["2"] == problems["16"] == ""
    assert [bool(row["val_accuracy"]) for row in rows] == [True] * 4 + [False] * 5
    lines = capsys.readouterr().out.splitlines()
    trials = [line for line in lines if line.startswith("trial ")]
    failed = [line for line in trials if ": failed (MemoryError: no room" in line]
    assert len(failed) == 3  # trial 0 has 4 units too
    assert any(" left" in line for line in trials)
    assert " left" not in trials[-1], "nothing is left after the last trial"


def test_a_search_in_which_all_fails_says_why(tmp_path, capsys):
    def fails(config, data):
        raise ValueError("never fits")

    config = SearchConfig(run_dir=tmp_path, tune=2)
    with pytest.raises(SystemExit) as stop:
        search(space, fails, data(), config, RunFolder.open("r", config))
    assert stop.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("error: none of the 3 trials gave a val_accuracy")
    assert "ValueError: never fits" in err


@pytest.mark.slow
def test_a_trial_that_kills_the_process_again_and_again_counts_as_failed(tmp_path):
    """As one that the system stops for its use of memory."""

    class Killed(BaseException):
        pass

    def greedy(config, data):
        if config.units == 8:
            raise Killed
        return build(config, data)

    def few(hp):
        return SearchConfig(units=hp.Choice("units", [4, 8]))

    config = SearchConfig(run_dir=tmp_path, tune=2, tuner="grid", epochs=1)
    run = RunFolder.open("r", config)
    for _ in range(ATTEMPTS):
        with pytest.raises(Killed):
            search(few, greedy, data(), config, run)
    assert search(few, greedy, data(), config, run).units == 4
    assert f"killed {ATTEMPTS} times after its start" in table(run)[2]["problem"]


def test_the_printed_flags_give_the_best_config_again(tmp_path, capsys):
    config = SearchConfig(run_dir=tmp_path, tune=2, epochs=1, seed=5)
    best = search(space, build, data(), config, RunFolder.open("r", config))
    assert best.with_validation
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("best: python ")
    printed = parse(SearchConfig, last.split(".py ")[1].split())
    assert printed == dataclasses.replace(best, tune=0)


def test_pictures_of_a_search_are_drawn_and_not_blank(tmp_path):
    config = SearchConfig(run_dir=tmp_path, tune=3, epochs=1)
    run = RunFolder.open("r", config)
    search(space, build, data(), config, run)
    for name in ("tuning_parallel.png", "tuning_scores.png"):
        assert imread(run.path / name).std() > 0.02


def test_a_column_that_is_not_there_is_refused(tmp_path, capsys):
    config = SearchConfig(run_dir=tmp_path, tune=2, epochs=1)
    with pytest.raises(SystemExit):
        search(space, build, data(), config, RunFolder.open("r", config), "val_bleu")
    assert "needs the column val_bleu, got accuracy, loss" in capsys.readouterr().err


def test_a_space_that_changed_is_refused_on_resume(tmp_path, capsys):
    config = SearchConfig(run_dir=tmp_path, tune=2, epochs=1)
    run = RunFolder.open("r", config)
    search(space, build, data(), config, run)

    def other(hp):
        return SearchConfig(units=hp.Choice("units", [3, 5]))

    with pytest.raises(SystemExit):
        search(other, build, data(), config, run)
    assert "the recipe's space has changed" in capsys.readouterr().err
