"""Code that is copied beside exports, with networks whose answers are known."""

import numpy as np
import pytest
from PIL import Image

from cookbook.exports.portable.numbers import (
    ImageGenerator,
    PictureTranslator,
    PointGenerator,
)
from cookbook.exports.portable.writers import SumModel, TranslationModel
from custom_layers.generation import Subwords


def test_the_copied_subwords_are_those_of_training():
    sentences = ["Ein Hund l\u00e4uft, lauft!", "der Hund der Hunde", "aaaa aaa aa"]
    subwords = Subwords.learn(sentences * 3, size=60)
    config = subwords.get_config()
    model = TranslationModel(lambda **arrays: None, config)
    for sentence in [*sentences, "Hundin \U0001f600 zz", "", " "]:
        assert model.tokens(sentence) == subwords.encode_known(sentence)


def test_the_copied_translator_writes_what_the_network_rates_highest():
    subwords = Subwords.learn(["Ein Hund im Wald"] * 3, size=40)
    rows = []

    def network(source, target):  # repeats the source, with its END
        rows.append(target.copy())
        answer = np.zeros((1, 40))[0, : target.shape[1]].astype("int64")
        answer[: source.shape[1]] = source[0]
        return np.eye(len(subwords))[answer][None]

    model = TranslationModel(network, subwords.get_config())
    assert model.predict(["Ein Wald", ""]) == ["Ein Wald", ""]
    assert {row.shape for row in rows} == {rows[0].shape}  # prepared once


def test_the_copied_calculator_reads_and_writes_sums():
    def network(question, before):
        text = "".join(" 0123456789<>+"[n] for n in question[0]).strip()
        answer = str(sum(map(int, text.split("+"))))[::-1] + ">"
        tokens = [" 0123456789<>+".index(c) for c in answer.ljust(before.shape[1])]
        return np.eye(14)[tokens][None]

    model = SumModel(network, {"digits": 3})
    assert model.predict(["1+2", " 999 + 999", "0+0"]) == ["3", "1998", "0"]
    with pytest.raises(ValueError, match="expected a sum of two numbers"):
        model.predict(["1+2000"])


def test_the_copied_generators_make_pictures_of_the_classes_and_points():
    def network(noise, label=None):
        shade = np.zeros(len(noise)) if label is None else label / 2 - 1
        return np.broadcast_to(shade[:, None, None, None], (len(noise), 2, 2, 1))

    settings = {"classes": ["a", "b", "c", "d", "e"], "latent": 3, "pixels": [-1, 1]}
    model = ImageGenerator(network, settings)
    assert model.predict(6)[:, 0, 0].tolist() == [0, 64, 128, 191, 255, 0]
    assert model.predict(2, label="c")[:, 1, 1].tolist() == [128, 128]
    without = ImageGenerator(network, {**settings, "classes": []}).predict(2)
    assert without.shape == (2, 2, 2)
    points = PointGenerator(lambda noise: noise, settings)
    assert points.predict(4, seed=1).shape == (4, 3)
    assert not np.array_equal(points.predict(4, seed=1), points.predict(4, seed=2))


def test_the_copied_translator_makes_pictures_of_pictures(tmp_path):
    Image.new("L", (9, 5), 255).save(tmp_path / "bright.png")
    settings = {"shape": [2, 2, 1], "pixels": [-1, 1]}
    model = PictureTranslator(lambda pixels: -pixels / 2, settings)
    (picture,) = model.predict([tmp_path / "bright.png"])
    assert picture.shape == (2, 2)
    assert set(picture.ravel()) == {64}
