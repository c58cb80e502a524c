"""Recipes from Python: a Config, main, and the Run that it returns."""

import importlib
import json
import re
import subprocess
import sys
import types
from pathlib import Path

import keras
import pytest

from cookbook.errors import Mistake, fail
from cookbook.pages.catalogue import ROOT
from cookbook.reports.finish import Run, is_in_notebook
from cookbook.training.run_folder import RunFolder
from cookbook.tuning.search import search
from small_training import Config, SearchConfig, data, space


def recipe(name):
    return importlib.import_module(f"recipes.{name}")


# A Config


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell": "rnn"}, "--cell got 'rnn', expected one of simple, lstm, gru"),
        ({"cell": None}, "--cell got None, expected one of simple, lstm, gru"),
        ({"units": 2.5}, "--units got 2.5, expected a whole number"),
        ({"units": "32"}, "--units got '32', expected a whole number"),
        ({"units": True}, "--units got True, expected a whole number"),
        ({"units": 0}, "--units got 0, expected a number from 1 to 16,384"),
        ({"dropout": "half"}, "--dropout got 'half', expected a number"),
        ({"quick": 1}, "--quick got 1, expected True or False"),
        ({"quick": "no"}, "--quick got 'no', expected True or False"),
        ({"data": None}, "--data got None, expected a text"),
        ({"predict": 3}, "--predict got 3, expected a text"),
        ({"run_dir": 3}, "--run-dir got 3, expected the path of a folder"),
        ({"tuner": "best"}, "--tuner got 'best', expected one of random, bayesian"),
    ],
)
def test_a_wrong_value_is_one_clear_message(settings, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        recipe("imdb_rnn").Config(**settings)


@pytest.mark.parametrize("sizes", [3, "3 2", None, (3, "2"), ()])
def test_several_numbers_are_a_tuple_or_a_list_of_numbers(sizes):
    config = recipe("backprop_by_hand").Config
    assert config(sizes=[3, 2]).sizes == [3, 2]
    with pytest.raises(ValueError, match=r"^--sizes got "):
        config(sizes=sizes)


def test_numbers_of_numpy_and_paths_as_text_are_fine(tmp_path):
    import numpy as np

    config = Config(epochs=np.int64(3), run_dir=str(tmp_path), run="there")
    assert config.epochs == 3
    assert config.run_dir == tmp_path
    assert config.run == Path("there")
    assert Config().run is None


# A mistake


def test_a_mistake_at_a_prompt_is_a_short_exception(monkeypatch, capsys):
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    with pytest.raises(Mistake) as error:
        fail("expected more\x1b")
    assert not issubclass(Mistake, SystemExit)  # which would end the interpreter
    shown = error.value._render_traceback_()
    assert shown == ["Mistake: expected more\\x1b"]
    assert capsys.readouterr().err == ""


def test_a_mistake_in_a_script_ends_it_with_one_line(capsys):
    with pytest.raises(SystemExit) as stop:
        fail("expected more")
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: expected more\n"


def test_a_mistake_at_a_prompt_ends_a_search_as_it_does_in_a_script(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    config = SearchConfig(run_dir=tmp_path, tune=3)
    run = RunFolder.open("r", config)

    def build(config, data):
        fail("expected other data")

    with pytest.raises(Mistake, match="expected other data"):
        search(space, build, data(), config, run)
    assert not list((run.path / "trials").glob("*.json"))


def test_data_that_cannot_be_had_are_a_mistake_and_the_prompt_goes_on(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(sys, "ps1", "In : ", raising=False)
    mlp = recipe("mnist_mlp")
    with pytest.raises(Mistake, match="unknown data set 'mnits'"):
        mlp.main(mlp.Config(data="mnits", run_dir=tmp_path))
    assert not list(tmp_path.iterdir())


# A Run


@pytest.fixture
def pictured(tmp_path):
    """A run with three pictures and other files."""
    inner = tmp_path / "trials"
    inner.mkdir()
    pictures = [tmp_path / "curves.png", tmp_path / "training.gif", inner / "one.png"]
    for path in [*pictures, tmp_path / "model.keras", tmp_path / "metrics.json"]:
        path.touch()
    figures = {"accuracy": 0.87654, "gap": 4.9e-9, "weights": 1234, "best": "lstm"}
    return Run(None, [], figures, tmp_path), pictures


def test_show_prints_the_figures_and_the_paths_of_the_pictures(pictured, capsys):
    run, pictures = pictured
    assert run.pictures == pictures
    run.show()
    assert capsys.readouterr().out.splitlines() == [
        "accuracy  0.8765",
        "gap       4.9e-09",
        "weights   1234",
        "best      lstm",
        f"all files: {run.folder}",
        *map(str, pictures),
    ]


@pytest.mark.parametrize("has_kernel", [True, False])
def test_show_displays_the_pictures_where_a_kernel_of_jupyter_runs(
    has_kernel, pictured, monkeypatch, capsys
):
    shell = types.SimpleNamespace(**({"kernel": None} if has_kernel else {}))
    shown = []
    display = types.ModuleType("IPython.display")
    display.Image = lambda filename: filename
    display.display = shown.append
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell
    assert not is_in_notebook()
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    assert is_in_notebook() == has_kernel
    run, pictures = pictured
    run.show()
    assert shown == (list(map(str, pictures)) if has_kernel else [])
    assert str(pictures[0]) in capsys.readouterr().out


@pytest.mark.parametrize(
    "name",
    [
        "backprop_by_hand",
        pytest.param("mnist_mlp", marks=pytest.mark.slow),
        pytest.param("ring_gan", marks=pytest.mark.slow),
    ],
)
def test_main_returns_a_run_that_shows_itself(name, tmp_path, capsys):
    """Of a recipe of the lab, which trains no model to keep; and of two others."""
    module = recipe(name)
    is_of_lab = not hasattr(module, "space")
    settings = {} if is_of_lab else {"epochs": 1}
    run = module.main(module.Config(quick=True, run_dir=str(tmp_path), **settings))
    assert (run.model is None) == is_of_lab
    assert (run.history == []) == is_of_lab
    assert run.figures
    assert run.folder.parent == tmp_path / name
    assert run.pictures
    capsys.readouterr()
    run.show()
    out = capsys.readouterr().out
    for expected in [*run.figures, *run.pictures]:
        assert str(expected) in out


def test_a_second_run_names_its_layers_as_the_first_and_keeps_the_users_policy(
    tmp_path,
):
    """TensorFlow fuses operations by their names, so these decide last bits."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    names = []
    for _ in range(2):
        RunFolder.open("r", Config(run_dir=tmp_path))
        layer = keras.layers.Dense(2)
        names.append(layer.name)
        assert layer.compute_dtype == "bfloat16"
    assert names == ["dense", "dense"]


ONE_AFTER_ANOTHER = """
import importlib, json, pathlib, signal, sys
handlers = [signal.getsignal(number) for number in signal.valid_signals()]
for path in sorted(pathlib.Path("recipes").glob("[!_]*.py")):
    importlib.import_module(f"recipes.{path.stem}")
assert handlers == [signal.getsignal(number) for number in signal.valid_signals()]
assert not pathlib.Path(sys.argv[2]).exists()
for name in ("mackey_glass_rnn", "mnist_mlp", "mnist_mlp"):
    recipe = sys.modules[f"recipes.{name}"]
    run = recipe.main(recipe.Config(quick=True, epochs=1, run_dir=sys.argv[2]))
"""


@pytest.mark.slow
def test_runs_in_one_process_repeat_those_in_processes_of_their_own(tmp_path):
    """Importing all recipes changes nothing: no signal, no file, no command line."""
    folder = tmp_path / "runs"
    alone = ["--quick", "--epochs", "1", "--run-dir", str(folder)]
    for command in (
        ["-c", ONE_AFTER_ANOTHER, "--nonsense", str(folder)],
        ["recipes/mnist_mlp.py", *alone],
    ):
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    files = sorted(folder.glob("mnist_mlp/*/metrics.json"))
    assert len(files) == 3
    assert len({json.loads(path.read_text())["weights"] for path in files}) == 1
