"""Survival: a run killed at any step, and a search, end as if never killed."""

import dataclasses
import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from test_training import Config, data, model

from cookbook.batches import Batches
from cookbook.catalogue import ROOT, recipes
from cookbook.chaos import differences
from cookbook.checkpoint import FORMAT, MAGIC, Saves, decode, encode
from cookbook.cli import parse
from cookbook.run_folder import RunFolder
from cookbook.training import seed_everything, train
from custom_layers.optimizers.adaptive import Adam
from custom_layers.optimizers.wrappers import SWA, Lookahead


class Killed(Exception):
    """What stands for a kill inside one process."""


def callbacks():
    """With memory: the best weights, and how long nothing improved."""
    return [
        keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, verbose=0),
    ]


def broken_and_resumed(build, config, after, chosen=list):
    """(model, history) of a run that was broken before a step, then resumed."""
    seen = []

    def kill(batch, logs):
        seen.append(batch)
        if len(seen) > after:
            raise Killed

    killer = keras.callbacks.LambdaCallback(on_train_batch_begin=kill)
    with pytest.raises(Killed):
        train(build(), data(), config, RunFolder.open("r", config), [*chosen(), killer])
    again = dataclasses.replace(config, resume=True)
    net = build()
    seed_everything(99)
    idle = keras.callbacks.LambdaCallback()
    history = train(net, data(), again, RunFolder.open("r", again), [*chosen(), idle])
    return net, history


def without_times(rows):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


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
    net, history = broken_and_resumed(model, config, after, callbacks)
    assert_same(net, history, whole, rows)


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


def test_a_save_gives_back_what_was_put_in():
    import ml_dtypes

    arrays = [
        np.arange(6, dtype="float32").reshape(2, 3),
        np.array(3, "int64"),
        np.zeros((0, 4)),
        np.array([1.5, -2], ml_dtypes.bfloat16),
    ]
    header, back = decode(encode({"epoch": 3}, arrays))
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


def test_a_full_disk_is_one_line_and_what_was_saved_stays(finished, capsys):
    """A limit on a file's size stands for the disk's: the write itself fails."""
    _, run = finished
    before = {path: path.read_bytes() for path in run.path.iterdir()}
    code = f"""
    import resource, signal
    from pathlib import Path
    from cookbook.run_folder import RunFolder
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
def test_a_folder_without_the_right_to_write_is_one_line(tmp_path):
    config = json.dumps({"seed": 0})
    (tmp_path / "r" / "one").mkdir(parents=True)
    (tmp_path / "r" / "one" / "config.json").write_text(config)
    for path in (tmp_path / "r" / "one", tmp_path / "r", tmp_path, tmp_path.parent):
        path.chmod(0o555)
    tmp_path.parent.parent.chmod(0o755)
    try:
        for resumed, part in ((False, "no folder can be made"), (True, "can't write")):
            code = f"""
            import os
            from pathlib import Path
            from cookbook.cli import Run
            from cookbook.run_folder import RunFolder
            if os.geteuid() == 0:  # whom no right is denied; who can read Python
                import fcntl  # noqa: F401
                os.setuid(65534)
            RunFolder.open("r", Run(run_dir=Path({str(tmp_path)!r}), resume={resumed}))
            """
            done = script(code)
            assert done.returncode == 2, done.stderr
            assert part in done.stderr
            assert len(done.stderr.splitlines()) == 1
    finally:
        for path in (tmp_path.parent, tmp_path, tmp_path / "r", tmp_path / "r" / "one"):
            path.chmod(0o755)


def script(code):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_a_second_process_on_one_folder_is_refused_until_the_first_ends(tmp_path):
    code = f"""
    import sys
    from pathlib import Path
    from cookbook.cli import Run
    from cookbook.run_folder import RunFolder
    run = RunFolder.open("r", Run(run_dir=Path({str(tmp_path)!r}), resume={{}}))
    print("has it", flush=True)
    sys.stdin.read({{}})
    """
    command = [sys.executable, "-c", textwrap.dedent(code.format(False, 1))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    first = subprocess.Popen(command, cwd=ROOT, **pipes)
    assert first.stdout.readline() == "has it\n"
    second = script(code.format(True, 0))
    assert second.returncode == 2
    assert "another process is at work in" in second.stderr
    first.kill()
    first.communicate()
    assert script(code.format(True, 0)).returncode == 0


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
        assert all(np.isfinite(array).all() for array in decode(path.read_bytes())[1])


def test_seconds_count_what_earlier_processes_spent(finished):
    config, run = finished
    resumed = RunFolder.open("r", config)
    opened = resumed.started
    train(model(), data(), config, resumed)
    header, _ = decode(Saves(run).paths()[0].read_bytes())
    assert resumed.started == pytest.approx(opened - header["spent"])


def test_learning_from_the_validation_part_too_takes_as_many_steps(tmp_path):
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


FORKS = """
import os, sys
from pathlib import Path
from cookbook.chaos import KILL
from cookbook.cli import parse
from recipes.mnist_mlp import Config, main  # once, for all the processes below

def start(folder, kill, *extra):
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    if kill:
        os.environ[KILL] = str(kill)
    sys.stdout = open(os.devnull, "w")
    main(parse(Config, [*sys.argv[2:], "--run-dir", folder, *extra]))
    os._exit(0)

folder = Path(sys.argv[1])
print(start(str(folder / "whole"), 0))
for i, kill in enumerate(KILLS):
    print(start(str(folder / "broken"), kill, *["--resume"] * (i > 0)))
print(start(str(folder / "broken"), 0, "--resume"))
"""


def killed(folder, kills, *arguments):
    """What differs between a run and one killed after `kills` executions of steps."""
    command = [sys.executable, "-c", FORKS.replace("KILLS", repr(kills)), str(folder)]
    done = subprocess.run(
        [*command, "--quick", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert list(map(int, done.stdout.split())) == [0, *[9] * len(kills), 0], done.stderr
    return differences(folder / "whole", folder / "broken")


def test_killed_at_random_steps_a_run_ends_with_the_same_bits(tmp_path):
    rng = np.random.default_rng(int(time.time()))
    kills = [int(n) for n in rng.integers(1, 9, size=3)]
    arguments = ("--epochs", "4", "--batch-size", "16", "--save-every", "20")
    assert not killed(tmp_path, kills, *arguments), kills


def test_killed_at_random_steps_a_search_gives_the_same_table(tmp_path):
    rng = np.random.default_rng(int(time.time()))
    kills = [int(n) for n in rng.integers(1, 8, size=2)]
    arguments = ("--tune", "3", "--epochs", "1", "--batch-size", "32")
    assert not killed(tmp_path, kills, *arguments, "--save-every", "10"), kills


TRAINED = [e.name for e in recipes() if "\ndef space(" in (ROOT / e.file).read_text()]


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_every_recipe_survives_chaos(name, capfd):
    path = Path(ROOT, "recipes", f"{name}.py")
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
        save = encode({"callbacks": []}, [np.array([value])])
        folder.joinpath("step_3.save").write_bytes(save)
    different = differences(tmp_path / "whole", tmp_path / "broken")
    assert different == ["last save", "history.csv"]
    monkeypatch.setattr("cookbook.chaos.prove_survival", lambda config: 7)
    with pytest.raises(SystemExit) as stop:
        parse(Config, ["--chaos", "2"])
    assert stop.value.code == 7
