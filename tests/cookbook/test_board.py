"""TensorBoard logs: what was asked for is in them, and they change no result."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from small_training import Config, Data, build, data, entries, space


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


def test_a_search_logs_settings_score_and_curves_of_each_trial(tmp_path):
    config = dataclasses.replace(
        space_defaults(), run_dir=tmp_path, tune=2, epochs=3, tensorboard=True
    )
    run = RunFolder.open("r", config)
    search(space, build, data(), config, run)
    folders = sorted((run.path / "tensorboard").glob("trial_*"))
    assert [folder.name for folder in folders] == ["trial_0", "trial_1", "trial_2"]
    for folder, trial in zip(folders, entries(run)):
        assert tags(folder)["plugins"] == {"hparams", "scalars"}
        assert logged(folder, "val_accuracy") == pytest.approx([trial["score"]])
        curve = logged(folder / "validation", "epoch_accuracy")
        assert curve == pytest.approx(trial["scores"])
        assert len(logged(folder / "train", "epoch_loss")) == 3


def logged(folder, tag):
    """The numbers of a tag, in the order of their steps."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return [tf.make_ndarray(event.tensor_proto).item() for event in events.Tensors(tag)]


def space_defaults():
    import keras_tuner

    return space(keras_tuner.HyperParameters())
