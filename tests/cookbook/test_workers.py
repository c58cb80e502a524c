"""Workers: a search in several processes, one of them killed, has the same answer."""

import csv
import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cookbook import processes
from cookbook.command_line import parse
from cookbook.pages.catalogue import ROOT
from cookbook.training.run_folder import RunFolder
from cookbook.tuning.scale.order import Order
from cookbook.tuning.scale.workers import tune
from cookbook.tuning.search import search
from recipes import mnist_mlp
from small_training import SearchConfig, build, data, entries, space

pytestmark = pytest.mark.slow  # several processes search

FLAGS = ["--quick", "--tune", "6", "--epochs", "2", "--save-every", "5"]
FLAGS += ["--no-stop-early"]  # the median rule depends on who has ended first


def table(folder):
    """The search's rows in a run's folder, without which of equal ones came first."""
    (path,) = folder.glob("*/*/tuning.csv")
    with path.open() as file:
        return sorted(csv.DictReader(file), key=lambda row: row["trial"])


def process_of(launcher, name):
    """The process number of the launcher's child that has this name."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = (path / "stat").read_text().rsplit(")", 1)[1].split()[1]
            environment = (path / "environ").read_text().split("\0")
        except OSError:  # it has ended meanwhile
            continue
        if int(parent) == launcher and f"{processes.ID}={name}" in environment:
            return int(path.name)
    return None


def start(folder, *flags):
    command = ["-m", "cookbook", "tune", "recipes/mnist_mlp.py", "--workers", "2"]
    return subprocess.Popen(
        [sys.executable, *command, "--run-dir", str(folder), *FLAGS, *flags],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_trials(count, folder, launcher):
    until = time.time() + 120
    while len(list(folder.glob("*/*/trials/[0-9]*.json"))) < count:
        assert launcher.poll() is None
        assert time.time() < until
        time.sleep(0.1)


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc").exists(), reason="finds processes in /proc")
def test_a_search_whose_workers_and_chief_are_killed_finds_what_one_process_finds(
    tmp_path,
):
    alone, together = tmp_path / "alone", tmp_path / "together"
    mnist_mlp.main(parse(mnist_mlp.Config, [*FLAGS, "--run-dir", str(alone)]))
    launcher = start(together)
    wait_for_trials(1, together, launcher)
    os.kill(process_of(launcher.pid, "worker_1"), signal.SIGKILL)
    wait_for_trials(3, together, launcher)
    os.kill(process_of(launcher.pid, "chief"), signal.SIGKILL)
    before, _ = launcher.communicate(timeout=60)
    assert launcher.returncode == signal.SIGKILL
    assert "worker_1 was killed: started again" in before
    assert "the same command with --resume goes on" in before

    launcher = start(together, "--resume")
    after, err = launcher.communicate(timeout=300)
    assert launcher.returncode == 0, err
    assert table(together) == table(alone)
    assert (before + after).count("| about") <= 6, "a trial was repeated"
    (path,) = together.glob("*/*/")
    assert (path / "metrics.json").exists()
    assert not (path / "tuning").exists()


def test_another_proposal_under_a_known_name_starts_anew(tmp_path, monkeypatch):
    """As from a new chief, after scores that came in another order."""
    config = SearchConfig(run_dir=tmp_path, tune=2, epochs=1)
    run = RunFolder.open("r", config)
    search(space, build, data(), config, run)
    before = entries(run)
    monkeypatch.setattr("cookbook.tuning.trials.role", lambda: "chief_in_a_test")
    other = dataclasses.replace(config, seed=1)
    search(space, build, data(), other, run)
    assert [e["values"] for e in entries(run)] != [e["values"] for e in before]
    assert all(e["epochs"] == 1 for e in entries(run))


@pytest.mark.parametrize(
    ("paths", "count", "words", "message"),
    [
        ([], 2, ["--tune", "3"], "tune got no recipe, expected one"),
        (
            ["nowhere.py"],
            2,
            ["--tune", "3"],
            "tune got 'nowhere.py', and there is no such file",
        ),
        (["recipes/mnist_mlp.py"], 0, ["--tune", "3"], "--workers got 0"),
        (["recipes/mnist_mlp.py"], 3, ["--quick"], "as in --tune 15"),
    ],
)
def test_mistakes_are_one_line(paths, count, words, message, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as stop:
        tune(Order(paths, words, count))
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_a_mistake_of_the_recipes_flags_is_told_once(tmp_path):
    launcher = start(tmp_path, "--batch-size", "0")
    _, err = launcher.communicate(timeout=60)
    assert launcher.returncode == 2
    assert err.count("--batch-size got 0") == 1


def test_a_worker_without_a_chief_says_so(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv(processes.ID, "worker_3")
    monkeypatch.setenv(processes.IP, "127.0.0.1")
    monkeypatch.setenv(processes.PORT, "9")
    monkeypatch.setattr(processes, "PATIENCE", 0)
    with pytest.raises(SystemExit) as stop:
        RunFolder.open("r", SearchConfig(run_dir=tmp_path))
    assert stop.value.code == 2
    assert "worker_3 found no chief at 127.0.0.1:9" in capsys.readouterr().err


def test_an_address_without_a_name_is_one_line(monkeypatch, capsys):
    monkeypatch.setenv(processes.IP, "127.0.0.1")
    with pytest.raises(SystemExit) as stop:
        processes.role()
    assert stop.value.code == 2
    err = capsys.readouterr().err
    assert f"{processes.IP} is set, but not {processes.ID} and {processes.PORT}" in err
