"""Workers: a search in several processes, one of them killed, has the same answer."""

import dataclasses
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cookbook import processes
from cookbook.pages.catalogue import ROOT
from cookbook.training.run_folder import RunFolder
from cookbook.tuning.scale.order import Order
from cookbook.tuning.scale.workers import tune
from cookbook.tuning.search import search
from killed_searches import Search
from small_training import SearchConfig, build, data, entries, space

pytestmark = pytest.mark.slow  # several processes search

FLAGS = ["--quick", "--tune", "6", "--epochs", "2", "--save-every", "5"]


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


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc").exists(), reason="finds processes in /proc")
def test_a_search_whose_workers_and_chief_are_killed_finds_what_one_process_finds(
    tmp_path,
):
    # The median rule depends on which trials have ended before.
    flags = ["--tune", "6", "--no-stop-early"]
    alone = Search(tmp_path / "alone", flags)
    alone.start()
    together = Search(tmp_path / "together", flags, ["--workers", "2"])
    together.start()
    together.wait_for_trials(1)
    together.kill("TUNER_ID=worker_1", signal.SIGKILL)
    together.wait_for_trials(3)
    together.kill("TUNER_ID=chief", signal.SIGKILL)
    assert together.wait_for_end() == 128 + signal.SIGKILL
    before = together.output.read_text()
    assert "worker_1 was killed: started again" in before
    assert "the same command with --resume goes on" in before

    together.start()
    assert together.wait_for_end() == 0, together.output.read_text()
    assert alone.wait_for_end() == 0, alone.output.read_text()
    assert together.table == alone.table
    assert len(together.told) == len(set(together.told)), "a trial was repeated"
    assert together.is_finished
    assert not (together.run.parent / "tuning").exists()


def test_another_proposal_under_a_known_name_starts_anew(tmp_path, monkeypatch):
    """As from a new chief, after scores that came in another order."""
    config = SearchConfig(run_dir=tmp_path, tune=2, epochs=1)
    run = RunFolder.open("r", config)
    search(space, build, data(), config, run)
    before = entries(run)
    monkeypatch.setattr("cookbook.tuning.trials.runner.role", lambda: "chief_in_a_test")
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
