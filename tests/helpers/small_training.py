"""A training and a search that take a second, for the tests of what surrounds them."""

import csv
import dataclasses
import json

import keras

from cookbook.config import Count, Rate, TrainingConfig
from cookbook.training.train import seed_everything
from oracle import array


@dataclasses.dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 4  # passes
    batch_size: Count = 8  # examples a step


@dataclasses.dataclass(frozen=True)
class Data:
    train: tuple
    validation: tuple


def data():
    x, y = array(50, 6), array(50, low=0, high=3, dtype="int64")
    return Data((x[:40], y[:40]), (x[40:], y[40:]))


def model(learning_rate=0.01):
    """With dropout and batch normalization: their state must be resumed too."""
    seed_everything(3)
    net = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(learning_rate)
    net.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    return net


def without_times(rows):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]


@dataclasses.dataclass(frozen=True)
class SearchConfig(TrainingConfig):
    epochs: Count = 2  # passes
    units: Count = 4  # hidden units
    learning_rate: Rate = 0.01  # step size
    batch_size: Count = 8  # examples a step


def space(hp):
    return SearchConfig(
        units=hp.Choice("units", [2, 4, 8, 16]),
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-1, sampling="log"),
    )


def build(config, data):
    net = keras.Sequential(
        [
            keras.Input(data.train[0].shape[1:]),
            keras.layers.Dense(config.units, activation="relu"),
            keras.layers.Dense(3),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(config.learning_rate)
    net.compile(optimizer, loss, metrics=["accuracy"], run_eagerly=True)
    return net


def table(run):
    """The rows of a search's table."""
    with (run.path / "tuning.csv").open() as file:
        return list(csv.DictReader(file))


def entries(run):
    """The content of the files in trials/."""
    files = sorted((run.path / "trials").iterdir())
    return [json.loads(file.read_text()) for file in files]
