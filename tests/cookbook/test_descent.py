"""Descent against NumPy; networks trained at once against the same ones alone."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from cookbook.lab.descent import descend, minimize
from cookbook.lab.digits import mislabel, shuffled, small_digits
from cookbook.lab.networks import Networks
from custom_layers.optimizers import SGD, Adam
from custom_layers.optimizers.schedules import CosineDecay

# TensorFlow computes the same bits; others group operations by the sizes of arrays.
RTOL = 1e-7 if keras.backend.backend() == "tensorflow" else 1e-5


def test_descent_follows_the_gradient_and_keeps_what_was_before_each_step():
    w = keras.Variable([4.0, -2.0])
    path = descend(SGD(0.25), [w], lambda i: w * w, 3, keep=lambda: w.value)
    np.testing.assert_allclose(path, [[4, -2], [2, -1], [1, -0.5]])
    np.testing.assert_allclose(w, [0.5, -0.25])
    w.assign([1.0, 1.0])
    losses = descend(SGD(1.0), [w], lambda i: w * keras.ops.cast(i, "float32"), 3)
    np.testing.assert_allclose(losses, [[0, 0], [1, 1], [0, 0]])  # w: 1, 1, 0


def test_the_least_is_found_for_several_functions_at_once():
    aims = np.array([[1.0], [-2.0]], "float32")
    start = np.zeros((2, 1)), np.ones((2, 1))

    def loss(a, b):
        return keras.ops.sum((a - aims) ** 2 + 9 * (b - 2 * aims) ** 2, -1)

    a, b = minimize(Adam(CosineDecay(0.1, 500)), start, loss, 500)
    np.testing.assert_allclose(a, aims, atol=1e-3)
    np.testing.assert_allclose(b, 2 * aims, atol=1e-3)


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_networks_learn_at_once_what_each_learns_alone(optimizer):
    (x, y), *_ = small_digits()
    rows = shuffled(len(x), 64, 5, seed=1)
    together = Networks(optimizer, [0.1, 0.01], (64, 8, 10), copies=2, seed=3)
    before, _ = together.evaluate(x, y)
    losses = together.train(x, y, rows)
    assert losses.shape == (5, 2, 2)
    for k, rate in enumerate((0.1, 0.01)):
        alone = Networks(optimizer, [rate], (64, 8, 10), copies=2, seed=3)
        expected = alone.train(x, y, rows)[..., 0]
        np.testing.assert_allclose(expected, losses[..., k], RTOL)
    loss, accuracy = together.evaluate(x, y)
    assert loss.shape == accuracy.shape == (2, 2)
    assert (loss < before).all()


def test_watched_figures_are_those_of_networks_trained_that_far():
    parts = small_digits()
    rows = shuffled(len(parts[0][0]), 64, 3)
    watched = Networks(SGD, [0.1, 1.0], (64, 8, 10), copies=2)
    figures = watched.train(*parts[0], rows, watch=parts[1:])
    assert figures.shape == (3, 2, 2, 2, 2)
    for steps in (0, 2):
        trained = Networks(SGD, [0.1, 1.0], (64, 8, 10), copies=2)
        if steps:
            trained.train(*parts[0], rows[:steps])
        for part, figure in zip(parts[1:], figures[steps]):
            np.testing.assert_allclose(figure, trained.evaluate(*part), rtol=1e-5)


def test_a_network_starts_with_the_loss_of_numpy():
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    y = np.array([0, 1, 1, 0, 1, 1])
    networks = Networks(SGD, [0.1], (3, 4, 2))
    W1, _, W2, _ = (np.array(w)[0] for w in networks.weights)
    z = np.maximum(x @ W1, 0) @ W2
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    loss, accuracy = networks.evaluate(x, y)
    np.testing.assert_allclose(loss, [[-np.log(p[range(6), y]).mean()]], rtol=1e-5)
    np.testing.assert_allclose(accuracy, [[np.mean(z.argmax(1) == y)]])


def test_shuffled_rows_take_every_example_once_a_pass():
    rows = shuffled(10, 4, 5, seed=0)
    assert rows.shape == (5, 4)
    assert sorted(rows.ravel()[:10]) == sorted(rows.ravel()[10:]) == list(range(10))


def test_wrong_labels_are_wrong_and_as_many_as_asked_for():
    y = np.arange(1000) % 10
    wrong = mislabel(y, 0.3, np.random.default_rng(0)) != y
    assert 0.25 < wrong.mean() < 0.35
    assert (mislabel(y, 1.0, np.random.default_rng(0)) != y).all()
    np.testing.assert_array_equal(mislabel(y, 0.0, np.random.default_rng(0)), y)


def test_small_digits_are_scikit_learns():
    small = np.concatenate([x for x, _ in small_digits()])
    found, own = np.round(small * 16), load_digits().data
    np.testing.assert_array_equal(found[np.lexsort(found.T)], own[np.lexsort(own.T)])
