"""Training: repeatable, resumable, and a run folder that is always whole."""

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

from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from small_training import Config, data, model

ROOT = Path(__file__).parents[2]


def test_the_same_seed_gives_the_same_weights():
    runs = []
    for _ in range(2):
        net = model()
        train(net, data(), Config())
        runs.append(net.get_weights())
    for first, second in zip(*runs):
        np.testing.assert_array_equal(first, second)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the other backends trace once"
)
def test_tensorflow_traces_a_step_once():
    net = model()
    traces = []
    original = net.compute_loss

    def traced(*args, **kwargs):
        traces.append(kwargs["training"])
        return original(*args, **kwargs)

    net.compute_loss = traced
    train(net, data(), Config(with_validation=True))
    assert traces.count(True) == 1  # and one with training False, for the metrics


def test_a_resumed_run_ends_with_the_same_weights_bit_for_bit(tmp_path):
    config = Config(run_dir=tmp_path)
    whole = model()
    rows = train(whole, data(), config, RunFolder.open("whole", config))

    class Killed(Exception):
        pass

    def kill(epoch, logs):
        if epoch == 2:
            raise Killed

    broken = model()
    original = broken.fit
    killer = keras.callbacks.LambdaCallback(on_epoch_begin=kill)
    broken.fit = lambda *a, callbacks, **k: original(
        *a, callbacks=[*callbacks, killer], **k
    )
    with pytest.raises(Killed):
        train(broken, data(), config, RunFolder.open("broken", config))

    again = dataclasses.replace(config, resume=True)
    resumed = model()
    seed_everything(99)
    history = train(resumed, data(), again, RunFolder.open("broken", again))
    for ours, expected in zip(resumed.get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(ours, expected)
    without_time = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in part]
        for part in (history, rows)
    ]
    assert without_time[0] == without_time[1]


def test_resume_refuses_other_settings_and_says_which(tmp_path, capsys):
    config = Config(run_dir=tmp_path)
    train(model(), data(), config, RunFolder.open("r", config))
    other = dataclasses.replace(config, batch_size=4, resume=True)
    with pytest.raises(SystemExit) as stop:
        RunFolder.open("r", other)
    assert stop.value.code == 2
    assert "(batch_size: 8 -> 4)" in capsys.readouterr().err


def test_a_run_of_a_version_that_lacked_a_flag_is_resumed_with_its_default(
    tmp_path, capsys
):
    run = RunFolder.open("r", Config(run_dir=tmp_path))
    saved = json.loads((run.path / "config.json").read_text())
    del saved["strategy"]
    run.write_json("config.json", saved)
    again = Config(run_dir=tmp_path, resume=True)
    assert RunFolder.open("r", again).path == run.path
    with pytest.raises(SystemExit):
        RunFolder.open("r", dataclasses.replace(again, strategy="mirrored"))
    assert "(strategy: none -> mirrored)" in capsys.readouterr().err


def test_resume_without_an_unfinished_run_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        RunFolder.open("r", Config(run_dir=tmp_path, resume=True))
    assert stop.value.code == 2
    assert "no unfinished run" in capsys.readouterr().err


def test_a_run_directory_that_is_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as stop:
        RunFolder.open("r", Config(run_dir=tmp_path / "file"))
    assert stop.value.code == 2
    assert "choose a folder you may write to" in capsys.readouterr().err


def test_two_runs_of_one_second_get_two_folders(tmp_path):
    config = Config(run_dir=tmp_path)
    assert RunFolder.open("r", config).path != RunFolder.open("r", config).path


WITHOUT_POSIX = """
import importlib, os, pkgutil, signal, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for module, names in (
    (os, ("fork", "geteuid", "getuid", "setuid", "killpg", "sched_getaffinity")),
    (signal, ("SIGKILL", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR1")),
):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
import cookbook
for info in pkgutil.walk_packages(cookbook.__path__, "cookbook."):
    # Nothing imports the parts of plain scripts; `bundle` reads them as text. The
    # extension of griffe is imported where the pages are built, which needs griffe.
    left_out = ("__main__", "griffe_extension")
    if not info.name.endswith(left_out) and "plain.parts" not in info.name:
        importlib.import_module(info.name)
from pathlib import Path
from cookbook.config import TrainingConfig
from cookbook.reports.machine import machine
from cookbook.training.run_folder import RunFolder
run = RunFolder.open("r", TrainingConfig(run_dir=Path(sys.argv[1])))
run.write_json("metrics.json", {"machine": machine()})
"""


def test_cookbook_imports_and_writes_without_what_only_posix_has(tmp_path):
    command = [sys.executable, "-c", WITHOUT_POSIX, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (metrics,) = tmp_path.glob("r/*/metrics.json")
    assert " core" in json.loads(metrics.read_text())["machine"]


def test_a_file_appears_only_once_it_is_whole(tmp_path):
    run = RunFolder.open("r", Config(run_dir=tmp_path))

    def half(path):
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(SystemExit):
        run.write("metrics.json", half)
    assert not list(run.path.glob("*metrics.json"))


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, capsys):
    config = Config(run_dir=tmp_path)
    with pytest.raises(SystemExit) as stop:
        train(model(float("nan")), data(), config, RunFolder.open("r", config))
    assert stop.value.code == 2
    assert "lower the learning rate" in capsys.readouterr().err


class Poison(keras.callbacks.Callback):
    """Makes a weight not a number after a step, as a step too large does."""

    def __init__(self, after):
        super().__init__()
        self.after = after  # steps left until then

    def on_train_batch_end(self, batch, logs=None):
        self.after -= 1
        if self.after == 0:
            weight = self.model.trainable_variables[0]
            weight.assign(weight * float("nan"))


@pytest.mark.parametrize("after", [7, 8, 10])
def test_the_last_finite_state_is_kept_and_goes_on(after, tmp_path, capsys):
    """In the middle of an epoch of 5 steps, at a save, and as an epoch ends."""
    config = Config(run_dir=tmp_path, save_every=2)
    whole = model()
    train(whole, data(), config, RunFolder.open("whole", config))
    with pytest.raises(SystemExit) as stop:
        train(
            model(), data(), config, RunFolder.open("broken", config), [Poison(after)]
        )
    assert stop.value.code == 2
    assert "the state before it is in" in capsys.readouterr().err
    again = dataclasses.replace(config, resume=True)
    resumed = model()
    run = RunFolder.open("broken", again)
    history = (run.path / "history.csv").read_text().strip().splitlines()
    assert len(history) == 2, "the broken epoch is not in history.csv"
    train(resumed, data(), again, run, [keras.callbacks.Callback()])
    for ours, expected in zip(resumed.get_weights(), whole.get_weights()):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGINT to send")
def test_ctrl_c_keeps_what_was_trained_and_exits_with_130(tmp_path):
    command = [sys.executable, "recipes/mnist_mlp.py", "--data", "digits"]
    process = subprocess.Popen(
        [*command, "--epochs", "10000", "--run-dir", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        # A shell's background jobs, these tests for one, ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.time() + 120
    while not list(tmp_path.glob("*/*/step_*.save")) and time.time() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=180)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    (run,) = tmp_path.glob("*/*/")
    command = f"python {' '.join(command[1:])} --epochs 10000 --run-dir {tmp_path}"
    assert f"go on with: {command} --resume --run {run}\n" in out
    assert json.loads((run / "config.json").read_text())["epochs"] == 10000
    assert (run / "history.csv").read_text().startswith("epoch,")
    keras.models.load_model(run / "model.keras")
    assert not list(run.glob("partial_*"))
