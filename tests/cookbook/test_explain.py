"""Pictures that explain a network: what is drawn, and that it can be seen."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from matplotlib.image import imread

from cookbook.plots.explain import explain_network
from cookbook.training.run_folder import RunFolder
from custom_layers.explanation import grad_cam
from custom_layers.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ReLU,
)
from oracle import array

PICTURES = ("filters.png", "feature_maps.png", "grad_cam.png")


def network(shape=(6, 6, 1), classes=3, trainable=True):
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Rescaling(1.0),
            Conv2D(4, 1, use_bias=False, trainable=trainable),
            GlobalAveragePooling2D(),
            keras.layers.Dense(classes, use_bias=False, trainable=trainable),
        ]
    )


def explain(model, folder, shape=(6, 6, 1), mistakes=3):
    x, y = array(20, *shape, low=0, high=256, dtype="uint8"), np.arange(20) % 3
    probabilities = np.eye(3)[y]
    probabilities[:mistakes] = np.eye(3)[(y[:mistakes] + 1) % 3]
    run = RunFolder(folder, SimpleNamespace())
    explain_network(model, x, y, probabilities, ("zero", "one", "two"), run)


def test_a_convolution_whose_result_is_normalized_is_no_feature_map(
    tmp_path, monkeypatch
):
    """Grad-CAM multiplies by the maps: where their zero lies must mean something."""
    model = keras.Sequential([keras.Input((9, 9, 1))])
    for strides in (1, 3):
        model.add(Conv2D(4, 1, strides, use_bias=False))
        model.add(BatchNormalization())
        model.add(ReLU())
    model.add(Conv2D(4, 1, use_bias=False))  # 3, 3, the last stage's beginning
    for layer in (MaxPooling2D(3), GlobalAveragePooling2D(), Dense(3)):
        model.add(layer)
    seen = []

    def spy(model, layer, x, classes):
        seen.append(layer)
        return grad_cam(model, layer, x, classes)

    monkeypatch.setattr("cookbook.plots.explain.grad_cam", spy)
    explain(model, tmp_path, (9, 9, 1))
    assert [type(layer) for layer in seen] == [ReLU, ReLU]
    assert seen[0].output.shape[1:3] == (3, 3)


@pytest.mark.parametrize("shape", [(6, 6, 1), (9, 7, 3), (3, 3, 2)])
def test_a_convolutional_network_of_any_shape_is_drawn(shape, tmp_path):
    explain(network(shape), tmp_path, shape)
    for name in PICTURES:
        assert imread(tmp_path / name).std() > 0.02


def test_layers_that_two_models_share_are_drawn_and_left_as_they_are(tmp_path):
    model = keras.Sequential([keras.Input((6, 6, 1)), *network().layers])
    before = model.get_weights()
    explain(model, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(PICTURES)
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_without_a_mistake_there_is_no_grad_cam(tmp_path):
    explain(network(), tmp_path, mistakes=0)
    assert {path.name for path in tmp_path.iterdir()} == set(PICTURES[:2])


def test_without_convolutions_nothing_is_drawn(tmp_path):
    layers = [keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    explain(keras.Sequential(layers), tmp_path)
    assert not list(tmp_path.iterdir())
