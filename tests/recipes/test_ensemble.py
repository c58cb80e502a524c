"""mnist_cnn --ensemble: several networks answer together, and survive a kill."""

import json

import keras
import numpy as np
import pytest

from answering import check_answers
from cookbook.command_line import parse
from exported import check_exported
from recipes import mnist_cnn

pytestmark = pytest.mark.slow  # networks are trained


def run(folder, *flags):
    keras.backend.clear_session(free_memory=False)
    words = ["--quick", "--epochs", "1", "--ensemble", "3", "--run-dir", str(folder)]
    return mnist_cnn.main(parse(mnist_cnn.Config, [*words, *flags]))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return run(tmp_path_factory.mktemp("runs"))


def members(model):
    return [layer for layer in model.layers if isinstance(layer, keras.Sequential)]


def test_its_probabilities_are_the_mean_of_those_of_different_networks(trained):
    x = np.random.default_rng(0).integers(0, 256, (20, 28, 28, 1)).astype("float32")

    def probabilities(model):
        return np.array(keras.ops.softmax(model.predict(x, verbose=0), axis=-1))

    each = np.array([probabilities(network) for network in members(trained.model)])
    assert len(each) == 3
    assert np.ptp(each, axis=0).max() > 0.01
    np.testing.assert_allclose(
        probabilities(trained.model), each.mean(axis=0), atol=1e-5
    )


def test_its_saved_model_answers_and_is_exported(trained, tmp_path):
    check_answers(trained.folder)
    check_exported(trained.folder / "model.keras", tmp_path)


def test_other_seeds_share_no_network(trained, tmp_path):
    other = run(tmp_path, "--seed", "1")
    first, second = (
        {float(np.abs(network.get_weights()[0]).sum()) for network in members(model)}
        for model in (trained.model, other.model)
    )
    assert len(first | second) == 6


class Killed(Exception):
    """What stands for a kill inside one process."""


def test_killed_in_its_second_network_it_ends_with_the_same_bits(
    trained, tmp_path, monkeypatch
):
    weights = json.loads((trained.folder / "metrics.json").read_text())["weights"]
    networks = []

    def build(config, data):
        networks.append(config.seed)
        return plain_build(config, data)

    def kill():
        if len(networks) == 2:
            raise Killed

    plain_build = mnist_cnn.build
    monkeypatch.setattr(mnist_cnn, "build", build)
    monkeypatch.setattr("cookbook.training.train.count_step", kill)
    with pytest.raises(Killed):
        run(tmp_path)
    monkeypatch.undo()
    resumed = run(tmp_path, "--resume")
    metrics = json.loads((resumed.folder / "metrics.json").read_text())
    assert metrics["weights"] == weights
