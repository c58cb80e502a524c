"""Runs that answer: found, described, checked, and asked from Python and in a shell."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import keras
import numpy as np
import pytest

import cookbook
from cookbook import load_run
from cookbook.errors import Mistake
from custom_layers.layers import Dense
from small_runs import ODD_NAME, predicted, two_classifiers
from sources import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """runs/ with a classifier of images and one of texts."""
    folder = tmp_path_factory.mktemp("runs")
    two_classifiers(folder)
    return folder


@pytest.fixture
def copied(folder, tmp_path):
    """copied(recipe): a copy of its run folder, to be damaged."""

    def copy(recipe):
        (path,) = (folder / recipe).iterdir()
        return shutil.copytree(path, tmp_path / "runs" / recipe / "one")

    return copy


def test_importing_cookbook_imports_nothing_slow():
    code = "import sys, cookbook; print({'keras', 'numpy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "set()\n", done.stderr
    assert set(cookbook.__all__) == {"TrainedRun", "load_run"}


def test_images_get_the_names_of_their_classes_and_no_augmentation(folder):
    run = load_run("pictures", folder)
    x = np.stack([np.zeros((4, 4, 3), "uint8"), np.full((4, 4, 3), 255, "uint8")])
    first, second = run.predict(x)
    assert (first.label, second.label) == ("cat", r"a\x1b[31mb\nc")
    assert second.top[1] == ("cat", pytest.approx(1 - second.probability))
    layers = [type(layer).__name__ for layer in run.model.layers]
    assert layers == ["Flatten", "Dense"]
    assert "image classifier of pictures, learned from d" in repr(run)


def test_texts_are_answered_in_their_order(folder):
    run = load_run("texts", folder)
    texts = ["bad film", "good " * 40, "good", "a bad bad good film", "film"]
    labels = [answer.label for answer in run.predict(texts)]
    assert labels[:4] == ["neg", "pos", "pos", "neg"]
    assert run.probabilities(texts).shape == (5, 2)
    for text, row in zip(texts, run.probabilities(texts)):
        np.testing.assert_allclose(run.probabilities([text])[0], row, rtol=1e-4)


def test_images_of_another_shape_are_refused_with_the_shape_expected(folder):
    with pytest.raises(Mistake, match=r"expected \(N, 4, 4, 3\)"):
        load_run("pictures", folder).predict(np.zeros((1, 5, 4, 3)))


@pytest.mark.parametrize(
    ("recipe", "inputs", "message"),
    [
        ("texts", "a good film", "got a text, expected a list of texts"),
        ("texts", ["good", ""], "got '', but it holds no word"),
        ("texts", [3], "got 3, but it is no text but of the type int"),
        ("pictures", "trunc.jpg", "got a text, expected an array of images"),
        ("pictures", Path("trunc.jpg"), "got a path, expected an array of images"),
        ("pictures", np.zeros((1, 4, 4, 3)), "type float64, expected whole numbers"),
        ("pictures", [np.zeros((4, 4, 3))], "type float64, expected whole numbers"),
        ("pictures", np.full((1, 4, 4, 3), 256), "got pixels from 256 to 256"),
        ("pictures", [np.zeros(3, "uint8")], r"\(3,\), expected \(4, 4, 3\)"),
    ],
)
def test_inputs_of_another_kind_are_refused(recipe, inputs, message, folder):
    with pytest.raises(Mistake, match=message):
        load_run(recipe, folder).predict(inputs)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("model.json", "{", "is damaged"),
        ("model.json", "[" * 10**5, "is damaged"),
        ("model.json", "null", "does not hold a JSON object"),
        ("model.json", {"kind": ODD_NAME}, "is no kind of model"),
        ("model.json", {"kind": None}, "its 'kind' has another form"),
        ("model.json", {"classes": [1]}, "its 'classes' has another form"),
        ("model.json", {"classes": ["a", "b", "c"]}, "does not fit its description"),
        ("model.json", {"kind": "sums", "digits": 2}, "does not fit its description"),
        ("model.json", {"length": 10**12}, "its 'length' has another form"),
        ("model.json", {"length": True}, "its 'length' has another form"),
        ("vocabulary.json", {"words": "good"}, "its 'words' has another form"),
        ("vocabulary.json", "{}", "it lacks 'words'"),
        ("vocabulary.json", None, "is damaged"),
        ("model.keras", "PK", "is damaged or no model"),
        ("metrics.json", None, "holds no finished run"),
    ],
)
def test_a_damaged_run_is_one_line(name, change, message, copied):
    path = copied("texts") / name
    if isinstance(change, dict):
        change = json.dumps({**json.loads(path.read_text()), **change})
    path.unlink()
    if change is not None:
        path.write_text(change)
    with pytest.raises(Mistake, match=message) as problem:
        load_run(path.parent)
    assert str(problem.value).isprintable()


def test_a_folder_that_an_earlier_version_wrote_is_read(copied):
    path = copied("texts")
    words = json.loads((path / "vocabulary.json").read_text())["words"]
    reader = {"words": words, "length": 30, "classes": ["neg", "pos"], "data": "imdb"}
    (path / "reader.json").write_text(json.dumps(reader))
    (path / "model.json").unlink()
    (path / "vocabulary.json").unlink()
    run = load_run(path)
    assert run.predict(["a good film"])[0].label == "pos"
    assert str(run.description) == "text classifier of texts, learned from imdb"
    (path / "reader.json").write_text(json.dumps({**reader, "length": "30"}))
    with pytest.raises(Mistake, match=r"reader\.json is damaged"):
        load_run(path)


def test_augmentation_that_an_earlier_version_saved_is_left_out(copied):
    path = copied("pictures")
    layers = [
        keras.Input((4, 4, 3)),
        keras.layers.RandomFlip(),
        keras.layers.Flatten(),
        Dense(2),
    ]
    keras.Sequential(layers).save(path / "model.keras")
    names = [type(layer).__name__ for layer in load_run(path).model.layers]
    assert names == ["Flatten", "Dense"]


def test_a_run_without_any_description_says_so(copied):
    path = copied("pictures")
    (path / "model.json").unlink()
    with pytest.raises(Mistake, match=r"holds no model.json, expected the folder of"):
        load_run(path)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("mnist_cnn", "train first with python recipes/mnist_cnn.py"),
        ("recipes/mnist_cnn.py", "train first with python recipes/mnist_cnn.py"),
        ("nowhere", "no run and no recipe nowhere: expected a folder"),
        ("recipes/nowhere.py", "no run and no recipe recipes/nowhere.py"),
        ("\x1b[1m", r"there is no run and no recipe \\x1b\[1m: expected a folder"),
        ("runs/nowhere/x", "no run and no recipe runs/nowhere/x: expected a folder"),
        (".", r"^\. holds no finished run: expected a folder"),
        ("..", r"^\.\. holds no finished run: expected a folder"),
        (str(ROOT / "docs"), "docs holds no finished run: expected a folder"),
    ],
)
def test_a_run_that_does_not_exist_is_one_line(run, message, tmp_path, monkeypatch):
    late = ModuleNotFoundError("Keras is imported first")
    quiet = "cookbook.quiet_import.import_keras_quietly"
    monkeypatch.setattr(quiet, Mock(side_effect=late))
    with pytest.raises(Mistake, match=message) as problem:
        load_run(run, tmp_path)
    assert str(problem.value).isprintable()


def test_a_vocabulary_that_does_not_fit_the_model_gives_errors_not_a_traceback(
    copied, monkeypatch, capsys
):
    path = copied("texts") / "vocabulary.json"
    path.write_text(json.dumps({"words": ["good", *"abcdefgh"]}))
    rows, _ = predicted(monkeypatch, capsys, "runs", path.parent, "good h", status=2)
    assert rows[0]["error"]
