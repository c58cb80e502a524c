"""Command line: flags from the Config, and one line for every mistake."""

import dataclasses
import shlex

import pytest

from cookbook.command_line import parse
from cookbook.config import Count, Share, TrainingConfig, flags
from cookbook.errors import fail


@dataclasses.dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 3  # passes
    batch_size: Count = 32  # examples a step
    dropout: Share = 0.5  # share silenced


def test_defaults_and_flags():
    assert parse(Config, []) == Config()
    config = parse(Config, ["--epochs", "7", "--quick", "--dropout", "0.1"])
    assert config == Config(epochs=7, quick=True, dropout=0.1)


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "--seed 7 --quick",
        "--epochs 5 --dropout 0.25 --data 'a b'",
        "--run-dir elsewhere --resume",
    ],
)
def test_flags_are_what_was_typed(arguments):
    config = parse(Config, shlex.split(arguments))
    assert parse(Config, shlex.split(flags(config))) == config
    assert len(flags(config)) == len(arguments)


def test_help_shows_the_comments_and_exits_with_0(capsys):
    with pytest.raises(SystemExit) as stop:
        parse(Config, ["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    for text in ("--batch-size", "examples a step", "--tune", "trials of a search"):
        assert text in out


@pytest.mark.parametrize(
    ("arguments", "got", "expected"),
    [
        (["--nope", "3"], "--nope", "Unrecognized"),
        (["--epochs", "0"], "--epochs got 0", "a number >= 1"),
        (["--epochs", "-1"], "--epochs got -1", "a number >= 1"),
        (["--epochs", "x"], "'x'", "--epochs"),
        (["--batch-size", "0"], "--batch-size got 0", "a number >= 1"),
        (["--dropout", "1.5"], "--dropout got 1.5", "a number from 0 to 1"),
        (["--dropout", "nan"], "--dropout got nan", "a number from 0 to 1"),
        (["--seed", "-1"], "--seed got -1", "a number from 0"),
        (["--seed"], "--seed", "Expected 1 values"),
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


def test_fail_says_and_exits(capsys):
    with pytest.raises(SystemExit) as stop:
        fail("got x, expected y")
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: got x, expected y\n"
