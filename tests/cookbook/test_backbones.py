"""Backbones: what can't be had is one line at once, what can be had learns."""

import importlib
import time

import keras
import numpy as np
import pytest

from cookbook.trained import backbones
from cookbook.trained.backbones import load_backbone


def refused(capsys, *arguments):
    """The one line in which load_backbone refuses."""
    with pytest.raises(SystemExit) as stop:
        load_backbone(*arguments, (28, 28, 1), 32)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_imagenet_without_a_network_is_refused_within_seconds(
    capsys, monkeypatch, tmp_path
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(backbones, "network_answers", lambda: False)
    start = time.time()
    line = refused(capsys, "MobileNetV2", "imagenet")
    assert time.time() - start < 3
    assert "run once with a network, or give --weights FILE" in line


def test_a_failing_download_is_refused_in_one_line(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(backbones, "network_answers", lambda: True)
    module = importlib.import_module(keras.applications.MobileNetV2.__module__)

    def get_file(*_, **__):
        raise Exception("URL fetch failure\non two lines")

    monkeypatch.setattr(module.file_utils, "get_file", get_file)
    assert "URL fetch failure" in refused(capsys, "MobileNetV2", "imagenet")


def test_weights_fetched_before_need_no_network(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert not backbones._fetched("MobileNetV2")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mobilenet_v2_weights_tf_no_top.h5").touch()
    assert backbones._fetched("MobileNetV2")


def test_an_unknown_network_gets_a_suggestion(capsys):
    assert "such as MobileNetV2" in refused(capsys, "MobilNetV2", "imagenet")


def test_a_file_that_is_missing_or_of_another_kind_is_refused(capsys, tmp_path):
    missing = tmp_path / "missing.weights.h5"
    assert "which is not a file" in refused(capsys, "MobileNetV2", str(missing))
    strange = tmp_path / "strange.weights.h5"
    strange.write_text("no weights")
    assert f"--weights {strange}" in refused(capsys, "MobileNetV2", str(strange))


@pytest.mark.slow
def test_grey_images_of_any_size_fit_and_weights_come_from_the_file(tmp_path):
    network = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(32, 32, 3)
    )
    file = str(tmp_path / "own.weights.h5")
    network.save_weights(file)
    backbone = load_backbone("MobileNetV2", file, (28, 28, 1), 32)
    assert backbone.inputs[0].shape == (None, 28, 28, 1)
    for ours, saved in zip(backbone.get_weights(), network.get_weights()):
        np.testing.assert_array_equal(ours, saved)
    grey = np.arange(28 * 28).reshape(1, 28, 28, 1) % 256.0
    large = keras.ops.image.resize(grey, (32, 32))
    rgb = np.repeat(large, 3, -1) / 127.5 - 1
    np.testing.assert_allclose(
        backbone.predict(grey, verbose=0), network.predict(rgb, verbose=0), atol=1e-4
    )
