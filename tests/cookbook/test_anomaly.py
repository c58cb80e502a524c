"""Anomalies: the odd class is never learned; scores are judged by their ranks."""

import json

import keras
import numpy as np
import pytest

from cookbook.command_line import parse
from cookbook.data.images import load_images
from cookbook.reports.generated.anomaly_detection import (
    odd_one_out,
    report_anomalies,
)
from cookbook.training.run_folder import RunFolder
from recipes import gan_anomaly

pytestmark = pytest.mark.slow  # trains GANs


def test_the_odd_class_is_in_no_part_that_training_sees():
    data = load_images("digits", "mnist")
    odd = odd_one_out(data, 4)
    assert odd.odd == "4"
    for name in ("train", "validation"):
        (x, y), (all_x, all_y) = getattr(odd, name), getattr(data, name)
        np.testing.assert_allclose(127.5 * (x + 1), all_x[all_y != 4], atol=1e-4)
        assert not y.any()
    for (x, y), (all_x, all_y) in (
        (odd.mixed, data.validation),
        (odd.test, data.test),
    ):
        assert len(x) == len(all_x)
        np.testing.assert_array_equal(y, all_y == 4)


def test_an_odd_class_that_is_not_there_is_refused(capsys):
    with pytest.raises(SystemExit) as stop:
        odd_one_out(load_images("digits", "mnist"), 10)
    assert stop.value.code == 2
    assert "--odd-one got 10, expected a class of digits: 0 to 9" in (
        capsys.readouterr().err
    )


def test_the_area_is_how_often_an_anomaly_outranks_a_normal_image(tmp_path):
    """Odd images get the numbers 1 and 4, normal ones 0, 2 and 3: 4 pairs of 6."""
    data = odd_one_out(load_images("digits", "mnist"), 4)
    y = data.test[1]
    odd, normal = np.flatnonzero(y)[:2], np.flatnonzero(y == 0)[:3]
    rows = np.concatenate([odd, normal])
    part = np.arange(5)[:, None, None, None] * np.ones((1, 28, 28, 1)), y[rows]
    numbers = np.array([1.0, 4, 0, 2, 3])
    parts = {**vars(data), "test": part, "mixed": part}

    def score(images):
        return numbers[images[:, 0, 0, 0].astype(int)]

    scores = {"own": score, "turned round": lambda images: -score(images)}
    run = RunFolder.open("gan_anomaly", gan_anomaly.Config(run_dir=tmp_path))
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    history = [{"epoch": 1, "loss": 1.0, "val_loss": 1.0}]
    report_anomalies(
        *(model, scores, lambda images: images),
        *(type(data)(**parts), history, run, {}),
    )
    metrics = json.loads((run.path / "metrics.json").read_text())
    assert metrics["ROC AUC"] == pytest.approx(4 / 6)
    assert metrics["ROC AUC, turned round"] == pytest.approx(2 / 6)
    assert metrics["validation ROC AUC, own"] == pytest.approx(4 / 6)
    for name in ("roc", "scores", "anomalies"):
        assert (run.path / f"{name}.png").stat().st_size > 0


@pytest.mark.slow
def test_the_encoder_learns_and_the_gan_stays_as_it_was(tmp_path, monkeypatch):
    kept = []

    def build(config, data, gan):
        kept.append((gan, gan.get_weights()))
        return original(config, data, gan)

    original = gan_anomaly.build
    monkeypatch.setattr(gan_anomaly, "build", build)
    flags = ["--quick", "--epochs", "1", "--gan-epochs", "1"]
    flags += ["--run-dir", str(tmp_path)]
    gan_anomaly.main(parse(gan_anomaly.Config, flags))
    ((gan, before),) = kept
    for old, new in zip(before, gan.get_weights()):
        np.testing.assert_array_equal(old, new)
    (path,) = tmp_path.glob("gan_anomaly/*/")
    model = keras.models.load_model(path / "model.keras")
    encoder = model.get_layer("encoder")
    assert len(model.trainable_variables) == len(encoder.trainable_variables) == 6


def test_the_score_is_the_papers_formula():
    config = gan_anomaly.Config(filters=2, latent=3, kappa=0.5)
    data = odd_one_out(load_images("digits", "mnist"), 4)
    gan = gan_anomaly.build_gan(config, data)
    model = gan_anomaly.build(config, data, gan)
    x = data.test[0][:3]
    again = np.array(gan.generator(model.get_layer("encoder")(x), training=False))
    f = keras.Model(gan.critic.inputs[0], gan.critic.layers[-2].output)
    apart = np.mean(np.square(x - again), axis=(1, 2, 3))
    apart_in_f = np.mean(np.square(np.array(f(x)) - np.array(f(again))), axis=1)
    np.testing.assert_allclose(model(x), apart + 0.5 * apart_in_f, rtol=1e-4)
