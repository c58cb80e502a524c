"""Tuning: the answer is the best Config, and the same search gives it again."""

import csv
import dataclasses

import keras
from test_training import data

from cookbook.cli import Count, Rate, Run
from cookbook.run_folder import RunFolder
from cookbook.tuning import search


@dataclasses.dataclass(frozen=True)
class Config(Run):
    epochs: Count = 2  # passes
    units: Count = 4  # hidden units
    learning_rate: Rate = 0.01  # step size
    batch_size: Count = 8  # examples a step


def space(hp):
    return Config(
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
    net.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    return net


def table(run):
    with (run.path / "tuning.csv").open() as file:
        return list(csv.DictReader(file))


def test_search_returns_the_best_row_and_keeps_the_other_settings(tmp_path):
    config = Config(run_dir=tmp_path, tune=4, epochs=3)
    run = RunFolder.open("r", config)
    best = search(space, build, data(), config, run)
    rows = table(run)
    assert len(rows) == 4
    scores = [float(row["val_accuracy"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert best.units == int(rows[0]["units"])
    assert best.learning_rate == float(rows[0]["learning_rate"])
    assert (best.epochs, best.run_dir, best.tune) == (3, tmp_path, 4)


def test_the_same_search_twice_gives_the_same_table(tmp_path):
    """With seed 0 too, which keras-tuner itself takes for no seed."""
    config = Config(run_dir=tmp_path, tune=3)
    tables = []
    for name in ("first", "second"):
        run = RunFolder.open(name, config)
        search(space, build, data(), config, run)
        tables.append(table(run))
    assert tables[0] == tables[1]


def test_of_a_loss_the_smallest_is_best(tmp_path):
    config = Config(run_dir=tmp_path, tune=3)
    run = RunFolder.open("r", config)
    best = search(space, build, data(), config, run, score="val_loss")
    losses = [float(row["val_loss"]) for row in table(run)]
    assert losses == sorted(losses)
    assert best.learning_rate == float(table(run)[0]["learning_rate"])
