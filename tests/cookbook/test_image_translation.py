"""Printed characters, images without pairs, and the report on translations."""

import dataclasses

import keras
import numpy as np
import pytest

from cookbook.data.images import Images
from cookbook.data.rendered.placing import FILLED
from cookbook.data.rendered.printed import (
    CHARACTERS,
    FONTS,
    _glyph,
    draw_characters,
    printed_images,
)
from cookbook.plain.parts.translated import models
from cookbook.reports.generated.image_translation import (
    SameClass,
    figures_of,
    of_each_class,
    unpaired,
)
from cookbook.reports.generated.sample_quality import JudgedImages
from cookbook.takeaway.standalone.components import adversarial
from custom_layers.models import CycleGAN, GradientPenalty, LeastSquaresGAN
from oracle import array

DIGITS = tuple("0123456789")


def images_of(classes=DIGITS, count=24, level=0):
    """Images of one brightness, so that the data say whether ink is dark."""

    def part():
        x = np.full((count, 28, 28, 1), level, "uint8")
        return x, np.arange(count) % len(classes)

    parts = {name: part() for name in ("train", "validation", "test")}
    return Images(name="n", asked="n", classes=tuple(classes), **parts)


def test_printed_characters_lie_as_those_of_mnist():
    images, labels = draw_characters(DIGITS, 300, (28, 28, 1), seed=0)
    assert images.shape == (300, 28, 28, 1)
    assert images.dtype == np.uint8
    assert set(labels) == set(range(10))
    for image in images[..., 0].astype(float):
        rows, columns = np.nonzero(image)
        sides = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert max(sides) in (19, 20), "the longer side fills 20 of 28 pixels"
        places = np.arange(28) + 0.5
        centre = [(image.sum(axis) * places).sum() / image.sum() for axis in (0, 1)]
        assert np.abs(np.array(centre) - 14).max() < 0.55
    assert FILLED == 20 / 28


def test_the_same_seed_draws_the_same_and_no_two_images_are_alike():
    first, again, other = (
        draw_characters("07", 40, (28, 28, 1), seed)[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(np.unique(first.reshape(40, -1), axis=0)) == 40


def test_every_font_has_every_character_in_a_form_of_its_own():
    """A font without a character would draw a box, the same for all."""
    for font in FONTS:
        drawn = {_glyph(font, character).tobytes() for character in CHARACTERS}
        assert len(drawn) == len(CHARACTERS), font
    for character in "0479ag":
        assert len({_glyph(font, character).tobytes() for font in FONTS}) == len(FONTS)


def test_printed_images_are_as_many_as_the_others_and_of_their_colour():
    on_black, on_white = (printed_images(images_of(level=v)) for v in (10, 245))
    for name, (x, labels) in on_black.items():
        assert len(x) == len(labels) == 24
        np.testing.assert_array_equal(255 - x, on_white[name][0])
    assert not np.array_equal(on_black["train"][0], on_black["test"][0])
    coloured = images_of()
    x, y = coloured.train
    coloured = dataclasses.replace(coloured, train=(x.repeat(3, -1), y))
    x, _ = printed_images(coloured)["train"]
    assert x.shape == (24, 28, 28, 3)
    assert (x[..., :1] == x).all()


@pytest.mark.parametrize("name", ["shirt", "", "é", "-"])
def test_a_class_that_cannot_be_printed_is_refused(name, capsys):
    with pytest.raises(SystemExit) as stop:
        printed_images(images_of(("0", name)))
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert repr(name) in error
    assert error.count("\n") == 1


def brightness_judge():
    """A judge of two classes, dark and light, whose feature is the mean brightness."""
    x = keras.Input((28, 28, 1))
    features = keras.layers.GlobalAveragePooling2D()(x)
    sign = keras.layers.Dense(2, use_bias=False)
    logits = sign(features)
    sign.set_weights([np.array([[-1.0, 1.0]])])
    return keras.Model(x, [features, logits])


def pairless(count=24):
    """Two classes, dark and light images, printed and handwritten."""
    data = images_of("01", count)
    parts = {}
    printed = {}
    for name in ("train", "validation", "test"):
        _, y = getattr(data, name)
        level = np.where(y == 1, 200, 40)[:, None, None, None]
        images = np.broadcast_to(level, (count, 28, 28, 1)).astype("uint8")
        printed[name] = images[::-1], y[::-1]
        parts[name] = images / np.float32(127.5) - 1, y
    fields = {"name": "n", "asked": "n", "classes": data.classes, **parts}
    return unpaired(printed, JudgedImages(**fields, judge=brightness_judge()))


def test_a_part_holds_printed_and_handwritten_images_without_labels():
    data = pairless()
    for name in ("train", "validation", "test"):
        x, y = getattr(data, name)
        assert x.dtype == y.dtype == np.float32
        assert -1 <= x.min() < x.max() <= 1
        is_light = x.mean((1, 2, 3)) > 0
        np.testing.assert_array_equal(is_light, data.printed_labels[name] == 1)
        is_light = y.mean((1, 2, 3)) > 0
        np.testing.assert_array_equal(is_light, data.handwritten_labels[name] == 1)


def test_the_metric_compares_with_labels_in_the_order_of_validation():
    data = pairless(10)
    x, y = data.validation
    labels = data.printed_labels["validation"]
    metric = SameClass(data.judge, labels)
    for _ in range(2):
        metric.reset_state()
        for start in range(0, 10, 4):
            metric.update_state(y[start : start + 4], x[start : start + 4])
        assert float(metric.result()) == 1
    metric.reset_state()
    metric.update_state(y, x[::-1])
    assert float(metric.result()) == np.mean(labels == labels[::-1])


def test_the_figures_count_what_keeps_its_class():
    data = pairless(20)
    x, y = data.test
    figures = figures_of(data, x, y)  # nothing is changed
    assert figures["same class"] == 1
    assert figures["same class, from handwriting to print"] == 1
    assert figures["Frechet distance"] == pytest.approx(0, abs=1e-5)
    swapped = figures_of(data, -x, y)
    assert swapped["same class"] == 0
    assert swapped["same class, not translated"] == 1


def test_rows_show_one_class_after_the_other():
    labels = np.array([2, 0, 1, 1, 0, 2, 2])
    rows = of_each_class(labels, 2)
    assert labels[rows].tolist() == [*([0, 1, 2] * 3), 0] * 2
    assert rows[0] != rows[10]


def networks():
    def image_network(name, *layers):
        return keras.Sequential([keras.Input((4, 4, 1)), *layers], name=name)

    def conv(activation=None):
        return keras.layers.Conv2D(1, 3, padding="same", activation=activation)

    return [
        *(image_network(name, conv("tanh")) for name in ("generator", "inverse")),
        *(image_network(name, conv()) for name in ("critic_x", "critic_y")),
    ]


def after_training(cls, **options):
    """The weights after four steps from the same start."""
    keras.utils.set_random_seed(0)
    model = cls(*networks(), cycle=3.0, identity=2.0, **options)
    adams = [keras.optimizers.Adam(0.01) for _ in range(2)]
    model.compile(*adams, run_eagerly=True)
    x, y = array(16, 4, 4, 1), array(16, 4, 4, 1, seed=1)
    model.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    parts = model.generator, model.inverse, model.critic_x, model.critic_y
    return [weight for part in parts for weight in part.get_weights()]


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="scripts are for TensorFlow"
)
def test_the_short_forms_of_scripts_train_the_same_weights():
    kind = {
        "loss": LeastSquaresGAN(),
        "penalty": GradientPenalty(0.5, target=0, at="real"),
    }
    ours = after_training(CycleGAN, **kind)
    for one, other in zip(ours, after_training(adversarial.CycleGAN, **kind)):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(ours, after_training(models.CycleGAN, penalty=0.5)):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
