"""Sentiment: padding changes nothing, and any text gets an answer."""

import functools
import importlib

import keras
import numpy as np
import pytest

from cookbook.command_line import parse
from cookbook.data.text.reviews import load_reviews

pytestmark = pytest.mark.slow  # three recipes are trained

RECIPES = ["imdb_rnn", "imdb_cnn", "imdb_transformer"]
VARIANTS = {
    "imdb_rnn": [
        ["--cell", "simple"],
        ["--cell", "lstm"],
        ["--cell", "gru", "--no-bidirectional"],
    ],
    "imdb_cnn": [[]],
    "imdb_transformer": [[], ["--blocks", "2"]],
}


@pytest.fixture(scope="module")
def data():
    return load_reviews("generated_reviews", "imdb_reviews", 500, 40)


@pytest.mark.parametrize(
    ("name", "flags"), [(n, f) for n in RECIPES for f in VARIANTS[n]], ids=str
)
def test_padding_never_changes_a_prediction(name, flags, data):
    recipe = importlib.import_module(f"recipes.{name}")
    model = recipe.build(parse(recipe.Config, ["--quick", *flags]), data)
    for weight in model.trainable_weights:  # biases and padding's vector are not 0
        weight.assign(keras.random.normal(weight.shape, stddev=0.3, seed=1))
    rows = list(range(0, 500, 100))
    ids, lengths = data.test[0][rows], (data.test[0][rows] != 0).sum(1)
    together = np.array(model(ids))
    assert np.ptp(together[:, 0]) > 0.01
    for row, length, expected in zip(ids, lengths, together):
        alone = np.array(model(row[None, :length]))[0]
        np.testing.assert_allclose(alone, expected, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """trained(name): a folder with one finished quick run of that recipe."""
    folder = tmp_path_factory.mktemp("runs")

    @functools.cache
    def run(name):
        recipe = importlib.import_module(f"recipes.{name}")
        flags = ["--quick", "--epochs", "4", "--run-dir", str(folder)]
        recipe.main(parse(recipe.Config, flags))
        return folder

    return run


def ask(name, folder, text):
    recipe = importlib.import_module(f"recipes.{name}")
    recipe.main(parse(recipe.Config, ["--run-dir", str(folder), f"--predict={text}"]))


@pytest.mark.parametrize("name", RECIPES)
def test_a_typed_text_is_judged_by_the_newest_run(name, trained, capsys):
    folder = trained(name)
    capsys.readouterr()
    ask(name, folder, "The plot was great. I loved the music!")
    first, second = capsys.readouterr().out.strip().splitlines()
    assert first.startswith("pos (")
    assert "| 9 of 10 words known | learned from generated_reviews" in first
    assert second.startswith("log-odds due to ")


@pytest.mark.parametrize(
    "text",
    [
        "zyzzyva",
        "\u7535\u5f71 \u597d",
        "good\x07\x1b[31m\x00bad \U0001f600",
        "good \udcff film",
        "-1",
        "good " * 100_000,
    ],
    ids=["unknown", "Chinese", "control", "no UTF-8", "number", "long"],
)
def test_any_text_with_a_word_gets_an_answer(text, trained, capsys):
    folder = trained("imdb_cnn")
    capsys.readouterr()
    ask("imdb_cnn", folder, text)
    assert " words known | " in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "  ", "\U0001f600\U0001f600", "\x00", "<br>"])
def test_a_text_without_a_word_is_refused_in_one_line(text, trained, capsys):
    folder = trained("imdb_cnn")
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        ask("imdb_cnn", folder, text)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "holds no word: expected a text" in line


def test_without_a_finished_run_one_line_says_what_to_do(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        ask("imdb_rnn", tmp_path, "good")
    assert stop.value.code == 2
    assert "train first with python recipes/imdb_rnn.py" in capsys.readouterr().err


def test_heads_that_do_not_divide_the_features_are_refused(tmp_path, capsys):
    recipe = importlib.import_module("recipes.imdb_transformer")
    with pytest.raises(SystemExit) as stop:
        recipe.main(parse(recipe.Config, ["--heads", "3", "--run-dir", str(tmp_path)]))
    assert stop.value.code == 2
    assert "--heads got 3, expected a divisor of 32" in capsys.readouterr().err


@pytest.mark.parametrize("name", RECIPES)
def test_a_run_leaves_its_pictures_and_its_mistakes(name, trained):
    (run,) = (trained(name) / name).glob("*/")
    for file in ("curves.png", "confusion.png", "review.png"):
        assert (run / file).stat().st_size > 5000
    first, *rest = (run / "mistakes.txt").read_text().splitlines()
    count = int(first.split()[1])
    assert first.endswith(" mistakes")
    assert len([line for line in rest if line.startswith("said ")]) == count
