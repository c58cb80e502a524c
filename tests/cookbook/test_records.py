"""Records of a run: its code, its network, its versions; and the memory of a search."""

import dataclasses
import os
import subprocess
import sys

import keras
import pytest

from cookbook.pages.catalogue import ROOT
from cookbook.runs.files import read_json
from cookbook.runs.record import first_difference, network_of
from cookbook.training.checkpoint import Saves, pack_save, unpack_save
from cookbook.training.run_folder import LOCKS, RunFolder
from cookbook.training.train import train
from small_training import Config, data, model


def two_layers(units=8, activation="relu", wire=False, dtype="float32"):
    inputs = keras.Input((6,))
    first = keras.layers.Dense(units, activation=activation, dtype=dtype)(inputs)
    second = keras.layers.Dense(6)(first)
    outputs = keras.layers.Add()([second, inputs if wire else second])
    return keras.Model(inputs, outputs)


def test_the_record_of_a_network_ignores_the_names_that_keras_counts():
    assert network_of(two_layers()) == network_of(two_layers())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"units": 9}, "Dense: units 8 -> 9"),
        ({"activation": "gelu"}, "Dense: activation relu -> gelu"),
        ({"dtype": "mixed_float16"}, "DTypePolicy: name float32 -> mixed_float16"),
        ({"wire": True}, "Add: inputs "),
    ],
)
def test_the_record_of_a_network_says_what_differs(change, words):
    found = first_difference(network_of(two_layers()), network_of(two_layers(**change)))
    assert words in str(found)


def interrupted(tmp_path):
    """(config to resume, run folder) of a run that lacks its metrics.json."""
    config = Config(run_dir=tmp_path, epochs=2, save_every=2)
    run = RunFolder.open("r", config)
    train(model(), data(), config, run)
    return dataclasses.replace(config, resume=True), run


def test_a_changed_network_of_equal_shapes_is_refused(tmp_path, capsys):
    config, _ = interrupted(tmp_path)
    other = model()
    other.layers[2].rate = 0.25
    resumed = RunFolder.open("r", config)
    with pytest.raises(SystemExit) as stop:
        train(other, data(), config, resumed)
    assert stop.value.code == 2
    problem = "of another network (Dropout: rate 0.5 -> 0.25)"
    assert problem in capsys.readouterr().err


def test_changed_code_is_announced_in_one_line(tmp_path, capsys):
    config, run = interrupted(tmp_path)
    code = read_json(run.path / "code.json")
    assert {"recipe", "cookbook", "custom_layers", "keras", "backend"} < set(code)
    assert code[keras.backend.backend()].count(".") == 2
    run.write_json("code.json", {**code, "custom_layers": "0123", "keras": "3.0"})
    capsys.readouterr()
    resumed = RunFolder.open("r", config)
    train(model(), data(), config, resumed)
    lines = [line for line in capsys.readouterr().out.splitlines() if "other" in line]
    (line,) = lines
    assert "custom_layers 0123 -> " in line
    assert f"keras 3.0 -> {keras.version()}" in line


def test_a_run_of_before_these_records_is_resumed(tmp_path, capsys):
    config, run = interrupted(tmp_path)
    (run.path / "code.json").unlink()
    for path in Saves(run).paths():
        header, arrays = unpack_save(path.read_bytes())
        for name in ("code", "network"):
            del header[name]
        del header["versions"][keras.backend.backend()]
        path.write_bytes(pack_save(header, arrays))
    old = run.path.with_name("2026-01-01_00-00-00")
    LOCKS.pop(run.path).close()  # as when its process has ended
    run.path.rename(old)
    capsys.readouterr()
    resumed = RunFolder.open("r", config)
    assert resumed.path == old
    assert len(train(model(), data(), config, resumed)) == 2
    assert "other code" not in capsys.readouterr().out


MEMORY = """
import sys
from pathlib import Path
from cookbook.tuning.trials.runner import Trials
from recipes import mnist_mlp
from recipes.mnist_mlp import Config, main

def space(hp):
    # Of one size, since oneDNN keeps a workspace for the largest layer so far.
    return Config(learning_rate=hp.Float("learning_rate", 5e-4, 1e-2, sampling="log"))

def measured(trials, result, folder):
    remember(trials, result, folder)
    text = Path("/proc/self/status").read_text()
    (size,) = [line.split()[1] for line in text.splitlines() if "VmRSS" in line]
    print("memory", int(size) / 1000)

remember = Trials._remember
Trials._remember = measured
mnist_mlp.space = space
main(Config(tune=15, quick=True, epochs=1, run_dir=Path(sys.argv[1])))
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads /proc")
def test_the_memory_of_a_search_stays_flat(tmp_path):
    """It grew by 21 MB per trial."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    sizes = [float(line.split()[1]) for line in lines if line.startswith("memory")]
    assert len(sizes) == 16  # that of the defaults first
    assert sizes[15] - sizes[5] <= 30  # 3 were measured
