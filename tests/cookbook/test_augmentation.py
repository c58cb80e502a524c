"""Augmentation: few images again and again, a share of them replaced, gains told."""

import dataclasses

import numpy as np
import pytest

from cookbook.data.images import load_images
from cookbook.reports.generated import augmentation
from cookbook.reports.generated.augmentation import (
    draw_curve,
    repeated,
    summary,
    with_generated,
)


class Painter:
    """Stands in for a conditional GAN: paints an image in the number of its class."""

    def sample(self, count, labels, seed=None):
        return labels[:, None, None, None] * np.ones((count, 28, 28, 1))


def few(count):
    data = load_images("digits", "mnist").few(count)
    x, y = data.train
    return dataclasses.replace(data, train=(x.astype("float32") - 300, y))


def test_each_of_the_few_comes_as_often_as_any_other():
    data = few(3)
    x, y = repeated(data, 75).train
    assert len(x) == 75
    np.testing.assert_array_equal(x[30:60], data.train[0])
    counts = np.unique(x, axis=0, return_counts=True)[1]
    assert set(counts) == {2, 3}
    np.testing.assert_array_equal(np.bincount(y[:60]), 6)


@pytest.mark.parametrize("share", [0, 0.3, 1])
def test_generated_images_replace_real_ones_of_the_same_class(share):
    data = few(4)
    mixed = with_generated(data, Painter(), share, seed=0)
    (x, y), (real, labels) = mixed.train, data.train
    np.testing.assert_array_equal(y, labels)
    is_new = x[:, 0, 0, 0] >= 0  # the real ones are below 0
    assert is_new.sum() == round(share * len(y))
    np.testing.assert_array_equal(x[is_new, 5, 5, 0], y[is_new])
    np.testing.assert_array_equal(x[~is_new], real[~is_new])
    assert (data.train[0] < 0).all(), "the few themselves stay real"


def test_a_gain_is_that_of_each_repetition_with_its_standard_error():
    found = summary({"real": [0.8, 0.9, 0.7], "new": [0.79, 0.91, 0.67]}, "real", "new")
    assert next(iter(found.values())) == pytest.approx((0.79 + 0.91 + 0.67) / 3)
    gains = [-0.01, 0.01, -0.03]
    assert found["gain by generated images"] == pytest.approx(np.mean(gains))
    error = 0.02 / np.sqrt(3)
    assert found["standard error of the gain"] == pytest.approx(error)
    assert found["standard deviation, real"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("with_many", "said"),
    [
        ([0.9, 0.9], "with 5 images of each class"),
        ([0.93, 0.94], "with 5 or 50 images of each class"),
    ],
)
def test_a_curve_says_where_generated_images_help(with_many, said, monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        augmentation,
        "save_figure",
        lambda figure, run, name: drawn.update({name: figure}),
    )
    curve = {
        50: {"real": [0.9, 0.91], "generated": with_many},
        5: {"real": [0.5, 0.52], "generated": [0.6, 0.63]},
    }
    draw_curve(curve, None)
    (axes,) = drawn["images_per_class.png"].axes
    assert axes.get_title().split() == f"Generated images help {said}".split()
    real = axes.containers[0].lines[0]
    np.testing.assert_array_equal(real.get_xdata(), [5, 50])
    np.testing.assert_allclose(real.get_ydata(), [49, 9.5])


def test_a_curve_may_find_no_help(monkeypatch):
    titles = []
    monkeypatch.setattr(
        augmentation,
        "save_figure",
        lambda figure, run, name: titles.append(figure.axes[0].get_title()),
    )
    draw_curve({5: {"real": [0.5, 0.6], "generated": [0.52, 0.6]}}, None)
    (title,) = titles
    assert title.startswith("Generated images help with none")
