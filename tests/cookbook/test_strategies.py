"""Strategies: several processes or devices learn what one learns."""

import csv
import json
import os
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest

import forks
from cookbook.command_line import parse
from cookbook.pages.catalogue import ROOT
from cookbook.training.strategies import prepare, use_strategy
from recipes import mnist_mlp, shakespeare_gpt

pytestmark = pytest.mark.slow  # several processes train

FLAGS = ["--quick", "--epochs", "2"]
# The devices add gradients up in another order; large steps let the difference grow.
SMALL_STEPS = ["--learning-rate", "1e-3"]
TWO_DEVICES = """
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
from cookbook.training.launch import launch
from recipes import NAME as recipe
launch(recipe.main, recipe.Config)
"""


def start(arguments, folder, environment=None):
    return subprocess.Popen(
        [sys.executable, *arguments, *FLAGS, "--run-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome(path):
    """The losses of each epoch, and the figures of the test."""
    with (path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    metrics = json.loads((path / "metrics.json").read_text())
    return (
        [[float(row["loss"]), float(row["val_loss"])] for row in rows],
        [value for name, value in metrics.items() if name.startswith("test")],
    )


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    flags = [*FLAGS, *SMALL_STEPS, "--run-dir", str(folder)]
    shakespeare_gpt.main(parse(shakespeare_gpt.Config, flags))
    return outcome(*folder.glob("*/*/"))


def two_free_addresses():
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{s.getsockname()[1]}" for s in (one, two)]


def test_two_processes_learn_what_one_learns(tmp_path, alone):
    addresses = two_free_addresses()
    recipe = ["recipes/shakespeare_gpt.py", "--strategy", "multiworker", *SMALL_STEPS]
    processes = []
    for index in range(2):
        task = {"type": "worker", "index": index}
        settings = json.dumps({"cluster": {"worker": addresses}, "task": task})
        processes.append(start(recipe, tmp_path, {"TF_CONFIG": settings}))
    for process in processes:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err[-2000:]
    for index in range(2):
        (path,) = tmp_path.glob(f"worker_{index}/*/*/")
        for ours, expected in zip(outcome(path), alone):
            np.testing.assert_allclose(ours, expected, rtol=1e-4)


def test_two_devices_learn_what_one_learns(tmp_path, alone):
    code = TWO_DEVICES.replace("NAME", "shakespeare_gpt")
    flags = [*FLAGS, *SMALL_STEPS, "--strategy", "mirrored", "--run-dir", tmp_path]
    done = forks.run(code, *flags)
    assert done.returncode == 0, done.stderr[-2000:]
    for ours, expected in zip(outcome(*tmp_path.glob("*/*/")), alone):
        np.testing.assert_allclose(ours, expected, rtol=1e-4)


def test_random_layers_and_batch_statistics_run_on_two_devices(tmp_path):
    code = TWO_DEVICES.replace("NAME", "mnist_mlp")
    done = forks.run(code, *FLAGS, "--strategy", "mirrored", "--run-dir", tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    _, (accuracy, *_) = outcome(*tmp_path.glob("*/*/"))
    assert accuracy > 0.9


@pytest.mark.parametrize("content", ["", "{}", '{"cluster": {"worker": []}}', "["])
def test_a_wrong_tf_config_is_one_line(content, monkeypatch, capsys):
    monkeypatch.setenv("TF_CONFIG", content)
    with pytest.raises(SystemExit) as stop:
        use_strategy(parse(mnist_mlp.Config, ["--strategy", "multiworker"]))
    assert stop.value.code == 2
    err = capsys.readouterr().err.strip()
    assert err.startswith("error: --strategy multiworker found TF_CONFIG=")
    assert len(err.splitlines()) == 1


def test_what_a_strategy_changes_in_keras_is_undone():
    from keras.src.backend.tensorflow import trainer

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((4, 2), "float32")
    before = trainer.reduce_per_replica
    undo = prepare(model, (x, x[:, :1]))
    assert model.built
    assert trainer.reduce_per_replica is not before
    undo()
    assert trainer.reduce_per_replica is before
    assert "_maybe_symbolic_build" not in vars(model)
    assert len(model.fit(x, x[:, :1], verbose=0).epoch) == 1
