"""Transfer: frozen features stay as they were, backbones come from a file."""

import json

import keras
import pytest

from cookbook.command_line import parse
from recipes import mnist_transfer

pytestmark = (
    pytest.mark.slow
)  # trains the recipe, and on a network of keras.applications


def run(folder, *arguments):
    """(metrics, run folder) of the recipe with --quick."""
    flags = ["--quick", "--run-dir", str(folder), *arguments]
    mnist_transfer.main(parse(mnist_transfer.Config, flags))
    (path,) = folder.glob("mnist_transfer/*/")
    return json.loads((path / "metrics.json").read_text()), path


def test_transfer_leaves_the_frozen_features_as_they_were(tmp_path, monkeypatch):
    learned = []

    def learn(config, data):
        features = original(config, data)
        learned.append((features, features.get_weights()))
        return features

    original = mnist_transfer.learn_features
    monkeypatch.setattr(mnist_transfer, "learn_features", learn)
    _, path = run(tmp_path, "--epochs", "2", "--first-epochs", "1")
    ((features, before),) = learned
    for old, new in zip(before, features.get_weights()):
        assert (old == new).all()
    saved = keras.models.load_model(path / "model.keras")
    assert len(saved.trainable_variables) == 8  # two blocks of three, kernel, bias
    assert saved.output_shape == (None, 5)


def test_transfer_from_a_backbone_with_a_file_of_weights(tmp_path):
    file = str(tmp_path / "own.weights.h5")
    shape = (32, 32, 3)
    keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=shape
    ).save_weights(file)
    metrics, path = run(
        tmp_path,
        *("--backbone", "MobileNetV2", "--weights", file),
        *("--side", "32", "--epochs", "1"),
    )
    assert metrics["data"] == "digits"
    assert keras.models.load_model(path / "model.keras").output_shape == (None, 10)
