"""Training: repeatable, resumable, and a run folder that is always whole."""

import dataclasses
import itertools
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

from cookbook.data.batches import MOST_WIDTHS, WORTH, Batches, few_widths
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from oracle import array
from small_training import Config, data, model

ROOT = Path(__file__).parents[2]
needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf.data feeds TensorFlow"
)


def test_batches_cover_the_data_once_in_an_order_of_seed_and_epoch():
    x = np.arange(20)

    def order(seed, epoch):
        batches = Batches(x, x, 5, seed=seed)
        batches.start_epoch(epoch)
        return np.concatenate([batches[i][0] for i in range(len(batches))]).tolist()

    assert sorted(order(0, 0)) == list(range(20))
    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) != order(1, 0)


def test_the_order_that_fit_sees_changes_every_epoch():
    """Keras makes the next epoch's iterator early: it must not keep the old order."""
    seen = []

    class Watched(Batches):
        def __getitem__(self, index):
            x, y = super().__getitem__(index)
            seen.append(y.tolist())
            return x, y

    batches = Watched(array(12, 6), np.arange(12) % 3, 4, seed=0)
    y = np.arange(12) % 3
    start = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: batches.start_epoch(epoch)
    )
    model().fit(batches, epochs=3, verbose=0, callbacks=[start], shuffle=False)
    expected = [
        y[np.random.default_rng([0, epoch]).permutation(12)].reshape(3, 4).tolist()
        for epoch in range(3)
    ]
    assert seen[-9:] == [batch for epoch in expected for batch in epoch]


@needs_tensorflow
@pytest.mark.parametrize("seed", [0, None])
def test_the_pipeline_gives_the_same_batches(seed):
    """In each epoch, from any step on; without a seed the last batch is smaller."""
    x = array(23, 4)
    y = {"a": np.arange(23), "b": array(23, 2)}
    batches = Batches(x, y, 5, seed=seed)
    for epoch, first in ((0, 0), (1, 0), (1, 2)):
        batches.start_epoch(epoch, first)
        pipeline = batches.pipeline()
        assert len(pipeline) == len(batches) == (4 if seed == 0 else 5) - first
        for index, batch in enumerate(pipeline):
            keras.tree.map_structure(
                lambda fed, own: np.testing.assert_array_equal(fed.numpy(), own),
                batch,
                batches[index],
            )


@needs_tensorflow
def test_a_pipeline_has_the_order_of_the_epoch_that_begins():
    batches = Batches(np.arange(20), np.arange(20), 5, seed=0)
    pipeline = batches.pipeline()
    orders = []
    for epoch in (0, 1):
        batches.start_epoch(epoch)
        orders += [np.concatenate([x.numpy() for x, _ in pipeline])]
        expected = [batches[i][0] for i in range(len(batches))]
        np.testing.assert_array_equal(orders[-1], np.concatenate(expected))
    assert (orders[0] != orders[1]).any()


def test_what_tensorflow_cannot_gather_itself_stays_as_it_is(tmp_path):
    ids = np.ones((8, 3), int)
    batches = [Batches(ids, ids, 2, padded=True)]
    np.save(tmp_path / "x.npy", ids)
    on_disk = np.load(tmp_path / "x.npy", mmap_mode="r")
    batches += [Batches(on_disk, ids, 2)]
    assert [each.pipeline() for each in batches] == batches


def test_several_inputs_come_in_one_order():
    x = np.arange(20)
    batches = Batches((x, 2 * x[:, None]), 3 * x, 5, seed=0)
    assert len(batches) == 4
    (first, second), y = batches[1]
    assert len(first) == 5
    np.testing.assert_array_equal(second[:, 0], 2 * first)
    np.testing.assert_array_equal(y, 3 * first)


def test_padded_batches_hold_like_lengths_in_a_few_widths(monkeypatch):
    monkeypatch.setattr("cookbook.data.batches.WORTH", 100)
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 40, size=400)
    x = np.where(np.arange(60) < lengths[:, None], 1 + np.arange(400)[:, None], 0)
    batches = Batches((x, 2 * x), lengths, 8, seed=0, padded=True)
    orders = []
    widths = few_widths(lengths)
    assert len(widths) == MOST_WIDTHS
    for epoch in (0, 1, 1):
        batches.start_epoch(epoch)
        (first, second), y = batches[0]
        orders.append([batches[i][1].tolist() for i in range(len(batches))])
        width = widths[widths >= y.max()].min()
        assert first.shape == second.shape == (8, width)
        np.testing.assert_array_equal((first > 0).sum(1), y)
        np.testing.assert_array_equal(second, 2 * first)
    assert orders[0] != orders[1] == orders[2]
    flat = np.concatenate(orders[0])
    np.testing.assert_array_equal(np.sort(flat), np.sort(lengths))
    assert np.mean([max(b) - min(b) for b in orders[0]]) < 2
    firsts = [batch[0] for batch in orders[0]]
    assert firsts != sorted(firsts), "batches would come short ones first"


def fewest_places(lengths, most):
    """The fewest places for rows of these lengths, by trying all choices of widths."""
    *others, longest = sorted({*lengths})
    choices = itertools.combinations(others, most - 1)
    return min(
        sum(min(w for w in (*some, longest) if w >= length) for length in lengths)
        for some in choices
    )


@pytest.mark.parametrize("most", [1, 2, 4])
def test_no_other_widths_need_fewer_places(monkeypatch, most):
    monkeypatch.setattr("cookbook.data.batches.WORTH", 1)
    monkeypatch.setattr("cookbook.data.batches.MOST_WIDTHS", most)
    lengths = np.random.default_rng(0).integers(1, 13, 60)
    widths = few_widths(lengths)
    assert len(widths) == most
    places = widths[widths.searchsorted(lengths)].sum()
    assert places == fewest_places(lengths.tolist(), most)


def test_a_width_must_be_worth_its_compilation():
    lengths = np.repeat([10, 20], WORTH // 10 - 1)
    assert few_widths(lengths).tolist() == [20]
    assert few_widths(np.repeat(lengths, 2)).tolist() == [10, 20]


@pytest.mark.parametrize("lengths", [[], [0, 0], [7], [1, 5000]])
def test_any_lengths_have_widths(lengths):
    widths = few_widths(np.array(lengths, int))
    assert widths[-1] == max(1, *lengths, 0)
    assert (np.diff(widths) > 0).all()


def test_of_several_arrays_the_longest_row_says_which_are_alike():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 40, size=(2, 800))
    x = tuple(np.where(np.arange(40) < n[:, None], 1, 0) for n in lengths)
    batches = Batches(x, np.max(lengths, 0), 8, seed=0, padded=True)
    longest = [batches[i][1] for i in range(len(batches))]
    assert np.mean([np.ptp(n) for n in longest]) < 2


@pytest.mark.parametrize("lengths", [(9, 9, 4), (9, 8, 4)])
def test_batches_of_any_lengths_are_learned_from(lengths):
    """Keras takes a length that two batches share for one that all have."""
    x = np.where(np.arange(9) < np.repeat(lengths, 2)[:, None], 1, 0)
    net = keras.Sequential(
        [keras.layers.Embedding(2, 2), keras.layers.GlobalMaxPooling1D()]
    )
    net.compile("sgd", "mse", jit_compile=False)
    net.fit(Batches(x, np.zeros((6, 2)), 2, padded=True), verbose=0)
    assert len(net.predict(Batches(x, x, 2, padded=True), verbose=0)) == 6


def test_a_row_of_padding_alone_is_a_batch_of_one_column():
    batches = Batches(np.zeros((2, 5), int), np.zeros(2), 2, padded=True)
    assert batches[0][0].shape == (2, 1)


def test_without_a_seed_nothing_is_shuffled_or_left_out():
    batches = Batches(np.arange(7), np.arange(7), 3)
    assert [len(batches[i][0]) for i in range(len(batches))] == [3, 3, 1]


def test_the_same_seed_gives_the_same_weights():
    runs = []
    for _ in range(2):
        net = model()
        train(net, data(), Config())
        runs.append(net.get_weights())
    for first, second in zip(*runs):
        np.testing.assert_array_equal(first, second)


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
    # Nothing imports the parts of plain scripts; `bundle` reads them as text.
    if not info.name.endswith("__main__") and "plain.parts" not in info.name:
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
