"""Saves: whole, checked, and refused in one line where they do not fit."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest

from cookbook.pages.catalogue import ROOT
from cookbook.training.checkpoint import FORMAT, MAGIC, Saves, pack_save, unpack_save
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import train
from small_training import Config, data, model, without_times

pytestmark = pytest.mark.slow  # starts processes of its own


def test_a_save_gives_back_what_was_put_in():
    import ml_dtypes

    arrays = [
        np.arange(6, dtype="float32").reshape(2, 3),
        np.array(3, "int64"),
        np.zeros((0, 4)),
        np.array([1.5, -2], ml_dtypes.bfloat16),
    ]
    header, back = unpack_save(pack_save({"epoch": 3}, arrays))
    assert header == {"epoch": 3}
    for ours, expected in zip(back, arrays):
        assert ours.dtype == expected.dtype
        np.testing.assert_array_equal(ours, expected)


@pytest.fixture
def finished(tmp_path):
    """(config to resume, run folder) of a run that lacks its metrics.json."""
    config = Config(run_dir=tmp_path, epochs=2, save_every=2)
    run = RunFolder.open("r", config)
    train(model(), data(), config, run)
    return dataclasses.replace(config, resume=True), run


def resume(config, build=model, examples=None):
    run = RunFolder.open("r", config)
    return train(build(), examples or data(), config, run)


def refusal(capsys, call, *arguments):
    with pytest.raises(SystemExit) as stop:
        call(*arguments)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()[-1:]
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("damage", ["half", "a bit", "empty"])
def test_a_damaged_save_is_said_and_the_one_before_taken(finished, damage, capsys):
    config, run = finished
    rows = resume(config)
    newest, before = Saves(run).paths()
    content = bytearray(newest.read_bytes())
    content[-9] ^= 1
    whole = newest.read_bytes()
    parts = {"half": whole[: len(whole) // 2], "a bit": bytes(content), "empty": b""}
    newest.write_bytes(parts[damage])
    capsys.readouterr()
    assert without_times(resume(config)) == without_times(rows)
    out = capsys.readouterr().out
    assert f"{newest} is damaged" in out
    assert "trying the save before it" in out
    before.write_bytes(b"")
    newest.write_bytes(b"")
    assert "all 2 saves" in refusal(capsys, resume, config)


def test_a_save_of_another_version_is_refused_and_kept(finished, capsys):
    config, run = finished
    for path in Saves(run).paths():
        old = path.read_bytes().replace(
            b"%s %d" % (MAGIC, FORMAT), b"%s %d" % (MAGIC, FORMAT - 1)
        )
        path.write_bytes(old)
    assert f"(format {FORMAT - 1}, expected format {FORMAT})" in refusal(
        capsys, resume, config
    )
    assert Saves(run).paths()[0].read_bytes() == old or len(Saves(run).paths()) == 2


def test_other_data_is_refused(finished, capsys):
    config, _ = finished
    x, y = data().train
    other = dataclasses.replace(data(), train=(x[:24], y[:24]))
    line = refusal(capsys, resume, config, model, other)
    assert "in 5 steps an epoch, not from None in 3" in line


def test_another_model_is_refused(finished, capsys):
    config, _ = finished

    def other():
        net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
        net.compile("sgd", "sparse_categorical_crossentropy")
        return net

    assert "its code has changed" in refusal(capsys, resume, config, other)


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX's")
def test_a_full_disk_is_one_line_and_what_was_saved_stays(finished, capsys):
    """A limit on a file's size stands for the disk's: the write itself fails."""
    _, run = finished
    before = {path: path.read_bytes() for path in run.path.iterdir()}
    code = f"""
    import resource, signal
    from pathlib import Path
    from cookbook.training.run_folder import RunFolder
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    run = RunFolder({str(run.path)!r}, None)
    run.write("step_99.save", lambda path: path.write_bytes(bytes(10**6)))
    """
    done = script(code)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: can't write step_99.save in ")
    assert len(done.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in run.path.iterdir()} == before


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights are POSIX's")
def test_a_folder_without_the_right_to_write_is_one_line():
    top = Path(tempfile.mkdtemp())  # tmp_path's parents are open to their owner alone
    folders = [top, top / "r", top / "r" / "one"]
    folders[-1].mkdir(parents=True)
    (folders[-1] / "config.json").write_text(json.dumps({"seed": 0}))
    for path in folders:
        path.chmod(0o555)
    try:
        for resumed, part in ((False, "no folder can be made"), (True, "can't write")):
            code = f"""
            import os
            from pathlib import Path
            from cookbook.config import TrainingConfig
            from cookbook.training.run_folder import RunFolder
            if os.geteuid() == 0:  # whom no right is denied; who can read Python
                import fcntl  # noqa: F401
                os.setuid(65534)
            config = TrainingConfig(run_dir=Path({str(top)!r}), resume={resumed})
            RunFolder.open("r", config)
            """
            done = script(code)
            assert done.returncode == 2, done.stderr
            assert part in done.stderr
            assert len(done.stderr.splitlines()) == 1
    finally:
        for path in folders:
            path.chmod(0o755)
        shutil.rmtree(top)


def script(code):
    return subprocess.run(
        [sys.executable, "-W", "default", "-c", textwrap.dedent(code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


@pytest.mark.skipif(os.name != "posix", reason="locks of a file are POSIX's")
def test_a_second_process_on_one_folder_is_refused_until_the_first_ends(tmp_path):
    code = f"""
    import sys
    from pathlib import Path
    from cookbook.config import TrainingConfig
    from cookbook.training.run_folder import RunFolder
    config = TrainingConfig(run_dir=Path({str(tmp_path)!r}), resume={{}})
    run = RunFolder.open("r", config)
    print("has it", flush=True)
    sys.stdin.read({{}})
    """
    command = [sys.executable, "-c", textwrap.dedent(code.format(False, 1))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    first = subprocess.Popen(command, cwd=ROOT, **pipes)
    assert first.stdout.readline() == "has it\n"
    second = script(code.format(True, 0))
    assert second.returncode == 2
    assert "ResourceWarning" not in second.stderr
    assert "another process is at work in" in second.stderr
    first.kill()
    first.communicate()
    third = script(code.format(True, 0))
    assert third.returncode == 0
    assert third.stderr == ""


def test_a_loss_that_is_not_finite_leaves_the_saves_before_it(tmp_path, capsys):
    config = Config(run_dir=tmp_path, save_every=1)
    run = RunFolder.open("r", config)
    net = model()

    def poison(batch, logs):
        if net.optimizer.iterations == 2:
            net.trainable_variables[0].assign(net.trainable_variables[0] * np.nan)

    late = keras.callbacks.LambdaCallback(on_train_batch_begin=poison)
    line = refusal(capsys, train, net, data(), config, run, [late])
    assert "became nan in epoch 1" in line
    assert [path.name for path in Saves(run).paths()] == ["step_2.save", "step_1.save"]
    for path in Saves(run).paths():
        assert all(
            np.isfinite(array).all() for array in unpack_save(path.read_bytes())[1]
        )


def test_a_part_of_a_run_has_saves_of_its_own(tmp_path):
    config = Config(run_dir=tmp_path, epochs=1)
    run = RunFolder.open("r", config)
    train(model(), data(), config, run.part("first"))
    assert Saves(run.part("first")).paths()
    assert not Saves(run).paths()


def test_seconds_count_what_earlier_processes_spent(finished):
    config, run = finished
    resumed = RunFolder.open("r", config)
    opened = resumed.started
    train(model(), data(), config, resumed)
    header, _ = unpack_save(Saves(run).paths()[0].read_bytes())
    assert resumed.started == pytest.approx(opened - header["spent"])
