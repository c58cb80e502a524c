"""Small finished runs for tests, which answer as a test can foresee."""

import csv
import io

import keras
import numpy as np
import pytest

from cookbook.__main__ import main
from cookbook.config import TrainingConfig
from cookbook.data.images import Images
from cookbook.data.text.reviews import Reviews
from cookbook.data.text.words import Vocabulary
from cookbook.reports.finish import finish
from cookbook.training.run_folder import RunFolder
from custom_layers.layers import Dense, Embedding, GlobalAveragePooling1D

WORDS = ["good", "bad", "film"]
ODD_NAME = "a\x1b[31mb\nc"


def finished_run(recipe, folder, model, data):
    run = RunFolder.open(recipe, TrainingConfig(run_dir=folder))
    return finish(model, data, [], run, {"accuracy": 1.0}, {}).folder


def part(x, y):
    return {"train": (x, y), "validation": (x, y), "test": (x, y)}


def two_images(classes=("cat", ODD_NAME)):
    x, y = np.zeros((2, 4, 4, 3), "uint8"), np.array([0, 1])
    return Images(name="d", asked="d", classes=classes, **part(x, y))


def two_classifiers(folder):
    """Makes in `folder` a run of an image classifier and one of a text classifier.

    The first answers the second class for bright images, the other counts good words.
    """
    layers = [
        keras.Input((4, 4, 3)),
        keras.layers.RandomFlip(),
        keras.layers.Flatten(),
        Dense(2, kernel_initializer="zeros"),
    ]
    model = keras.Sequential(layers)
    model.layers[-1].kernel.assign(np.tile([[-0.001, 0.001]], (48, 1)))
    model.layers[-1].bias.assign([5, -5])
    finished_run("pictures", folder, model, two_images())

    ids = keras.Input((None,), dtype="int32")
    is_word = keras.ops.not_equal(ids, 0)
    mean = GlobalAveragePooling1D()(Embedding(5, 2)(ids), mask=is_word)
    model = keras.Model(ids, mean)
    model.set_weights([np.array([[0, 0], [0, 0], [-1, 1], [1, -1], [0, 0]]) * 9.0])
    x, y = np.ones((2, 30), "int32"), np.array([0, 1])
    data = Reviews(
        name="d",
        asked="d",
        classes=("neg", "pos"),
        vocabulary=Vocabulary(WORDS),
        test_texts=[],
        **part(x, y),
    )
    finished_run("texts", folder, model, data)


def run_command(monkeypatch, capsys, folder, *words, status=0):
    """What `python -m cookbook` prints to stdout and stderr, with runs in `folder`."""
    words = ["cookbook", *map(str, words), "--run-dir", str(folder)]
    monkeypatch.setattr("sys.argv", words)
    if status:
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == status
    else:
        main()
    return capsys.readouterr()


def predicted(monkeypatch, capsys, folder, *words, status=0):
    """(rows of CSV, what stderr got) of the command predict."""
    words = "predict", *words
    out, err = run_command(monkeypatch, capsys, folder, *words, status=status)
    return list(csv.DictReader(io.StringIO(out))), err
