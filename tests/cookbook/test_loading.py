"""Loading: what our recipes save loads; what carries code is refused in one line."""

import importlib
import json
import pickle
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from cookbook.errors import Mistake
from cookbook.trained.safe_loading import load_safely
from custom_layers.activations import gelu
from custom_layers.layers import Dense
from custom_layers.optimizers import Adam


def refusal(path, capsys):
    with pytest.raises(Mistake) as problem:
        load_safely(path)
    (line,) = str(problem.value).splitlines()
    return line


def saved(path, *layers):
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(Adam(), "mse")
    model.optimizer.build(model.trainable_variables)
    model.save(path)
    return model


def rewrite(path, change):
    """Replaces config.json in a model file by change(config)."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    parts["config.json"] = json.dumps(change(config)).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_a_model_of_ours_loads_with_its_weights(tmp_path):
    path = tmp_path / "model.keras"
    model = saved(path, Dense(2, activation=gelu), keras.layers.Dropout(0.1))
    for ours, expected in zip(load_safely(path).get_weights(), model.get_weights()):
        np.testing.assert_array_equal(ours, expected)


def test_a_lambda_is_refused_before_it_runs(tmp_path, capsys):
    marker = tmp_path / "it_ran"
    name = str(marker)
    path = tmp_path / "model.keras"
    saved(path, keras.layers.Lambda(lambda x: (Path(name).touch(), x)[1]))
    marker.unlink(missing_ok=True)
    line = refusal(path, capsys)
    assert "carries code, in a " in line
    assert not marker.exists()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"class_name": "Popen", "module": "subprocess"}, "Popen of subprocess"),
        (
            {"class_name": "function", "module": "os", "config": "system"},
            "calls os.system",
        ),
        (
            {"class_name": "function", "module": "keras.utils", "config": "get_file"},
            "calls keras.utils.get_file",
        ),
        (
            {
                "class_name": "Popen",
                "module": "subprocess",
                "registered_name": "keras_cookbook>Nothing",
            },
            "Popen of subprocess",
        ),
        ({"class_name": "TorchModuleWrapper", "module": "keras.layers"}, "carries"),
    ],
)
def test_whatever_is_no_part_of_a_model_is_refused(entry, expected, tmp_path, capsys):
    path = tmp_path / "model.keras"
    saved(path, Dense(2))

    def change(config):
        config["config"]["layers"][1]["config"]["activation"] = entry
        return config

    rewrite(path, change)
    assert expected in refusal(path, capsys)


def test_files_of_other_kinds_are_refused(tmp_path, capsys):
    assert "no file" in refusal(tmp_path / "nothing.keras", capsys)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps([1]))
    assert "does not end in .keras" in refusal(path, capsys)
    path = tmp_path / "half.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{")
    assert "damaged or no model" in refusal(path, capsys)
    path = tmp_path / "model.keras"
    saved(path, Dense(2))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    refusal(path, capsys)


def test_the_command_shows_a_model(tmp_path, capsys, monkeypatch):
    path = tmp_path / "model.keras"
    saved(path, Dense(2, name="named_so"))
    monkeypatch.setattr("sys.argv", ["cookbook", "check", str(path)])
    importlib.import_module("cookbook.__main__").main()
    assert "named_so" in capsys.readouterr().out
