"""Run folders: which is the newest, what is written in them, and what damage does."""

import dataclasses
import os
import shutil
import sys
import textwrap
import threading
import time

import pytest

import forks
from cookbook.errors import fail
from cookbook.runs.files import Damaged, read_json, storage_problem, write_whole
from cookbook.runs.finished import find_run, runs_in
from cookbook.training.launch import launch
from cookbook.training.run_folder import (
    LOCKS,
    RunFolder,
    without_empty_folders,
)
from cookbook.training.train import train
from cookbook.tuning.search import search
from small_training import (
    Config,
    SearchConfig,
    build,
    data,
    entries,
    model,
    space,
    table,
    without_times,
)

DAMAGE = {
    "empty": b"",
    "half": b'{"seed": 0, "epo',
    "a list": b"[1, 2]",
    "null": b"null",
    "bytes": bytes(range(128, 256)),
    "zeros": bytes(500),
    "too deep": b"[" * 100_000,
}
damaged = pytest.mark.parametrize("damage", DAMAGE)


def refusal(capsys, call, *arguments):
    """The one line with which a call ends the program."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        call(*arguments)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    return line


def started(tmp_path, **settings):
    return RunFolder.open("r", Config(run_dir=tmp_path, **settings))


# Which run


def test_the_newest_run_is_that_of_the_largest_number_whatever_the_clock_says(
    tmp_path, monkeypatch
):
    stamps = ["2026-05-05_10-00-00", "2020-01-01_00-00-00", "2031-01-01_00-00-00"]
    paths = []
    for old in ("2026-05-04_10-00-00_2", "2026-05-04_10-00-00_10"):  # of before
        (tmp_path / "r" / old).mkdir(parents=True)
    for stamp in stamps:
        monkeypatch.setattr(time, "strftime", lambda form, stamp=stamp: stamp)
        paths.append(started(tmp_path).path)
    for path in paths:
        os.utime(path, (1e9, 1e9))
    assert runs_in(tmp_path / "r")[2:] == paths
    assert runs_in(tmp_path / "r")[1].name.endswith("_10")
    assert started(tmp_path, resume=True).path == paths[-1]


def test_runs_that_start_at_once_get_folders_and_numbers_of_their_own(tmp_path):
    barrier, paths = threading.Barrier(12), []

    def begin():
        barrier.wait()
        paths.append(started(tmp_path).path)

    threads = [threading.Thread(target=begin) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = sorted(int(path.name.partition("_")[0]) for path in paths)
    assert numbers == list(range(1, 13))


def test_run_chooses_what_is_resumed(tmp_path, capsys):
    first, second = started(tmp_path).path, started(tmp_path).path
    assert started(tmp_path, resume=True).path == second
    assert started(tmp_path, resume=True, run=first).path == first
    for path, part in (
        (tmp_path / "nowhere", "expected the folder of a run"),
        (tmp_path, "expected the folder of a run"),
    ):
        settings = Config(run_dir=tmp_path, resume=True, run=path)
        assert part in refusal(capsys, RunFolder.open, "r", settings)
    alone = Config(run_dir=tmp_path, run=first)
    assert "only after --resume" in refusal(capsys, RunFolder.open, "r", alone)
    settings = Config(run_dir=tmp_path, resume=True, run=first)
    assert "a run of r, not of q" in refusal(capsys, RunFolder.open, "q", settings)


def test_a_refused_resume_keeps_the_run_and_a_new_run_that_failed_goes(tmp_path):
    begun = started(tmp_path)
    LOCKS.pop(begun.path).close()  # as if its process was killed before the first save
    with pytest.raises(SystemExit), without_empty_folders():
        RunFolder.open("r", Config(run_dir=tmp_path, resume=True, seed=5))
    assert begun.path.is_dir()
    with pytest.raises(SystemExit), without_empty_folders():
        fail(f"a mistake after {started(tmp_path).path} was made")
    assert runs_in(tmp_path / "r") == [begun.path]


def test_a_finished_run_is_tidy_and_resuming_it_says_so(tmp_path, capsys):
    config = Config(run_dir=tmp_path, epochs=1)
    run = RunFolder.open("r", config)
    train(model(), data(), config, run)
    train(model(), data(), config, run.part("other"))
    (run.path / "partial_history.csv").touch()  # as a kill leaves it
    run.complete({"accuracy": 1.0})
    left = {path.name for path in run.path.rglob("*") if path.is_file()}
    assert left == {"code.json", "config.json", "history.csv", "metrics.json"}
    again = dataclasses.replace(config, resume=True)
    line = refusal(capsys, RunFolder.open, "r", again)
    assert f"no unfinished run in {tmp_path / 'r'}; {run.path} is finished" in line
    chosen = dataclasses.replace(again, run=run.path)
    assert "which is finished" in refusal(capsys, RunFolder.open, "r", chosen)


def test_the_newest_finished_run_is_used_unless_run_names_another(tmp_path):
    paths = [tmp_path / "r" / "2026-01-01_00-00-00", started(tmp_path).path]
    for path in paths:
        path.mkdir(exist_ok=True)
        for name in ("metrics.json", "model.keras", "config.json"):
            (path / name).write_text("{}")
    started(tmp_path)  # is not finished
    for asked in ("r", tmp_path / "r", paths[1]):
        assert find_run(asked, tmp_path) == paths[1]
    assert find_run(paths[0], tmp_path) == paths[0]


# Writing


def test_writing_never_follows_a_symbolic_link(tmp_path, capsys):
    run = started(tmp_path)
    outside = tmp_path / "outside"
    for name in ("history.csv", "partial_history.csv"):
        outside.write_text("precious")
        (run.path / name).symlink_to(outside)
        run.write("history.csv", lambda path: path.write_text("rows"))
        assert outside.read_text() == "precious"
        assert not (run.path / "history.csv").is_symlink()
        assert (run.path / "history.csv").read_text() == "rows"
        (run.path / "history.csv").unlink()


@pytest.mark.skipif(os.name != "posix", reason="locks of a file are POSIX's")
def test_a_lock_or_a_part_that_is_a_symbolic_link_is_refused(tmp_path, capsys):
    outside = tmp_path / "outside"
    outside.write_text("precious")
    run = RunFolder(tmp_path, Config())
    (tmp_path / "lock").symlink_to(outside)
    assert "can't write lock" in refusal(capsys, run.lock)
    assert outside.read_text() == "precious"
    (tmp_path / "part").symlink_to(tmp_path)
    assert "is a symbolic link" in refusal(capsys, run.part, "part")


def test_what_interrupts_a_write_leaves_the_file_of_before(tmp_path):
    target = tmp_path / "file"
    write_whole(target, lambda path: path.write_text("before"))

    def half(path):
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(target, half)
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_vanishes_is_one_line(tmp_path, capsys):
    run = started(tmp_path)
    shutil.rmtree(run.path)
    line = refusal(capsys, run.write_json, "metrics.json", {})
    assert f"the folder {run.path} has vanished" in line


@pytest.mark.parametrize("when", ["in training", "elsewhere"])
def test_a_recipe_whose_folder_vanishes_ends_with_one_line(
    when, tmp_path, capsys, monkeypatch
):
    def main(config):
        run = RunFolder.open("r", config)
        shutil.rmtree(run.path)
        if when == "in training":
            train(model(), data(), config, run)
        (run.path / "oracle.json").write_text("keras-tuner writes such files itself")

    arguments = ["recipe", "--run-dir", str(tmp_path), "--epochs", "1"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert "has vanished during the run" in refusal(capsys, launch, main, Config)


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX's")
@pytest.mark.slow
def test_a_full_disk_is_one_line_whatever_library_writes(tmp_path):
    """A limit on a file's size stands for the disk's."""
    code = f"""
    import resource, signal, sys
    from pathlib import Path
    import keras
    from cookbook.config import TrainingConfig
    from cookbook.training.launch import launch
    from cookbook.training.run_folder import RunFolder
    def main(config):
        run = RunFolder.open("r", config)
        model = keras.Sequential([keras.Input((300,)), keras.layers.Dense(300)])
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        if LIBRARY:
            run.write("model.keras", model.save)
        model.save(run.path / "model.keras")
    sys.argv = ["recipe", "--run-dir", {str(tmp_path)!r}]
    launch(main, TrainingConfig)
    """
    for library in (True, False):
        done = forks.run(textwrap.dedent(code.replace("LIBRARY", repr(library))))
        assert done.returncode == 2, done.stderr
        (line,) = [
            text for text in done.stderr.splitlines() if text.startswith("error: ")
        ]
        assert "too large for this disk" in line
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        RuntimeError("Unable to flush (errno = 28, error message = 'No space left')"),
        ValueError("could not write: No space left on device; file"),
    ],
)
def test_a_full_disk_is_known_in_any_librarys_words(error):
    assert storage_problem(error) == "no space is left on the disk"
    assert storage_problem(ValueError("a bug")) is None


# Damaged files


@damaged
def test_json_that_is_damaged_says_so(damage, tmp_path):
    (tmp_path / "file").write_bytes(DAMAGE[damage])
    with pytest.raises(Damaged):
        read_json(tmp_path / "file")


def test_a_folder_or_nothing_in_a_files_place_is_damage(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(Damaged):
            read_json(path)


@damaged
def test_a_damaged_config_is_told_and_does_not_block_the_run_before_it(
    damage, tmp_path, capsys
):
    first, second = started(tmp_path).path, started(tmp_path).path
    (second / "config.json").write_bytes(DAMAGE[damage])
    assert started(tmp_path, resume=True).path == first
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{second / 'config.json'} is damaged")
    chosen = Config(run_dir=tmp_path, resume=True, run=second)
    assert "is damaged" in refusal(capsys, RunFolder.open, "r", chosen)
    assert started(tmp_path).path != second  # a new run is not affected


@damaged
def test_a_damaged_record_of_the_code_is_no_obstacle(damage, tmp_path):
    run = started(tmp_path)
    (run.path / "code.json").write_bytes(DAMAGE[damage])
    assert started(tmp_path, resume=True).path == run.path


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """(config, run folder, table) of a search of two trials and the defaults."""
    config = SearchConfig(run_dir=tmp_path_factory.mktemp("search"), tune=2, epochs=1)
    run = RunFolder.open("r", config)
    search(space, build, data(), config, run)
    return config, run, table(run)


RESULTS = {
    **DAMAGE,
    "too little": b"{}",
    "a word for a number": b'{"number": 0, "values": {}, "score": "high"}',
    "no values": b'{"number": 0, "values": 3}',
    "a key too many": b'{"number": 0, "values": {}, "colour": "red"}',
}


@pytest.mark.parametrize("damage", RESULTS)
def test_a_damaged_trial_is_told_and_run_again(damage, searched, capsys):
    config, run, rows = searched
    (run.path / "trials" / "0.json").write_bytes(RESULTS[damage])
    capsys.readouterr()
    search(space, build, data(), config, run)
    out = capsys.readouterr().out
    assert out.count("is damaged") == 1
    assert without_times(table(run)) == without_times(rows)
    assert len(entries(run)) == 3


@pytest.mark.parametrize("name", ["values.json", "attempts.json"])
@pytest.mark.parametrize("damage", ["empty", "half", "a list"])
def test_damaged_files_of_a_trial_that_was_begun_cost_that_trial_only(
    name, damage, tmp_path
):
    config = SearchConfig(run_dir=tmp_path, tune=2, epochs=1)
    run = RunFolder.open("r", config)
    folder = run.part("tuning/trial_0")
    (folder.path / name).write_bytes(DAMAGE[damage])
    search(space, build, data(), config, run)
    assert [row["problem"] for row in table(run)] == ["", "", ""]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["step_.save", "step_x.save", "step_99.save", "dir"])
def test_what_is_not_a_save_does_not_end_a_resumed_run(name, tmp_path, capsys):
    config = Config(run_dir=tmp_path, epochs=1)
    run = RunFolder.open("r", config)
    rows = train(model(), data(), config, run)
    if name == "dir":
        (run.path / "step_99.save").mkdir()
    else:
        (run.path / name).write_bytes(b"keras-cookbook save 99999999999999999999\n")
    again = dataclasses.replace(config, resume=True)
    resumed = RunFolder.open("r", again)
    assert without_times(train(model(), data(), again, resumed)) == without_times(rows)
