"""Survival: a run killed at any step, and a search, end as if never killed."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

import forks
from cookbook.data.batches import Batches
from cookbook.pages.catalogue import ROOT
from cookbook.training.chaos import KILL, differences
from cookbook.training.checkpoint import pack_save
from cookbook.training.launch import launch
from cookbook.training.run_folder import KEEP, RunFolder
from cookbook.training.train import seed_everything, train
from custom_layers.models import AdversarialModel, NonSaturatingGAN
from custom_layers.optimizers import SWA, Adam, Lookahead
from small_training import Config, data, model, without_times

pytestmark = pytest.mark.slow  # processes are killed and start again


class Killed(Exception):
    """What stands for a kill inside one process."""


def callbacks():
    """With memory: they wait for the loss to rise, stop, and take the first weights."""
    return [
        keras.callbacks.EarlyStopping(
            mode="max", patience=2, restore_best_weights=True, min_delta=1
        ),
        keras.callbacks.ReduceLROnPlateau(mode="max", factor=0.5, patience=2),
    ]


def broken_and_resumed(build, config, after, chosen=list, examples=None):
    """(model, history) of a run that was broken before a step, then resumed."""
    examples, seen = examples or data(), []

    def kill(batch, logs):
        seen.append(batch)
        if len(seen) > after:
            raise Killed

    killer = keras.callbacks.LambdaCallback(on_train_batch_begin=kill)
    with pytest.raises(Killed):
        train(
            build(), examples, config, RunFolder.open("r", config), [*chosen(), killer]
        )
    again = dataclasses.replace(config, resume=True)
    net = build()
    seed_everything(99)
    idle = keras.callbacks.LambdaCallback()
    history = train(net, examples, again, RunFolder.open("r", again), [*chosen(), idle])
    return net, history


def assert_same(net, history, whole, rows):
    for ours, expected in zip(net.get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(ours, expected)
    assert without_times(history) == without_times(rows)


@pytest.mark.parametrize("after", [0, 7, 10])
def test_broken_at_any_step_the_same_bits_with_callbacks_that_remember(after, tmp_path):
    """5 steps an epoch, saved after 2; the remainder of the epoch is run first."""
    config = Config(run_dir=tmp_path, save_every=2)
    whole = model()
    rows = train(whole, data(), config, callbacks=callbacks())
    assert len(rows) == 3, "stopped early"
    net, history = broken_and_resumed(model, config, after, callbacks)
    assert_same(net, history, whole, rows)


def test_killed_after_its_last_step_a_run_ends_with_the_same_weights(tmp_path):
    """Stopped early, with the best weights taken: what comes after the last save."""
    config = Config(run_dir=tmp_path)
    whole, net = model(), model()
    rows = train(whole, data(), config, RunFolder.open("r", config), callbacks())
    again = dataclasses.replace(config, resume=True)
    run = RunFolder.open("r", again)
    assert_same(net, train(net, data(), again, run, callbacks()), whole, rows)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: Lookahead(Adam(0.01), sync_period=3),
        lambda: SWA(Adam(0.01), start_averaging=4, average_period=2),
        lambda: keras.optimizers.Adam(0.01, use_ema=True),
    ],
    ids=["Lookahead", "SWA", "moving average"],
)
def test_weights_that_an_optimizer_keeps_survive(optimizer, tmp_path):
    """SWA and the average take the weights' place at the end of fit, only there."""

    def build():
        net = model()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        net.compile(optimizer(), loss, steps_per_execution=2, jit_compile=False)
        return net

    config = Config(run_dir=tmp_path, save_every=2)
    whole = build()
    rows = train(whole, data(), config)
    assert_same(*broken_and_resumed(build, config, 4), whole, rows)


def test_learning_from_the_validation_part_too_takes_as_many_steps(monkeypatch):
    monkeypatch.setattr(Batches, "pipeline", lambda batches: batches)  # to look inside
    config = Config(with_validation=True, epochs=40)
    seen, calls = set(), []
    net = model()
    original = net.fit
    net.fit = lambda batches, **settings: (
        calls.append((batches, settings)),
        original(batches, **settings),
    )
    rows = train(net, data(), config)
    ((batches, settings),) = calls
    assert settings["validation_data"] is None
    assert len(batches) == 5
    for epoch in range(40):
        batches.start_epoch(epoch)
        for i in range(len(batches)):
            seen.update(row.tobytes() for row in batches[i][0])
    everything = np.concatenate([data().train[0], data().validation[0]])
    assert seen == {row.tobytes() for row in everything}
    assert "val_loss" not in rows[0]


def test_two_optimizers_and_no_validation_data_survive(tmp_path):
    """A GAN; BackupAndRestore loses the state of both of its optimizers."""

    def gan():
        seed_everything(3)
        generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6)])
        critic = keras.Sequential([keras.Input((6,)), keras.layers.Dropout(0.3)])
        critic.add(keras.layers.Dense(1))
        net = AdversarialModel(generator, critic, NonSaturatingGAN())
        net.compile(Adam(0.01), Adam(0.02), jit_compile=False)
        return net

    examples = dataclasses.replace(data(), validation=None)
    config = Config(run_dir=tmp_path, save_every=2)
    whole = gan()
    rows = train(whole, examples, config)
    net, history = broken_and_resumed(gan, config, 7, examples=examples)
    assert_same(net, history, whole, rows)
    for ours, expected in zip(net.optimizers, whole.optimizers):
        for a, b in zip(ours.variables, expected.variables):
            np.testing.assert_array_equal(a, b)


def test_batches_after_a_break_are_the_rest_of_the_epoch():
    x = np.arange(40)
    whole, rest = (Batches(x, x, 4, seed=1) for _ in range(2))
    whole.start_epoch(2)
    rest.start_epoch(2, first=7)
    assert len(rest) == 3
    for i in range(3):
        np.testing.assert_array_equal(rest[i][0], whole[7 + i][0])


def test_padded_batches_of_equal_length_first_do_not_fix_the_length():
    """Keras takes the shape from two batches: those may be equal by chance."""
    x = np.ones((12, 6), int)
    x[8:, 3:] = 0
    batches = Batches(x, np.zeros((12, 1)), 4, padded=True)
    net = keras.Sequential([keras.Input((None,)), keras.layers.Embedding(2, 3)])
    net.add(keras.layers.GlobalAveragePooling1D())
    net.compile("sgd", "mse", jit_compile=False)
    net.fit(batches, epochs=1, verbose=0, shuffle=False)
    assert batches[1][0].shape == (4, 6)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")
RECIPE = """
from cookbook.command_line import parse
from recipes.mnist_mlp import Config, main
main(parse(Config))
"""


def killed(folder, kills, *arguments):
    """What differs between a run and one killed after `kills` executions of steps."""

    def run(name, kill, *more):
        environment = {KEEP: "1"}  # the last save is compared too
        if kill:
            environment[KILL] = f"{kill} SIGKILL"
        words = "--quick", *arguments, "--run-dir", folder / name, *more
        done = forks.run(RECIPE, *words, environment=environment)
        assert done.returncode == (-signal.SIGKILL if kill else 0), done.stderr

    run("whole", 0)
    for i, kill in enumerate(kills):
        run("broken", kill, *["--resume"] * (i > 0))
    run("broken", 0, "--resume")
    return differences(folder / "whole", folder / "broken")


@needs_fork
def test_killed_at_random_steps_a_run_ends_with_the_same_bits(tmp_path):
    rng = np.random.default_rng(int(time.time()))
    kills = [int(n) for n in rng.integers(1, 9, size=3)]
    arguments = ("--epochs", "3", "--batch-size", "16", "--save-every", "20")
    assert not killed(tmp_path, kills, *arguments), kills


@needs_fork
def test_killed_at_random_steps_a_search_gives_the_same_table(tmp_path):
    rng = np.random.default_rng(int(time.time()))
    kills = [int(rng.integers(1, 12))]
    arguments = ("--tune", "2", "--epochs", "1", "--batch-size", "32")
    assert not killed(tmp_path, kills, *arguments, "--save-every", "10"), kills


@needs_fork
@pytest.mark.slow
def test_a_recipe_survives_chaos():
    path = Path(ROOT, "recipes", "mnist_mlp.py")
    done = subprocess.run(
        [sys.executable, path, "--quick", "--chaos", "2", "--save-every", "1"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "killed 2 times, the same bit for bit" in done.stdout


def test_chaos_tells_runs_apart_that_differ(tmp_path, monkeypatch):
    for name, value in (("whole", 1.0), ("broken", 2.0)):
        folder = tmp_path / name / "r" / "one"
        folder.mkdir(parents=True)
        folder.joinpath("metrics.json").write_text(
            json.dumps({"a": 1, "seconds": value})
        )
        folder.joinpath("history.csv").write_text(f"epoch,loss,seconds\n1,{value},3\n")
        save = pack_save({"callbacks": []}, [np.array([value])])
        folder.joinpath("step_3.save").write_bytes(save)
    different = differences(tmp_path / "whole", tmp_path / "broken")
    assert different == ["last save", "history.csv"]
    monkeypatch.setattr("cookbook.training.launch.prove_survival", lambda config: 7)
    monkeypatch.setattr(sys, "argv", ["recipe", "--chaos", "2"])
    with pytest.raises(SystemExit) as stop:
        launch(None, Config)
    assert stop.value.code == 7
