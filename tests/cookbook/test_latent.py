"""What the reports on autoencoders and on embeddings measure."""

import dataclasses

import keras
import numpy as np
import pytest

from cookbook.data.images import Images
from cookbook.plain.parts.latent import losses
from cookbook.reports.latent.autoencoder import binarized, independent_pixels
from cookbook.reports.latent.metric_learning import (
    as_vectors,
    best_threshold,
    classifier,
    cosines_of_pairs,
    in_pairs,
    one_shot,
    verification,
    with_turned,
)
from recipes import mnist_metric_learning

LABELS = np.array([0, 1, 2, 0, 1, 2, 0, 1, 0])  # 4, 3 and 2 images


def striped(per_class=1):
    """Images whose row of light tells the class; the rest is grey noise."""
    rng = np.random.default_rng(0)

    def part():
        y = np.tile(LABELS, per_class)
        x = rng.integers(0, 40, (len(y), 4, 4, 1))
        x[np.arange(len(y)), y] += 200
        return x.astype("uint8"), y

    parts = {name: part() for name in ("train", "validation", "test")}
    return Images(name="stripes", asked="stripes", classes=("a", "b", "c"), **parts)


def test_test_pixels_are_drawn_once_with_the_chance_that_grey_tells():
    data = striped(200)
    first, again = binarized(data), binarized(data)
    for name in ("validation", "test"):
        x, y = getattr(first, name)
        np.testing.assert_array_equal(x, getattr(again, name)[0])
        np.testing.assert_array_equal(y, getattr(data, name)[1])
        assert set(np.unique(x)) == {-1, 1}
        grey = getattr(data, name)[0] / 255
        assert abs(np.mean((x + 1) / 2 - grey)) < 3 * 0.5 / np.sqrt(x.size)
    different = first.test[0] != first.validation[0]
    assert different.any()
    assert len(np.unique(first.train[0])) > 50  # still grey


def test_black_and_white_pixels_stay_what_they_are():
    data = striped()
    x = np.where(np.arange(16) % 3, 255, 0).reshape(1, 4, 4, 1).astype("uint8")
    parts = {name: (x, np.zeros(1, int)) for name in ("train", "validation", "test")}
    data = Images(name="n", asked="n", classes=data.classes, **parts)
    np.testing.assert_array_equal(binarized(data).test[0], x / 127.5 - 1)


def test_the_likelihood_of_independent_pixels_is_that_of_their_means():
    train = np.array([[1, 1, -1], [1, -1, -1], [1, 0, -1]]).reshape(3, 1, 3, 1)
    test = np.array([[1, -1, 1]]).reshape(1, 1, 3, 1)
    chance = np.array([4 / 5, 2.5 / 5, 1 / 5])
    expected = np.log(chance[0]) + np.log(1 - chance[1]) + np.log(chance[2])
    assert independent_pixels(train, test) == pytest.approx(expected)


def test_each_image_is_in_one_pair_of_its_class():
    data = striped(3)
    pairs, labels = in_pairs(data).train
    assert pairs.shape == (13, 2, 4, 4, 1)  # of 12, 9 and 6 images
    rows = pairs.reshape(26, -1)
    assert len(np.unique(rows, axis=0)) == 26
    brightest = pairs.astype(int).sum((3, 4)).argmax(-1)
    np.testing.assert_array_equal(brightest, np.stack([labels, labels], 1))


def test_turned_images_are_classes_of_their_own():
    data = with_turned(striped())
    assert len(data.classes) == 12
    x, y = data.train
    assert len(x) == 4 * len(LABELS)
    np.testing.assert_array_equal(np.unique(y), np.arange(12))
    once, twice = (x[y // 3 == turns] for turns in (1, 2))
    np.testing.assert_array_equal(once, np.rot90(x[y < 3], 1, (1, 2)))
    np.testing.assert_array_equal(twice, x[y < 3][:, ::-1, ::-1])
    assert len(data.test[0]) == len(LABELS)
    oblong = dataclasses.replace(striped(), train=(x[:9, :2], LABELS))
    oblong = dataclasses.replace(oblong, validation=oblong.train)
    assert with_turned(oblong).train[0].shape == (18, 2, 4, 1)


def test_the_threshold_is_right_most_often():
    cosines = np.array([0.9, -0.5, 0.2, 0.4, 0.8])
    is_same = np.array([True, False, False, True, True])
    assert best_threshold(cosines, is_same) == pytest.approx(0.3)
    mixed = np.array([True, True, False, False, True])
    right = np.mean((cosines > best_threshold(cosines, mixed)) == mixed)
    assert right == 0.8  # nothing finds the pair whose cosine is -0.5
    assert best_threshold(cosines, np.ones(5, bool)) < -0.5
    assert best_threshold(cosines, np.zeros(5, bool)) > 0.9


def test_half_of_the_pairs_show_one_class_and_none_an_image_twice():
    x, y = striped(2).test
    cosines, is_same, rows = cosines_of_pairs(as_vectors, x, y, seed=0)
    assert is_same.mean() == 0.5
    assert (rows[:, 0] != rows[:, 1]).all()
    np.testing.assert_array_equal(y[rows[:, 0]] == y[rows[:, 1]], is_same)
    z = as_vectors(x)
    expected = [z[a] @ z[b] for a, b in rows]
    np.testing.assert_allclose(cosines, expected, rtol=1e-5)


def test_images_that_differ_by_class_are_verified_and_recognized():
    data = striped(5)
    assert verification(as_vectors, data)["accuracy"] == 1
    assert one_shot(as_vectors, data).min() == 1


def test_images_without_a_class_are_recognized_by_chance():
    data = striped(50)
    noise = np.random.default_rng(1)
    mean = one_shot(lambda x: noise.normal(size=(len(x), 8)), data).mean()
    assert abs(mean - 1 / 3) < 0.05


def test_the_logits_of_the_classifier_are_cosines_with_the_means():
    data = striped(2)
    flat = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Flatten(),
            keras.layers.UnitNormalization(),
        ]
    )
    logits = classifier(flat, data).predict(data.test[0], verbose=0)
    z, y = as_vectors(data.train[0]), data.train[1]
    means = np.stack([z[y == label].mean(0) for label in range(3)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(logits, 10 * as_vectors(data.test[0]) @ means.T, 1e-4)


LABELS_OF_PAIRS = np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0])


def pairs_near(spread, seed=0):
    """Pairs of vectors of length 1: each class's axis with noise of that size."""
    noise = np.random.default_rng(seed).normal(size=(6, 2, 4))
    axes = np.eye(4)[LABELS_OF_PAIRS.astype(int)][:, None]
    z = axes + spread * noise
    return (z / np.linalg.norm(z, axis=-1, keepdims=True)).astype("float32")


@pytest.mark.parametrize("name", mnist_metric_learning.LOSSES)
def test_every_loss_falls_as_classes_part(name):
    loss = mnist_metric_learning.distance_loss(name)
    costs = [
        np.mean([loss(LABELS_OF_PAIRS, pairs_near(s, seed)) for seed in range(5)])
        for s in (3.0, 0.5, 0.1)
    ]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > costs[2]


def test_accuracy_in_training_counts_the_nearest_of_the_other_pairs():
    accuracy = mnist_metric_learning.accuracy
    assert np.mean(accuracy(LABELS_OF_PAIRS, pairs_near(0.1))) == 1
    alone = np.arange(6.0)  # no other pair has the label
    assert np.mean(accuracy(alone, pairs_near(0.1))) == 0


@pytest.mark.parametrize("name", mnist_metric_learning.LOSSES)
def test_the_short_losses_of_plain_scripts_are_ours(name):
    arguments = {
        "contrastive": {"margin": 1.0},
        "triplet": {"margin": 0.5, "distance_metric": "squared-L2"},
        "n_pairs": {},
        "circle": {"gamma": 64, "margin": 0.25},
        "info_nce": {"temperature": 0.1},
    }[name]
    ours = mnist_metric_learning.LOSSES[name]
    short = getattr(losses, type(ours).__name__)(**arguments)
    z = pairs_near(1.0)
    inputs = {
        "contrastive": (LABELS_OF_PAIRS > 0, 1 + z[:, 0, 0]),
        "info_nce": (LABELS_OF_PAIRS, z),
        "n_pairs": (LABELS_OF_PAIRS, z[:, 0] @ z[:, 1].T),
    }.get(name, (LABELS_OF_PAIRS, z[:, 0]))
    inputs = [np.asarray(part, "float32") for part in inputs]
    assert float(short(*inputs)) == pytest.approx(float(ours(*inputs)), rel=1e-5)
