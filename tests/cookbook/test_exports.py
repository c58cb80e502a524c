"""Exports: the files, the code beside them, the comparison, and what is refused."""

import errno
import json
import subprocess
import sys
import tomllib
import types

import keras
import numpy as np
import pytest
from PIL import Image

from cookbook import load_run
from cookbook.__main__ import main
from cookbook.config import TrainingConfig
from cookbook.exports import command
from cookbook.exports.converters import formats
from cookbook.exports.converters.packages import KERAS, PACKAGES
from cookbook.exports.portable.classifiers import ImageModel, TextModel
from cookbook.exports.portable.networks import KerasNetwork
from cookbook.exports.portable.numbers import (
    SeriesModel,
)
from cookbook.exports.portable.writers import CharacterModel
from cookbook.exports.signature import NAMES, exported, largest_difference
from cookbook.exports.uses import USES
from cookbook.trained.description import KINDS, write_description
from cookbook.trained.trained_run import Description
from cookbook.training.run_folder import RunFolder
from custom_layers.layers import LSTM, Dense, Embedding, GlobalAveragePooling1D
from exported import run_readme
from recipes import mnist_mlp
from sources import ROOT

ODD = 'a\u00e9 \u2192 \U0001f600, "quoted"'  # a class that ASCII can't spell
FORMATS = ["keras", "savedmodel", "onnx", "litert"]


def run_of(folder, kind, model, classes=(), **settings):
    """The folder of a finished run with this model."""
    run = RunFolder.open("tiny", TrainingConfig(run_dir=folder))
    model.save(run.path / "model.keras")
    run.write_json("metrics.json", {})
    write_description(run, Description(kind, "tiny", "dots", classes, settings))
    return run.path


def picture_model():
    keras.utils.set_random_seed(0)
    layers = [keras.Input((4, 4, 3)), keras.layers.Flatten(), Dense(4)]
    return keras.Sequential([*layers[:1], keras.layers.RandomFlip(), *layers[1:]])


@pytest.fixture
def pictures(tmp_path):
    """A run folder: its model tells four classes, and was trained with RandomFlip."""
    classes = ("cat", ODD, "dog", "x" * 300)
    settings = {"shape": [4, 4, 3], "pixels": [0, 255]}
    return run_of(
        tmp_path / "runs", "image classifier", picture_model(), classes, **settings
    )


@pytest.fixture
def texts(tmp_path):
    ids = keras.Input((None,), dtype="int32")
    keras.utils.set_random_seed(0)
    mean = GlobalAveragePooling1D()(Embedding(6, 3, mask_zero=True)(ids))
    model = keras.Model(ids, Dense(2)(mean))
    words = {"length": 20, "words": ["good", "bad", "\u00fcber", "n't"]}
    return run_of(tmp_path / "runs", "text classifier", model, ("neg", "pos"), **words)


@pytest.fixture
def characters(tmp_path):
    keras.utils.set_random_seed(0)
    tokens = keras.Input((None,), dtype="int32")
    x = LSTM(8, return_sequences=True)(Embedding(4, 5)(tokens))
    model = keras.Model(tokens, Dense(4)(x))
    settings = {"alphabet": "\0ab\n", "context": 8}
    return run_of(tmp_path / "runs", "language model", model, **settings)


def asked(*words):
    """What `python -m cookbook export` prints."""
    sys.argv = ["cookbook", "export", *map(str, words)]
    main()


@pytest.fixture(autouse=True)
def kept_arguments(monkeypatch):
    monkeypatch.setattr(sys, "argv", sys.argv)


def refused(capfd, *words):
    """The one line of an export that ends with status 2."""
    with pytest.raises(SystemExit) as stop:
        asked(*words)
    assert stop.value.code == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    return line


def network_of(run):
    """The model of a run, called as an exported network is."""

    def network(**arrays):
        inputs = [*arrays.values()]
        return run.model.predict_on_batch(inputs if len(inputs) > 1 else inputs[0])

    return network


def settings_of(run):
    description = run.description
    return {**description.settings, "classes": [*description.classes]}


# The code beside an export answers as predict does.


def test_every_kind_of_model_can_be_exported():
    assert set(NAMES) == set(USES) == set(KINDS)


def test_the_copied_image_classifier_answers_as_predict_does(pictures, tmp_path):
    run = load_run(pictures)
    files = [tmp_path / "one.png", tmp_path / "two.jpg"]
    rng = np.random.default_rng(0)
    for file, size in zip(files, ((9, 5, 3), (4, 4))):
        Image.fromarray(rng.integers(0, 256, size, "uint8")).save(file)
    found = ImageModel(network_of(run), settings_of(run)).predict(files)
    for mine, theirs in zip(found, run.predict(files), strict=True):
        assert [name for name, _ in mine] == [name for name, _ in theirs.top]
        np.testing.assert_allclose([p for _, p in mine], [p for _, p in theirs.top])


def test_the_copied_text_classifier_answers_as_predict_does(texts):
    run = load_run(texts)
    inputs = ["Good, not BAD!", "zyx", "<br />\u00dcber " * 30]
    model = TextModel(network_of(run), settings_of(run))
    found = model.predict(inputs)
    assert model.predict([""])[0]  # which `run.predict` refuses
    for mine, theirs in zip(found, run.predict(inputs), strict=True):
        assert mine[0][0] == theirs.label
        assert mine[0][1] == pytest.approx(theirs.probability, abs=1e-6)


def test_the_copied_language_model_writes_as_predict_does_when_nothing_is_drawn(
    characters,
):
    run = load_run(characters)
    model = CharacterModel(network_of(run), settings_of(run))
    for text in ("ab", ""):  # which fit into the context
        expected = run.predict([text], length=5, temperature=1e-6)
        assert model.predict([text], length=5, temperature=1e-6) == expected
    (long,) = model.predict(["ab" * 20], length=30)
    assert len(long) == 70
    assert "\0" not in long


@pytest.mark.parametrize("columns", [1, 2])
def test_the_copied_forecaster_answers_as_predict_does(columns, tmp_path):
    layers = [keras.Input((5, columns)), keras.layers.Flatten(), Dense(3 * columns)]
    scales = {"mean": [5.0, -2.0][:columns], "scale": [0.5, 3.0][:columns]}
    names = {"columns": ["a", "b"][:columns], "window": 5, "horizon": 3}
    path = run_of(tmp_path, "forecast", keras.Sequential(layers), **names, **scales)
    run = load_run(path)
    series = np.random.default_rng(0).normal(size=(9, columns))
    (found,) = SeriesModel(network_of(run), settings_of(run)).predict([series])
    np.testing.assert_allclose(found, run.predict([series])[0], rtol=1e-6)
    with pytest.raises(ValueError, match="expected at least the 5"):
        SeriesModel(network_of(run), settings_of(run)).predict([series[:4]])


# The comparison.


@pytest.mark.parametrize(
    "broken",
    [
        lambda answer: answer * 1.001,
        lambda answer: answer[:, ::-1],
        lambda answer: answer[:1],
        lambda answer: answer * np.nan,
    ],
)
def test_an_export_whose_answers_differ_leaves_nothing(
    broken, pictures, tmp_path, capfd, monkeypatch
):
    class Broken(KerasNetwork):
        def __call__(self, **arrays):
            return broken(super().__call__(**arrays))

    name = formats.Format("Keras", "model.keras", formats.write_keras, Broken)
    monkeypatch.setitem(formats.FORMATS, "keras", name)
    before = sorted(tmp_path.rglob("*"))
    line = refused(capfd, pictures, "--format", "keras", "--to", tmp_path / "out")
    assert "model.keras is removed" in line
    assert sorted(tmp_path.rglob("*")) == before


def test_the_difference_is_relative_to_the_largest_answer(pictures):
    run = load_run(pictures)
    network = exported(run.model, run.description)
    assert largest_difference(network, network_of(run)) == 0
    for scale in (1e-5, 1e-3):

        def other(scale=scale, **arrays):
            return network_of(run)(**arrays) * (1 + scale)

        assert largest_difference(network, other) == pytest.approx(scale, rel=0.05)


def test_examples_are_padded_pixels_have_their_range_and_tokens_are_known(
    texts, pictures
):
    run = load_run(texts)
    ids = exported(run.model, run.description).examples(50, 12)["ids"]
    assert ids.shape == (50, 12)
    assert (ids[0, 8:] == 0).all()
    assert {*np.unique(ids[1:])} == {1, 2, 3, 4, 5}
    run = load_run(pictures)
    pixels = exported(run.model, run.description).examples(9, 12)["pixels"]
    assert pixels.min() < 20
    assert pixels.max() > 235


# The command.


def test_an_export_holds_the_network_its_labels_and_how_to_use_them(pictures, capfd):
    asked(pictures, "--format", "keras")
    out = capfd.readouterr().out
    assert "Largest difference to predict: " in out
    folder = pictures / "export_keras"
    assert f"{folder / 'README.md'} shows how to use it" in out
    files = {"README.md", "model.json", "model.keras", "use.py"}
    assert {file.name for file in folder.iterdir()} == files
    content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert content["classes"][1] == ODD
    compile((folder / "use.py").read_text(encoding="utf-8"), "use.py", "exec")
    model = keras.models.load_model(folder / "model.keras")
    assert not model.compiled


def test_the_newest_run_of_a_recipe_is_exported(texts, tmp_path):
    asked("tiny", "--run-dir", tmp_path / "runs", "--format", "keras")
    assert (texts / "export_keras" / "README.md").exists()


def test_what_is_there_already_stays_and_so_does_a_missing_folder(
    pictures, tmp_path, capfd
):
    target = tmp_path / "mine"
    target.write_text("kept")
    line = refused(capfd, pictures, "--format", "keras", "--to", target)
    assert line == f"error: {target} exists: give another folder by --to, or delete it"
    assert target.read_text() == "kept"
    line = refused(capfd, pictures, "--format", "keras", "--to", tmp_path / "a" / "b")
    assert "there is no folder" in line
    (pictures / "export_keras").mkdir()
    assert "exists" in refused(capfd, pictures, "--format", "keras")


def test_a_run_that_is_none_is_refused(tmp_path, capfd):
    line = refused(capfd, "lstm", "--run-dir", tmp_path, "--format", "keras")
    assert "there is no run and no recipe lstm" in line


def test_a_missing_package_is_named_with_its_installation(pictures, capfd, monkeypatch):
    missing = types.SimpleNamespace(find_spec=lambda name: None)
    monkeypatch.setattr(
        "cookbook.exports.converters.packages.importlib",
        types.SimpleNamespace(util=missing),
    )
    line = refused(capfd, pictures, "--format", "litert")
    assert line.endswith("pip install tensorflow ai-edge-litert")
    assert "are not installed" in line


def test_a_full_disk_is_named_and_leaves_nothing(
    pictures, tmp_path, capfd, monkeypatch
):
    def full(exported, path):
        path.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    name = formats.Format("Keras", "model.keras", full, KerasNetwork)
    monkeypatch.setitem(formats.FORMATS, "keras", name)
    before = sorted(tmp_path.rglob("*"))
    line = refused(capfd, pictures, "--format", "keras", "--to", tmp_path / "out")
    assert "no space is left on the disk" in line
    assert sorted(tmp_path.rglob("*")) == before


def test_a_backend_that_has_no_converters_is_refused(pictures, capfd, monkeypatch):
    backend = types.SimpleNamespace(backend=lambda: "jax")
    monkeypatch.setattr(command.keras, "backend", backend)
    line = refused(capfd, pictures, "--format", "onnx")
    assert "needs Keras on TensorFlow, but KERAS_BACKEND is jax" in line


def test_help_answers_without_keras():
    code = "import sys; from cookbook.__main__ import main; sys.argv[1:] = ['export'"
    code += ", '--help']\ntry: main()\nexcept SystemExit: pass\n"
    code += "assert 'keras' not in sys.modules and 'numpy' not in sys.modules"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT
    )
    assert result.returncode == 0, result.stderr
    for name in FORMATS:
        assert name in result.stdout


def test_the_extra_names_what_the_formats_need():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"]
    known = [*extras["export"], *extras["recipes"]]
    for each in PACKAGES.values():
        for package in each.to_export.values():
            assert any(line.startswith(f"{package}>=") for line in known), package
    assert KERAS.strip('"') in project["dependencies"]


# Conversion; tests/recipes exports the quick run of every recipe.


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_the_readme_runs_without_the_cookbook(name, pictures, tmp_path):
    asked(pictures, "--format", name, "--to", tmp_path / "out")
    printed = run_readme(tmp_path / "out").strip().splitlines()
    run = load_run(pictures)
    (answer,) = run.predict([tmp_path / "out" / "picture.png"])
    expected = [f"{p:6.1%}  {label}" for label, p in answer.top]
    assert printed == [line.strip() for line in expected[:1]] + expected[1:]


@pytest.mark.slow
def test_the_network_of_mnist_mlp_becomes_onnx(tmp_path):
    """The quick tests run this recipe, and leave the converter to this test."""
    data = types.SimpleNamespace(
        shape=(28, 28, 1), classes=tuple("0123456789"), train=(np.zeros(100),)
    )
    model = mnist_mlp.build(mnist_mlp.Config(), data)
    model.optimizer.build(model.trainable_variables)
    settings = {"shape": [28, 28, 1], "pixels": [0, 255]}
    path = run_of(tmp_path, "image classifier", model, data.classes, **settings)
    asked(path, "--format", "onnx")
    assert (path / "export_onnx" / "README.md").exists()


@pytest.mark.slow
def test_recurrent_networks_answer_several_rows_in_litert(characters, tmp_path):
    asked(characters, "--format", "litert", "--to", tmp_path / "out")
    network = formats.FORMATS["litert"].network(tmp_path / "out")
    tokens = np.array([[1, 2, 3], [3, 1, 1]], "int32")
    expected = load_run(characters).model.predict_on_batch(tokens)
    np.testing.assert_allclose(network(tokens=tokens), expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["onnx", "litert"])
def test_what_a_format_lacks_is_named(name, tmp_path, capfd):
    x = keras.Input((4, 4, 3))
    values = keras.ops.svd(x[..., 0], compute_uv=False)  # (N, 4) singular values
    settings = {"shape": [4, 4, 3], "pixels": [0, 255]}
    model = keras.Model(x, values)
    path = run_of(tmp_path, "image classifier", model, tuple("abcd"), **settings)
    line = refused(capfd, path, "--format", name)
    assert f"--format {name} is not possible for this network: " in line
    assert "Svd" in line
    assert not list(path.glob("*export*"))
