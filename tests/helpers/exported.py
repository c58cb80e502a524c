"""A saved model answers the same in every way in which a user may call it."""

import datetime
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from scipy.io import wavfile

from cookbook import load_run
from cookbook.data.augmentation import augmentation_in
from cookbook.exports.command import write_export
from cookbook.exports.converters.formats import FORMATS
from cookbook.exports.signature import exported
from cookbook.pages.catalogue import recipes
from cookbook.trained.description import GENERATORS
from custom_layers.models import CycleGAN

SOUNDS = "digit_strings_ctc", "spoken_digit_rnn"  # no other format has their spectra
TOLERANCE = 1e-4  # of answers, relative to the largest one; float32 holds 1e-7
# Runs the code of a README where our packages can't be imported.
ALONE = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("cookbook", "custom_layers", "recipes"):
            raise ImportError(f"an export imports {name}")

sys.meta_path.insert(0, Blocked())
"""


def inputs_of(model, rows=3, length=12):
    """Arrays that the model takes: tokens from 1 to 8, or numbers from 0 to 1."""
    rng = np.random.default_rng(0)
    arrays = []
    for x in _network(model).inputs:
        shape = [rows, *(size or length for size in x.shape[1:])]
        if "int" in x.dtype:
            arrays.append(rng.integers(1, 9, shape).astype(x.dtype))
        else:
            arrays.append(rng.random(shape).astype(x.dtype))
    return arrays if len(arrays) > 1 else arrays[0]


def _network(model):
    """What a user would export: the generator of images, or the model itself."""
    kinds = (*GENERATORS, CycleGAN)
    return model.generator if isinstance(model, kinds) else model


def flat(answers):
    """Every number in the answers of a model with one output or several."""
    parts = []
    for part in tf.nest.flatten(answers):
        numbers = np.asarray(part, "float64")
        parts.append(numbers.ravel())

    return np.concatenate(parts)


def formats_of_today(recipe):
    """Keras and SavedModel, and of ONNX and LiteRT one today, the other tomorrow.

    Converting all recipes to both would take half a minute of processor time more; so
    half of them become ONNX and the other half LiteRT, in turn. The converter to ONNX
    takes 220 MB, so the recipe that the quick tests run leaves it to test_exports.py.
    """
    names = [entry.name for entry in recipes()]
    is_odd = (names.index(recipe) + datetime.date.today().toordinal()) % 2
    if recipe in SOUNDS:
        return "keras", "savedmodel"
    is_quick = recipe == "mnist_mlp"
    return "keras", "savedmodel", "litert" if is_odd or is_quick else "onnx"


def check_exported(path: Path, folder: Path) -> None:
    """Asserts that a run's model.keras, its calls and its exports agree."""
    model = keras.models.load_model(path)
    assert not augmentation_in(model), f"{path} holds augmentation"
    model = _network(model)
    inputs = inputs_of(model)
    expected = flat(model.predict(inputs, verbose=0))
    assert np.isfinite(expected).all()
    assert np.abs(expected).max() > 0

    answers = {"model(x)": model(inputs), "again": model(inputs)}
    if (path.parent / "model.json").exists():
        answers |= answers_of_exports(path.parent, inputs, folder)
    else:  # the picture of a style transfer, which the command `export` refuses
        model.export(str(folder / "saved_model"), verbose=False)
        served = tf.saved_model.load(str(folder / "saved_model"))
        answers["SavedModel"] = served.serve(inputs)
    for way, answer in answers.items():
        error = np.abs(flat(answer) - expected).max() / np.abs(expected).max()
        assert error < TOLERANCE, f"{way} differs from predict by {error:.2g}"


def answers_of_exports(run_folder, inputs, folder):
    """{format: answer to the inputs}; the README of the last one is run as well."""
    run = load_run(run_folder)
    network = exported(run.model, run.description)
    arrays = inputs if isinstance(inputs, list) else [inputs]
    answers = {}
    for name in formats_of_today(run.description.recipe):
        write_export(network, name, folder / name)
        read = FORMATS[name].network(folder / name)
        answers[name] = read(**dict(zip(network.names, arrays)))
    run_readme(folder / name)
    return answers


def run_readme(folder: Path) -> str:
    """What the Python code of an export's README prints, in a process of its own.

    Its folder is the working folder, and holds picture.png and sound.wav. Our packages
    are blocked.
    """
    text = (folder / "README.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    assert code
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), "uint8")
    Image.fromarray(pixels).save(folder / "picture.png")
    tone = 9000 * np.sin(np.arange(20_000) / 5)
    wavfile.write(folder / "sound.wav", 16_000, tone.astype("int16"))
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE + code],
        capture_output=True,
        cwd=folder,
        env=environment,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
