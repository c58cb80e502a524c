"""The scoreboard: what it says of samples whose quality is known."""

import dataclasses

import keras
import numpy as np
import pytest

from cookbook.data.images import load_images
from cookbook.reports.generated import sample_quality
from cookbook.reports.generated.sample_quality import judged, score_images
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import train
from custom_layers.metrics import ModeOverlap
from custom_layers.models import AdversarialModel, WassersteinGAN
from oracle import array
from recipes import mnist_mlp
from recipes.ring_gan import Config, load_ring


def judge(D=3, classes=2):
    """Features are the image's own numbers; its class, whether the first is > 0."""
    x = keras.Input((D,))
    logits = keras.layers.Dense(classes, use_bias=False)
    model = keras.Model(x, [keras.layers.Identity()(x), logits(x)])
    kernel = np.zeros((D, classes), "float32")
    kernel[0] = -20, 20
    logits.set_weights([kernel])
    return model


def figures(points, ring):
    metric = ModeOverlap(ring.centres, ring.spread)
    metric.update_state(None, points.astype("float32"))
    return metric.figures()


def test_the_rings_own_points_fill_all_its_modes():
    ring = load_ring(quick=True)
    found = figures(ring.test[0], ring)
    assert found["modes"] == 8
    assert found["high-quality share"] == pytest.approx(1 - np.exp(-4.5), abs=0.01)
    assert found["mode overlap"] > 0.94


def test_the_ring_refuses_another_name_and_repeats_itself(capsys):
    with pytest.raises(SystemExit) as stop:
        load_ring("mnist")
    assert stop.value.code == 2
    assert "--data got 'mnist'" in capsys.readouterr().err
    first, again, other = (load_ring(quick=True, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.train[0], again.train[0])
    assert (first.train[0] != other.train[0]).any()


def test_the_judge_counts_classes_and_whether_they_were_asked_for():
    x = np.ones((40, 3), "float32")
    x[:10, 0] = -1
    found = score_images(judge(), x + array(40, 3) / 9, x, labels=np.zeros(40, int))
    assert found["asked class"] == 0.25
    assert found["mode histogram"] == [10, 30]
    assert found["sure share"] == 1


@pytest.mark.slow
def test_the_judge_is_the_recipes_network_for_pixels_from_minus_one_to_one(
    tmp_path, monkeypatch
):
    """A recipe hands in its module; cookbook trains the network and keeps it."""
    monkeypatch.setattr(sample_quality, "JUDGE_EPOCHS", 1)
    images = load_images("digits", "mnist")
    config = mnist_mlp.Config(run_dir=tmp_path)
    data = judged(images, config, mnist_mlp)
    (file,) = (tmp_path / "networks").iterdir()
    network = keras.models.load_model(file)
    x, y = data.test
    assert (x.min(), x.max()) == (-1, 1)
    assert y is images.test[1]
    features, logits = data.judge(x)
    expected = network(images.test[0].astype("float32"), training=False)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(network.layers[-1](features), logits)


@pytest.mark.parametrize("rate", [float("nan"), 1e3])
def test_a_gan_whose_loss_diverges_stops_the_run_and_says_so(rate, tmp_path, capsys):
    """At the rate 1000, without a penalty, the critic's scores grow for ever."""
    config = Config(run_dir=tmp_path, epochs=5, batch_size=128)
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    layers = keras.layers.Dense(8, "relu"), keras.layers.Dense(1)
    critic = keras.Sequential([keras.Input((2,)), *layers])
    model = AdversarialModel(generator, critic, WassersteinGAN())
    model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(rate))
    ring = dataclasses.replace(load_ring(quick=True), validation=None)
    run = RunFolder.open("ring_gan", config)
    with pytest.raises(SystemExit) as stop:
        train(model, ring, config, run)
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert "_loss became" in message or "weight became" in message
    assert "lower the learning rate; the state before it is in" in message


def test_every_figure_is_explained_where_it_is_printed(capsys):
    x = np.ones((40, 3), "float32")
    names = score_images(judge(), x, x, labels=np.zeros(40, int))
    names = [
        *names,
        "Frechet distance of training images",
        *ModeOverlap([[0]], 1).figures(),
    ]
    sample_quality.print_meanings(names)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split(":")[0].strip() for line in lines] == names
    assert all(line.endswith(".") for line in lines)
