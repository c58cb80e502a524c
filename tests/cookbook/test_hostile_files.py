"""Files from strangers: each is a working model, or one line and status 2."""

import argparse
import json
import os
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

import hostile
from cookbook.__main__ import check
from cookbook.errors import Mistake
from cookbook.trained import allowed
from cookbook.trained.model_file import Refused, read_config
from cookbook.trained.safe_loading import load_or_refuse, load_safely
from custom_layers.layers import Dense
from custom_layers.optimizers import Adam

ROOT = Path(__file__).parents[2]
SECONDS = 5  # that a file may take at most, on a busy machine
MEGABYTES = 150  # by which a process may grow while a hostile file is read


def in_parts(path):
    """{name: content} of the members of an archive."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A small sound model file."""
    path = tmp_path_factory.mktemp("sound") / "model.keras"
    layers = [keras.Input((3,)), Dense(4, activation="relu"), keras.layers.Dropout(0.1)]
    model = keras.Sequential([*layers, Dense(2)])
    model.compile(Adam(), "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(path)
    return path


def resident():
    """Megabytes that this process holds now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1000
    return 0.0


def test_there_are_enough_of_them():
    assert len(hostile.FILES) >= 90


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", hostile.FILES)
def test_a_hostile_file_is_one_line_and_status_2(name, sound, tmp_path, capsys):
    path = tmp_path / "model.keras"
    hostile.FILES[name](path, in_parts(sound))
    before, start = resident(), time.time()
    with pytest.raises(Mistake) as problem:
        load_safely(path)
    assert time.time() - start < SECONDS
    assert resident() - before < MEGABYTES
    line = str(problem.value)
    assert line.startswith(f"{path} ")
    assert line.isprintable()
    assert ("can't be loaded" in line) == (name in hostile.LEFT_TO_KERAS)
    assert len(line) < 600
    assert not Path(hostile.MARKER).exists()


def test_the_sound_file_of_which_they_are_made_loads(sound, tmp_path):
    path = tmp_path / "again.keras"
    hostile.write(path, in_parts(sound), zipfile.ZIP_DEFLATED)
    for ours, expected in zip(
        load_safely(path).get_weights(), keras.models.load_model(sound).get_weights()
    ):
        np.testing.assert_array_equal(ours, expected)


def damaged(content, rng):
    """The bytes of a file with one random damage, and what the damage is."""
    kind = rng.choice(["flip", "cut", "zeros", "remove", "insert", "swap"])
    at = rng.randrange(len(content))
    length = min(rng.choice([1, 4, 16, 512]), len(content) - at)
    piece = content[at : at + length]
    if kind == "cut":
        return content[:at], kind
    if kind == "flip":
        changed = bytes([content[at] ^ (1 << rng.randrange(8))])
        return content[:at] + changed + content[at + 1 :], kind
    if kind == "zeros":
        return content[:at] + bytes(length) + content[at + length :], kind
    if kind == "remove":
        return content[:at] + content[at + length :], kind
    if kind == "insert":
        return content[:at] + rng.randbytes(length) + content[at:], kind
    to = rng.randrange(len(content))
    return content[:to] + piece + content[to + length :], kind


@pytest.mark.slow
def test_a_thousand_random_damages_give_a_working_model_or_one_line(sound, tmp_path):
    """A file that passes the check holds the sound file's parts, or it must load."""
    rng = random.Random(0)
    content, parts = sound.read_bytes(), in_parts(sound)
    answer = load_or_refuse(sound).predict(np.ones((2, 3)), verbose=0)
    path = tmp_path / "model.keras"
    outcomes = {"refused": 0, "loaded": 0}
    for _ in range(1000):
        bad, kind = damaged(content, rng)
        path.write_bytes(bad)
        try:
            read_config(path)
            outcomes["loaded"] += 1
            if in_parts(path) != parts:
                again = load_or_refuse(path).predict(np.ones((2, 3)), verbose=0)
                np.testing.assert_array_equal(again, answer, err_msg=kind)
        except Refused:
            outcomes["refused"] += 1
    assert outcomes["refused"] > 500
    assert outcomes["loaded"] > 10


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_damaged_weights_with_a_right_checksum_load_or_are_refused(sound, tmp_path):
    """Nothing but HDF5 itself can see such damage; what loads must still answer."""
    rng = random.Random(0)
    parts = in_parts(sound)
    path = tmp_path / "model.keras"
    refused = 0
    for _ in range(200):
        bad, _ = damaged(parts[hostile.WEIGHTS], rng)
        hostile.write(path, {**parts, hostile.WEIGHTS: bad})
        try:
            model = load_or_refuse(path)
        except Refused:
            refused += 1
        else:
            assert model(np.ones((2, 3))).shape == (2, 2)
    assert 50 < refused < 200


def test_a_damaged_file_is_answered_without_tensorflow(sound, tmp_path):
    path = tmp_path / "half.keras"
    path.write_bytes(sound.read_bytes()[:1000])
    code = (
        "import sys; sys.argv = ['cookbook', 'check', sys.argv[1]]\n"
        "from cookbook.__main__ import main\n"
        "try: main()\n"
        "finally: print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 2
    assert done.stdout.split() == ["False", "False"]
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {path} is damaged")


def files(*paths):
    """What the command line of `check` with these files says."""
    return argparse.Namespace(files=[str(path) for path in paths])


def test_one_refused_file_does_not_hide_the_others(sound, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        check(files(tmp_path / "missing.keras", sound))
    assert stop.value.code == 2
    shown = capsys.readouterr()
    assert "dense" in shown.out
    (line,) = shown.err.splitlines()
    assert "no file" in line


def test_control_characters_in_names_are_shown_harmlessly(tmp_path, capsys):
    name = "bell\x07clear\x1b[2Jturn\u202e"
    model = keras.Sequential([keras.Input((3,)), Dense(2)], name="m")
    path = tmp_path / "model.keras"
    model.save(path)

    def rename(config):
        config["config"]["name"] = name

    hostile.changed(path, in_parts(path), rename)
    check(files(path))
    shown = capsys.readouterr().out
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert r"clear\x1b[2Jturn\u202e" in shown


def test_check_says_that_a_model_augments(tmp_path, capsys):
    vary = keras.layers.RandomFlip(name="mirror")
    keras.Sequential([keras.Input((4, 4, 1)), vary]).save(tmp_path / "model.keras")
    check(files(tmp_path / "model.keras"))
    assert "at random (mirror)" in capsys.readouterr().out


def test_a_registered_class_of_someone_else_is_refused(tmp_path, sound):
    """It may be registered in this process, in a notebook for example."""

    @keras.saving.register_keras_serializable(package="stranger")
    class Dense(keras.layers.Dense):
        pass

    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((3,)), Dense(2)]).save(path)
    with pytest.raises(Refused, match="neither a part of Keras's models nor of ours"):
        load_or_refuse(path)


def test_no_function_of_keras_passes_as_a_class_and_no_helper_as_a_function():
    modules = [m for m in sys.modules.values() if m.__name__.split(".")[0] == "keras"]
    parts = {}
    for module in modules:
        for name, thing in vars(module).items():
            entry = {
                "class_name": name,
                "module": module.__name__,
                "registered_name": None,
                "config": {},
            }
            if callable(thing) and not list(allowed.problems(entry)):
                parts[f"{module.__name__}.{name}"] = thing
    assert len(parts) > 1000
    for name, thing in parts.items():
        assert isinstance(thing, type), name
        assert issubclass(thing, allowed.KINDS) or "quantiz" in thing.__module__, name
        assert not issubclass(thing, allowed.CARRIERS), name


def test_our_own_loader_draws_nothing_from_the_random_state(sound):
    """A run that loads a kept network must end like one that has just trained it."""
    random.seed(0)
    state = random.getstate()
    config, sizes = read_config(sound)
    assert json.dumps(config)
    from cookbook.trained.safe_loading import _check_size

    _check_size(config, sum(sizes.values()))
    assert random.getstate() == state
