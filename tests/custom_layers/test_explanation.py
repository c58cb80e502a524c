"""Explanations: Grad-CAM and the influence of words where the answer is known."""

import keras
import numpy as np
import pytest

from custom_layers.explanation import grad_cam, influence
from numpy_formulas import (
    CHECKS,
    Bag,
    heat_of_small_network,
    influence_in_a_bag,
    small_network,
)
from oracle import array, components


@pytest.mark.parametrize("name", ["grad_cam", "influence"])
def test_is_the_formula(name):
    assert CHECKS[name](components()[name]) < 1e-4


@pytest.mark.parametrize("trainable", [True, False])
def test_grad_cam_is_its_formula_where_the_gradient_is_known_by_hand(trainable):
    model = small_network(trainable)
    x, classes = array(5, 5, 6, 2), np.array([0, 1, 2, 0, 1])
    heat = heat_of_small_network(model, x, classes)
    assert heat.max() > 0.001
    found = grad_cam(model, model.layers[0], x, classes)
    np.testing.assert_allclose(found, heat, rtol=1e-4, atol=1e-7)


def test_grad_cam_is_brightest_where_the_evidence_lies():
    model = small_network()
    model.set_weights([np.ones((1, 1, 2, 4)), np.eye(4, 3)])
    x = np.zeros((1, 5, 6, 2), "uint8")
    x[0, 4, 1] = 255
    heat = grad_cam(model, model.layers[0], x, [1])
    assert np.unravel_index(heat.argmax(), heat.shape) == (0, 4, 1)


def test_grad_cam_shows_no_place_that_speaks_against_the_class():
    model = small_network()
    model.set_weights([np.ones((1, 1, 2, 4)), -np.eye(4, 3)])
    heat = grad_cam(model, model.layers[0], np.ones((1, 5, 6, 2)), [0])
    assert np.all(heat == 0)


def test_grad_cam_takes_a_layer_that_a_shortcut_leads_around():
    """logits = mean(A + x), A = 2 x: of A alone the slope is 1 / places."""
    inputs = keras.Input((2, 2, 1))
    double = keras.layers.Rescaling(2.0)
    double_of = double(inputs)
    y = keras.layers.Add()([double_of, inputs])
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(y))
    x = np.array([[[[1.0], [0.0]], [[4.0], [8.0]]]])
    heat = grad_cam(model, double, x, [0])
    np.testing.assert_allclose(heat, 2 * x[..., 0] / 4)


def test_grad_cam_leaves_the_model_as_it_is():
    model = small_network()
    layers, before = list(model.layers), model.get_weights()
    grad_cam(model, model.layers[0], array(1, 5, 6, 2), [0])
    assert model.layers == layers
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


def test_in_a_sum_over_words_the_influence_is_each_words_summand():
    scores = np.zeros((5, 2))
    scores[:, 1] = [0, 0, 1.5, -2.0, 0.25]
    found = influence(Bag(scores), np.array([2, 3, 1, 4]), label=1, unknown=1)
    np.testing.assert_allclose(found, [1.5, -2, 0, 0.25], atol=1e-6)
    found = influence(Bag(scores), np.array([2, 3]), label=0, unknown=1)
    np.testing.assert_allclose(found, [-1.5, 2], atol=1e-6)


def test_the_influence_is_finite_where_the_model_is_certain():
    scores = np.zeros((3, 2))
    scores[2] = [0.0, 1e4]
    found = influence(Bag(scores), [2, 2, 0], label=1, unknown=1)
    assert np.all(np.isfinite(found))
    assert found[2] == 0


def test_the_odds_are_against_all_other_classes_together():
    scores, ids = array(5, 4, seed=1), [3, 4, 2]
    found = influence(Bag(scores), ids, label=2, unknown=1)
    wanted = influence_in_a_bag(scores.astype("float64"), ids, 2, 1)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_the_influence_refuses_a_batch_of_texts():
    with pytest.raises(ValueError, match=r"the words of one text.*shape=\(1, 2\)"):
        influence(Bag(np.zeros((3, 2))), [[1, 2]], label=0, unknown=1)
