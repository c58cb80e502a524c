"""Command line: flags from the Config, help in groups, one line for every mistake."""

import copy
import dataclasses
import shlex

import numpy as np
import pytest
import tensorflow as tf

from cookbook.command_line import parse
from cookbook.config import Count, Share, TrainingConfig, flags
from cookbook.errors import explained_out_of_memory, fail


@dataclasses.dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 3  # passes over the two parts
    batch_size: Count = 32  # examples a step
    dropout: Share = 2 / 28  # share silenced
    # half of the images are mirrored in
    # training
    mirror: bool = True
    sizes: tuple[int, ...] = (2, 3)  # units of the layers
    ask: str | None = None  # a question to answer


def help_of(config_class, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(config_class, ["--help"])
    assert stop.value.code == 0
    captured = capsys.readouterr()
    assert not captured.err
    return captured.out


def words_between(text, start, end):
    return " ".join(text.split(start)[1].split(end)[0].split())


def test_defaults_and_flags():
    assert parse(Config, []) == Config()
    config = parse(Config, ["--epochs", "7", "--quick", "--dropout", "0.1"])
    assert config == Config(epochs=7, quick=True, dropout=0.1)


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "--seed 7 --quick",
        "--epochs 5 --data 'a b' --dropout 0.25",
        "--run-dir elsewhere --resume",
        "--no-mirror --sizes 4 5 6",
        "--ask 'why not?'",
    ],
)
def test_flags_are_what_was_typed(arguments):
    config = parse(Config, shlex.split(arguments))
    assert parse(Config, shlex.split(flags(config))) == config
    assert len(flags(config)) == len(arguments)


def test_help_shows_the_comments_and_exits_with_0(capsys):
    out = help_of(Config, capsys)
    for text in ("--batch-size", "examples a step", "--tune", "settings to try"):
        assert text in out


def test_help_shows_the_recipes_own_flags_first_and_the_common_ones_in_groups(capsys):
    out = help_of(Config, capsys)
    order = [
        "--batch-size",
        "training options",
        "--epochs",
        "data options",
        "--data",
        "search options",
        "--tune",
        "resuming options",
        "--chaos",
        "general options",
        "--seed",
    ]
    places = [out.index(text) for text in order]
    assert places == sorted(places)


def test_help_fits_into_80_columns_in_any_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("sys.argv", ["recipes/mnist_cnn.py"])
    assert max(map(len, help_of(Config, capsys).splitlines())) <= 80


def test_a_recipes_own_comment_stands_in_place_of_the_common_one(capsys):
    out = help_of(Config, capsys)
    assert "passes over the two parts (default: 3)" in out
    assert "passes over the training set" not in out


def test_the_help_of_a_switch_is_true_for_the_form_that_is_shown(capsys):
    text = words_between(help_of(Config, capsys), "--no-mirror", "--sizes")
    assert text == "turn this off: half of the images are mirrored in training"


def test_the_help_explains_chaos(capsys):
    text = words_between(help_of(Config, capsys), "--chaos INT", "general options")
    assert text.startswith("test --resume: kill the recipe")


def test_defaults_are_shown_as_a_reader_would_write_them(capsys):
    out = help_of(Config, capsys)
    assert "share silenced (default: 0.07143)" in out
    assert "units of the layers (default: 2 3)" in out
    assert "--ask TEXT" in out
    assert "None" not in out


@pytest.mark.parametrize(
    ("arguments", "got", "expected"),
    [
        (["--nope", "3"], "--nope", "Unrecognized"),
        (["--epoch", "3"], "--epoch ", "did you mean --epochs?"),
        (["--epochs", "0"], "--epochs got 0", "a number from 1 to 1,000,000"),
        (["--epochs", "-1"], "--epochs got -1", "a number from 1 to 1,000,000"),
        (["--epochs", "x"], "'x'", "--epochs"),
        (["--batch-size", "0"], "--batch-size got 0", "a number from 1 to 1,000,000"),
        (["--dropout", "1.5"], "--dropout got 1.5", "a number from 0 to 1"),
        (["--dropout", "nan"], "--dropout got nan", "a number from 0 to 1"),
        (["--seed", "-1"], "--seed got -1", "a number from 0"),
        (["--seed"], "--seed", "Expected 1 values"),
        (["--tuner", "luck"], "'luck'", "Expected one of ('random', 'bayesian'"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(arguments, got, expected, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(Config, arguments)
    assert stop.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.strip().splitlines()
    assert line.startswith("error: ")
    assert got in line
    assert expected in line
    assert "--help" in line


def test_the_help_shows_the_default_with_quick_too(capsys):
    @dataclasses.dataclass(frozen=True)
    class Quick(Config):
        in_quick = {"epochs": 1, "sizes": (2,)}  # noqa: RUF012

    out = help_of(Quick, capsys)
    assert "(default: 3; with --quick 1)" in out
    assert "(default: 2 3; with --quick 2)" in out


def test_a_config_made_in_python_takes_the_defaults_of_quick_too():
    @dataclasses.dataclass(frozen=True)
    class Quick(Config):
        in_quick = {"epochs": 1, "batch_size": 8}  # noqa: RUF012

    assert Quick().epochs == 3
    assert Quick(quick=True).epochs == 1
    chosen = Quick(quick=True, epochs=3)
    assert (chosen.epochs, chosen.batch_size) == (3, 8)
    again = copy.deepcopy(dataclasses.replace(chosen, seed=1))
    assert (again.epochs, again.batch_size, again.seed) == (3, 8, 1)
    assert flags(chosen) == "--quick --epochs 3"


def test_a_message_is_one_line_whatever_a_user_s_name_holds(capsys):
    with pytest.raises(SystemExit):
        fail("got a\nb\x1b[2J\u202e\udc80, expected y")
    assert capsys.readouterr().err == (
        "error: got a\\nb\\x1b[2J\\u202e\\udc80, expected y\n"
    )
    with pytest.raises(SystemExit):
        fail("x" * 10**6)
    assert len(capsys.readouterr().err) < 600


@pytest.mark.parametrize("kind", ["NumPy", "TensorFlow", "Python"])
def test_too_little_memory_is_one_line(kind, capsys):
    @explained_out_of_memory()
    def run():
        if kind == "NumPy":
            np.empty(10**15)
        elif kind == "Python":
            raise MemoryError
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    with pytest.raises(SystemExit) as stop:
        run()
    assert stop.value.code == 2
    assert "error: there is not enough memory" in capsys.readouterr().err
    with pytest.raises(ValueError, match="another"), explained_out_of_memory():
        raise ValueError("another")


def test_fail_says_and_exits(capsys):
    with pytest.raises(SystemExit) as stop:
        fail("got x, expected y")
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: got x, expected y\n"
