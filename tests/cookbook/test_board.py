"""TensorBoard logs: what was asked for is in them, and they change no result."""

import dataclasses

import keras
import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from small_training import Config, Data, build, data, space


def tags(folder):
    """{kind: names} of all events in a folder and those below it."""
    found = {}
    for path in {file.parent for file in folder.rglob("events.out*")}:
        events = EventAccumulator(str(path))
        events.Reload()
        for kind, names in events.Tags().items():
            if isinstance(names, list):
                found.setdefault(kind, set()).update(names)
        plugins = events.summary_metadata.values()
        found.setdefault("plugins", set()).update(
            metadata.plugin_data.plugin_name for metadata in plugins
        )
    return found


def pictures():
    x = np.random.default_rng(0).integers(0, 255, (16, 4, 4, 1), dtype="uint8")
    return Data((x, np.arange(16) % 3), (x[:4], np.arange(4) % 3))


def fitted(config, run=None):
    seed_everything(0)
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], run_eagerly=True)
    rows = train(model, pictures(), config, run)
    return rows, model.get_weights()


def test_logs_hold_scalars_histograms_samples_and_settings(tmp_path):
    config = Config(run_dir=tmp_path, epochs=2, tensorboard=True)
    run = RunFolder.open("r", config)
    _, weights = fitted(config, run)
    found = tags(run.path / "tensorboard")
    assert found["plugins"] >= {"scalars", "histograms", "images", "hparams"}
    everything = set().union(*found.values())
    for name in ("epoch_loss", "epoch_accuracy", "dense/kernel", "training images"):
        assert any(name in tag for tag in everything), name
    _, plain = fitted(dataclasses.replace(config, tensorboard=False))
    for ours, expected in zip(weights, plain):
        np.testing.assert_array_equal(ours, expected)


def test_a_search_is_a_table_of_settings_and_scores(tmp_path):
    config = dataclasses.replace(
        space_defaults(), run_dir=tmp_path, tune=2, epochs=1, tensorboard=True
    )
    run = RunFolder.open("r", config)
    search(space, build, data(), config, run)
    trials = sorted((run.path / "tensorboard").glob("trial_*"))
    assert len(trials) == 2
    assert tags(trials[0])["plugins"] >= {"hparams", "scalars"}


def space_defaults():
    import keras_tuner

    return space(keras_tuner.HyperParameters())
