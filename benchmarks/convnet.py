"""Time and accuracy of the recipe mnist_cnn against the well-known keras-io convnet.

The convnet is written from its description (Chollet, "Simple MNIST convnet", keras.io,
2015): Conv 32 3x3, MaxPool, Conv 64 3x3, MaxPool, Flatten, Dropout 0.5, Dense 10,
Adam, batch 128, 15 epochs, a tenth of train for validation.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import keras
from keras import layers

from benchmarks.results import Results
from cookbook.data.batches import joined
from cookbook.data.images import load_images
from cookbook.training.train import seed_everything

ROOT = Path(__file__).parent.parent
EPOCHS = 15
ROW = "whole mnist_cnn against the keras-io convnet"


def keras_io_convnet(seed: int) -> float:
    """Trains the convnet as its page does, and returns its test accuracy."""
    seed_everything(seed)
    data = load_images("mnist", default="mnist", seed=seed)
    x, y = joined(data.train, data.validation)
    x = x.astype("float32") / 255
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=128, epochs=EPOCHS, validation_split=0.1, verbose=0)
    x, y = data.test
    x = x.astype("float32") / 255
    return model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]


def timed(*command: str) -> tuple[float, str]:
    """(seconds, last line of output) of a command, from its start to its end."""
    start = time.time()
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1"},
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    seconds = time.time() - start
    lines = done.stdout.strip().splitlines()
    return seconds, lines[-1]


def run_convnet(
    seeds: Sequence[int] = (0, 1, 2), results: Results | None = None
) -> None:
    """Runs the two commands in turn for each seed; prints a row each, and the means.

    results: the rows of the table, to which the ratio of the times is added.
    """
    convnet = "from benchmarks.convnet import keras_io_convnet as net; print(net({}))"
    rows = []
    print("seed             mnist_cnn    keras-io convnet  time ratio")
    for seed in seeds:
        command = "recipes/mnist_cnn.py", "--data", "mnist", "--seed", str(seed)
        our_seconds, our_line = timed(*command)
        their_seconds, their_line = timed("-c", convnet.format(seed))
        _, _, our_accuracy, *_ = our_line.split()  # test accuracy 0.9953 ...
        row = float(our_accuracy), our_seconds, float(their_line), their_seconds
        rows.append(row)
        _print_row(seed, row)
    means = [statistics.fmean(column) for column in zip(*rows)]
    _print_row("mean", means)
    if results:
        _, our_seconds, _, their_seconds = means
        row_of_table = {
            "figure": round(our_seconds / their_seconds, 3),
            "unit": "of its time",
            "at most": 0.45,
        }
        results.keep(ROW, row_of_table)


def _print_row(label: int | str, row: Sequence[float]) -> None:
    """Prints a row: accuracy and seconds of ours, then of theirs."""
    our_accuracy, our_seconds, their_accuracy, their_seconds = row
    ours = f"{our_accuracy:.2%} {our_seconds:.0f} s"
    theirs = f"{their_accuracy:.2%} {their_seconds:.0f} s"
    ratio = our_seconds / their_seconds
    print(f"{label:<6}{ours:>20}{theirs:>20}{ratio:>12.2f}", flush=True)
