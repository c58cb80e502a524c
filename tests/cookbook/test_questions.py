"""A question to a trained model: a text, not a file's name, and no idle flags."""

import pytest

from cookbook.command_line import parse
from cookbook.config import QUESTIONS, ExperimentConfig, question_of
from cookbook.data.images import load_images
from cookbook.pages.catalogue import ROOT, recipes
from cookbook.trained.load import kept_network
from recipes import imdb_cnn, mnist_cnn, multi30k_attention, shakespeare_gpt

ASKING = [imdb_cnn, multi30k_attention, shakespeare_gpt]


def flag_of(recipe):
    """The flag of a recipe that asks its trained model."""
    names = [name for name in QUESTIONS if hasattr(recipe.Config(), name)]
    return f"--{names[0]}"


def refusal(capsys, call, *arguments):
    with pytest.raises(SystemExit) as stop:
        call(*arguments)
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_every_flag_with_a_text_is_known_as_a_question():
    for entry in recipes():
        source = (ROOT / entry.file).read_text()
        for line in source.splitlines():
            if "do not train:" in line:
                assert line.split(":")[0].strip() in QUESTIONS, entry.name


@pytest.mark.parametrize("recipe", ASKING, ids=lambda recipe: recipe.__name__)
@pytest.mark.parametrize(
    "text",
    [
        "review.txt",
        "texts/one.CSV",
        "/data/one",
        "./one",
        "~/one",
        "https://a.b/c",
        "my reviews.csv",
        "a.jsonl",
        "a b.parquet",
        "a.webp",
    ],
)
def test_a_file_that_does_not_exist_is_said_to_be_missing(recipe, text, capsys):
    line = refusal(capsys, parse, recipe.Config, [flag_of(recipe), text])
    assert f"{flag_of(recipe)} got {text!r}, and there is no such file" in line


@pytest.mark.parametrize("recipe", ASKING, ids=lambda recipe: recipe.__name__)
@pytest.mark.parametrize("name", ["review.txt", "review", "a review of mine"])
def test_the_name_of_a_file_is_not_taken_for_a_text(recipe, name, capsys, tmp_path):
    path = tmp_path / name
    path.write_text("An awful film.")
    line = refusal(capsys, parse, recipe.Config, [flag_of(recipe), str(path)])
    assert "which is a file, expected the text itself" in line


@pytest.mark.parametrize(
    "text",
    [
        "10/10",
        "and/or",
        "e.g.",
        "end.Begin",
        "/ 10",
        "I read notes.txt",
        "seen in a.csv twice",
        "tests",
        "a\0b",
        "x" * 5000,
    ],
)
def test_texts_that_resemble_names_of_files_are_texts(text):
    assert parse(imdb_cnn.Config, ["--predict", text]).predict == text


@pytest.mark.parametrize("recipe", ASKING, ids=lambda recipe: recipe.__name__)
@pytest.mark.parametrize(
    "flags",
    [
        ["--epochs", "2"],
        ["--batch-size", "8"],
        ["--tune", "3"],
        ["--chaos", "1"],
        ["--resume"],
        ["--learning-rate", "0.1"],
    ],
    ids=" ".join,
)
def test_flags_that_play_no_part_beside_a_question_are_refused(recipe, flags, capsys):
    words = [flag_of(recipe), "text", *flags]
    line = refusal(capsys, parse, recipe.Config, words)
    assert f"{flags[0]} plays no part with {flag_of(recipe)}" in line


def test_flags_that_choose_the_run_and_the_draw_stay_allowed(tmp_path):
    words = ["--write", "text", "--seed", "3", "--run-dir", str(tmp_path)]
    config = parse(shakespeare_gpt.Config, words)
    assert question_of(config) == "write"
    parse(imdb_cnn.Config, ["--predict", "text", "--run", str(tmp_path)])


def test_a_damaged_network_that_was_kept_is_one_line(tmp_path, capsys):
    folder = tmp_path / "networks"
    folder.mkdir()
    (folder / "mnist_cnn_digits_1.keras").write_bytes(b"PK\x03\x04")
    data = load_images("digits", "mnist")
    config = ExperimentConfig(run_dir=tmp_path)
    line = refusal(capsys, kept_network, mnist_cnn, data, config, 1)
    assert "delete it, and the network is trained again" in line
