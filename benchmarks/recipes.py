"""mnist_cnn against the well-known keras-io convnet: seconds and accuracy of each.

The convnet is written from its description (Chollet, "Simple MNIST convnet", keras.io,
2015): Conv 32 3x3, MaxPool, Conv 64 3x3, MaxPool, Flatten, Dropout 0.5, Dense 10,
Adam, batch 128, 15 epochs, a tenth of train for validation.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np

from cookbook.data.images import load_images
from cookbook.training.train import seed_everything

ROOT = Path(__file__).parent.parent
EPOCHS = 15


def keras_io_convnet(seed):
    """Trains the convnet as its page does and returns its test accuracy."""
    seed_everything(seed)
    data = load_images("mnist", default="mnist", seed=seed)
    x, y = (np.concatenate(parts) for parts in zip(data.train, data.validation))
    x = x.astype("float32") / 255
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=128, epochs=EPOCHS, validation_split=0.1, verbose=0)
    x, y = data.test
    x = x.astype("float32") / 255
    return model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]


def timed(*command):
    """(seconds, last line of output) of a whole command."""
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
    return time.time() - start, done.stdout.strip().splitlines()[-1]


def run(seeds=(0, 1, 2)):
    """Prints a row per seed, the two commands in turn, and the means."""
    convnet = "from benchmarks.recipes import keras_io_convnet as net; print(net({}))"
    rows = []
    print(f"{'seed':<6}{'mnist_cnn':>20}{'keras-io convnet':>20}{'time ratio':>12}")
    for seed in seeds:
        ours = timed("recipes/mnist_cnn.py", "--data", "mnist", "--seed", str(seed))
        theirs = timed("-c", convnet.format(seed))
        row = (
            float(ours[1].split()[2]),
            ours[0],
            float(theirs[1]),
            theirs[0],
        )
        rows.append(row)
        _print_row(seed, row)
    _print_row("mean", [sum(column) / len(rows) for column in zip(*rows)])


def _print_row(label, row):
    ours, our_seconds, theirs, their_seconds = row
    print(
        f"{label:<6}{f'{ours:.2%} {our_seconds:.0f} s':>20}"
        f"{f'{theirs:.2%} {their_seconds:.0f} s':>20}"
        f"{our_seconds / their_seconds:>12.2f}",
        flush=True,
    )
