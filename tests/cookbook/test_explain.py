"""Pictures that explain a network: what is drawn, and that it can be seen."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from matplotlib.image import imread

from cookbook.plots.explain import draw_grad_cam, explain_network, found_by_filters
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


@pytest.mark.parametrize("mistakes", [0, 1, 20])
def test_with_few_mistakes_right_answers_fill_the_grad_cam(
    mistakes, tmp_path, monkeypatch
):
    """A third of the columns show right answers, if there are any."""
    shown = []
    monkeypatch.setattr(
        "cookbook.plots.explain.draw_picture_table",
        lambda rows, title, run, name, labels, columns=(): shown.append(columns),
    )
    explain(network(), tmp_path, mistakes=mistakes)
    *_, columns = shown
    assert len(columns) == 8
    wrong = ["wrong" in column for column in columns]
    assert wrong == [i < min(mistakes, 8) for i in range(8)]


def test_without_convolutions_nothing_is_drawn(tmp_path):
    layers = [keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
    explain(keras.Sequential(layers), tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_rival_of_a_wrong_answer_is_the_truth_and_of_a_right_one_the_second_guess(
    tmp_path, monkeypatch
):
    asked = []

    def spy(model, layers, x, classes):
        asked.append(classes)
        return np.zeros(x.shape[:3])

    monkeypatch.setattr("cookbook.plots.explain.evidence_for", spy)
    x = array(2, 6, 6, 1, low=0, high=256, dtype="uint8")
    answers = np.array([[0, 1, 2], [0, 2, 1]])  # the most probable class is the last
    run = RunFolder(tmp_path, SimpleNamespace())
    draw_grad_cam(None, (), x, answers, np.array([0, 1]), ("a", "b", "c"), run)
    assert asked == [[2, 1], [0, 2]]


def test_a_filter_finds_what_its_convolution_computes_without_the_bias():
    model = keras.Sequential([keras.Input((5, 6, 2)), Conv2D(3, 3, padding="same")])
    model.layers[0].bias.assign([1.0, 2.0, 3.0])
    x = array(1, 5, 6, 2)
    found = found_by_filters(model, model.layers[0], x)
    expected = keras.ops.convert_to_numpy(model(x))[0] - [1.0, 2.0, 3.0]
    np.testing.assert_allclose(np.moveaxis(found, 0, -1), expected, atol=1e-5)


def test_filters_of_channels_in_groups_are_drawn_too(tmp_path):
    model = keras.Sequential(
        [keras.Input((6, 6, 4)), Conv2D(4, 3, groups=2), GlobalAveragePooling2D()]
    )
    explain(model, tmp_path, (6, 6, 4))
    assert imread(tmp_path / "filters.png").std() > 0.02


def test_maps_too_small_to_show_places_are_left_out(tmp_path, monkeypatch):
    shown = {}
    monkeypatch.setattr(
        "cookbook.plots.explain.draw_picture_table",
        lambda rows, title, run, name, labels, columns=(): shown.update({name: labels}),
    )
    model = keras.Sequential([keras.Input((8, 8, 1))])
    for strides in (1, 2, 2):
        model.add(Conv2D(4, 1, strides, activation="relu"))
    for layer in (GlobalAveragePooling2D(), Dense(3)):
        model.add(layer)
    explain(model, tmp_path, (8, 8, 1))
    assert shown["feature_maps"] == ["8 x 8", "4 x 4"]
