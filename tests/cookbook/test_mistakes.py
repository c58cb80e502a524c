"""Wrong input, as a table of command lines: each gets one line and exit status 2."""

import dataclasses
import functools
import importlib
import os
import re
import shlex
import typing
from pathlib import Path

import pytest
from PIL import Image

from cookbook.command_line import parse
from cookbook.config import Between, flag_name, flags
from cookbook.data import sources
from cookbook.data.pictures import load_pair
from cookbook.errors import fail
from cookbook.pages.catalogue import ROOT, recipes
from cookbook.start import early_config
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder

NAMES = [entry.name for entry in recipes()]

# What the command line alone shows to be wrong: recipe, flags, what the line says.
FLAGS = Path(__file__).with_name("wrong_flags.txt").read_text(encoding="utf-8")
# What a recipe refuses once it looks at its data, in the same form.
DATA = Path(__file__).with_name("wrong_data.txt").read_text(encoding="utf-8")


def rows(table):
    return [
        [part.strip() for part in row.split("|")] for row in table.split("\n") if row
    ]


@functools.cache
def config_of(recipe):
    """The recipe's Config, built without TensorFlow, as `start` builds it."""
    return early_config((ROOT / "recipes" / f"{recipe}.py").read_text())


def line_of(stop, capsys):
    """The one line of a mistake; what stands before it are notes."""
    assert stop.value.code == 2
    captured = capsys.readouterr()
    *before, line = captured.err.strip("\n").split("\n")
    assert not before
    assert line.startswith("error: ")
    assert line.isprintable()
    assert "Traceback" not in captured.out
    return line


def test_the_table_is_long_enough():
    assert len(rows(FLAGS)) + len(rows(DATA)) >= 160


@pytest.mark.parametrize(("recipe", "words", "expected"), rows(FLAGS))
def test_a_wrong_flag_is_one_line_and_status_2(recipe, words, expected, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(config_of(recipe), shlex.split(words))
    assert expected in line_of(stop, capsys)


@pytest.mark.parametrize(("recipe", "given", "expected"), rows(DATA))
def test_wrong_data_are_one_line_status_2_and_no_run_folder(
    recipe, given, expected, capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr(sources, "network_answers", lambda: False)
    file = tmp_path / "text.txt"
    file.write_text("no picture")
    module = importlib.import_module(f"recipes.{recipe}")
    words = shlex.split(given.replace("{file}", str(file)))
    words += ["--run-dir", str(tmp_path / "runs")]
    with pytest.raises(SystemExit) as stop:
        module.main(parse(module.Config, words))
    assert expected in line_of(stop, capsys)
    assert not (tmp_path / "runs").exists()


@functools.cache
def first_recipes():
    """{flag: the first recipe that has it}: most flags belong to many recipes."""
    found = {}
    for name in NAMES:
        for field in dataclasses.fields(config_of(name)):
            found.setdefault(flag_name(field.name), name)
    return found


def numbers_of(config_class):
    """(field, the type of its number, its range) of every field that holds numbers."""
    hints = typing.get_type_hints(config_class, include_extras=True)
    for field in dataclasses.fields(config_class):
        hint = hints[field.name]
        if typing.get_origin(hint) is tuple:
            hint, *_ = typing.get_args(hint)
        marks = [m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Between)]
        kind = getattr(hint, "__origin__", hint)
        if kind in (int, float):
            yield field, kind, (marks or [None])[0]


@pytest.mark.parametrize("recipe", NAMES)
def test_every_number_of_every_recipe_has_a_bound(recipe):
    """Also NaN, the infinities and what no memory holds are refused, with the flag."""
    config_class = config_of(recipe)
    found = 0
    for field, _, allowed in numbers_of(config_class):
        wrong = [10**10, 10**20, -(10**10), 10**400, -1e308]
        wrong += [float("nan"), float("inf"), -float("inf")]
        if allowed:
            wrong += [allowed.low - 1, allowed.high + 1, allowed.high * 1.001]
        for value in wrong:
            given = (value,) if isinstance(field.default, tuple) else value
            with pytest.raises(ValueError, match=f"^{flag_name(field.name)} got ") as e:
                config_class(**{field.name: given})
            assert "expected a number from" in str(e.value)
            found += 1
    assert found


@pytest.mark.slow
@pytest.mark.parametrize("recipe", NAMES)
def test_every_flag_of_every_recipe_refuses_what_it_can_t_read(recipe, capsys):
    config_class = config_of(recipe)
    for field, kind, _ in numbers_of(config_class):
        flag = flag_name(field.name)
        if first_recipes()[flag] != recipe:
            continue
        words = ["x", "", "\x1b[2J"] + ["1.5", "1e3"] * (kind is int)
        for word in words:
            with pytest.raises(SystemExit) as stop:
                parse(config_class, [f"{flag}={word}"])
            assert f"{flag} got " in line_of(stop, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", NAMES)
def test_every_flag_is_suggested_to_who_mistypes_it(recipe, capsys):
    config_class = config_of(recipe)
    known = {flag_name(field.name) for field in dataclasses.fields(config_class)}
    new = [flag for flag in known if first_recipes()[flag] == recipe and len(flag) > 6]
    for flag in new:
        for wrong in {flag[:-1], flag + "s", flag[:4] + flag[5:]} - known:
            with pytest.raises(SystemExit) as stop:
                parse(config_class, [wrong, "3"])
            line = line_of(stop, capsys)
            assert re.search(rf"did you mean .*{flag.removeprefix('--')}", line), wrong


@pytest.mark.parametrize("recipe", NAMES)
def test_the_defaults_of_every_recipe_are_valid_with_and_without_quick(recipe):
    config_class = config_of(recipe)
    for given in ([], ["--quick"]):
        config = parse(config_class, given)
        assert config == config_class(quick=bool(given))
        assert not set(config.idle()) & set(config_class.in_quick)
        assert flags(config) == " ".join(given)
    names = {field.name for field in dataclasses.fields(config_class)}
    assert set(config_class.in_quick) <= names


@pytest.mark.parametrize("recipe", NAMES)
def test_what_the_user_gives_wins_over_quick(recipe):
    """Also a value that is the usual default, which --quick would replace."""
    config_class = config_of(recipe)
    for field in dataclasses.fields(config_class):
        if field.name not in config_class.in_quick or field.default is True:
            continue
        values = field.default if isinstance(field.default, tuple) else [field.default]
        words = ["--quick", flag_name(field.name), *map(str, values)]
        config = parse(config_class, words)
        assert getattr(config, field.name) == field.default
        assert config == config_class(quick=True, **{field.name: field.default})
        assert parse(config_class, shlex.split(flags(config))) == config
        again = dataclasses.replace(config, seed=3)
        assert getattr(again, field.name) == field.default


def test_quick_is_applied_in_one_place():
    """A recipe's main would replace what the user gave, as each of them once did."""
    for name in NAMES:
        source = (ROOT / "recipes" / f"{name}.py").read_text()
        assert not re.search(r"if config.quick:[^\n]*\n\s+config = ", source), name


def test_a_note_tells_of_a_common_flag_that_changes_nothing(capsys):
    config = parse(config_of("losses_kl_both_ways"), ["--seed", "3"])
    assert config.seed == 3
    assert capsys.readouterr().err == (
        "note: --seed plays no part here, as nothing is random\n"
    )


def test_random_weights_are_announced(capsys):
    module = importlib.import_module("recipes.backprop_by_hand")
    flags = ["--sizes", "3", "4", "2", "--inputs", "1", "2", "3"]
    layers = module.start_layers(parse(module.Config, flags))
    assert [w.shape for w, _ in layers] == [(4, 3), (2, 4)]
    assert capsys.readouterr().err.startswith("note: the start weights")


def test_every_field_of_a_config_plays_a_part():
    """A flag that nothing reads would be accepted and change nothing."""
    shared = [*(ROOT / "cookbook").rglob("*.py")]
    text = "\n".join(path.read_text() for path in shared)
    for name in NAMES:
        source = (ROOT / "recipes" / f"{name}.py").read_text()
        for field in dataclasses.fields(config_of(name)):
            read = rf"(config|settings|self|asked)\.{field.name}\b"
            assert re.search(read, source) or re.search(read, text), (name, field.name)


@pytest.mark.parametrize("kind", ["file", "file above", "no permission"])
def test_a_run_dir_that_can_t_be_used_is_one_line(kind, tmp_path, capsys, monkeypatch):
    module = importlib.import_module("recipes.mnist_mlp")
    file = tmp_path / "file"
    file.write_text("")
    folder = file / "runs" if kind == "file above" else file
    if kind == "no permission":

        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(SystemExit) as stop:
        module.main(parse(module.Config, ["--quick", "--run-dir", str(folder)]))
    assert f"--run-dir got {folder}" in line_of(stop, capsys)
    assert file.read_text() == ""


@pytest.mark.parametrize("failing", ["backbone", "memory", "later"])
def test_a_mistake_leaves_no_half_made_run_behind(
    failing, tmp_path, capsys, monkeypatch
):
    """--resume would take such a run for one that can go on."""
    module = importlib.import_module("recipes.mnist_transfer")
    words = ["--quick", "--backbone", "Nothing", "--run-dir", str(tmp_path / "runs")]
    monkeypatch.setattr("sys.argv", ["mnist_transfer.py", *words])

    def main(config):
        if failing == "backbone":
            module.main(config)
        run = RunFolder.open("mnist_transfer", config)
        if failing == "memory":
            raise MemoryError
        (run.path / "step_3.save").write_text("")
        fail("something that a run comes upon later")

    with pytest.raises(SystemExit) as stop:
        launch(main, module.Config)
    assert "--backbone got" in line_of(stop, capsys) or failing != "backbone"
    assert (tmp_path / "runs").exists() == (failing == "later")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("pipe", "it is not a file"),
        ("device", "it is not a file"),
        ("folder", "it is not a file"),
        ("huge", "more than 100,000,000"),
        ("bomb", "pixels) exceeds limit"),
        ("text", "cannot identify image file"),
        ("cut", "no readable picture"),
    ],
)
def test_a_file_that_is_no_picture_is_one_line_and_never_read_for_ever(
    kind, expected, tmp_path, capsys, monkeypatch
):
    path = tmp_path / "picture.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(200_000_000)
    elif kind == "text":
        path.write_text("not a picture")
    else:
        Image.new("RGB", (64, 64)).save(path)
    if kind == "bomb":
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3000)
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(SystemExit) as stop:
        load_pair(str(path), "flower", 96, "digits")
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"error: --content got '{path}'")
    assert expected in line
