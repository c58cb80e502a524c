"""Bundles: scripts that need none of our packages and train what recipes train."""

import ast
import datetime
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cookbook.pages.catalogue import ROOT, recipes
from cookbook.takeaway.bundle import (
    RULES,
    SECTIONS,
    bundle,
    bundle_command,
    recipe_file,
    script_of,
)
from cookbook.takeaway.recipe_script import ABSENT

NAMES = [entry.name for entry in recipes()]
OURS = re.compile(r"^\s*(from|import) (cookbook|custom_layers|recipes)\b", re.MULTILINE)
# Recipes of which a day's tests train the bundles; all have a turn in six days. As many
# others train as plain scripts: see test_plain.py.
A_DAY = 6
# Settings other than the defaults, of which each day tries one.
SETTINGS = [
    ("imdb_rnn", {"cell": "gru", "bidirectional": False}),
    ("addition_seq2seq", {"attention": "bahdanau"}),
    ("english_tagging_crf", {"crf": False}),
    ("ring_gan", {"pack": 1}),
    ("mnist_cnn", {"filters": 8, "epochs": 1, "with_validation": True}),
    ("mackey_glass_rnn", {"cell": "gru", "window": 20}),
    ("shakespeare_rnn", {"cell": "mingru"}),
]
MISTAKES = [
    # recipe, --to, a part of the line
    ("mnist_mpl", None, "did you mean mnist_mlp?"),
    ("xyzzy", None, "`list` shows all of them"),
    ("README.md", None, "expected a recipe"),
    ("cookbook/errors.py", None, "expected a recipe"),
    ("", None, "expected a recipe"),
    ("main/recipes/mnist_cnn.py", None, "there is no such file"),
    ("ring_gan", ".", "such as {folder}/ring_gan.py"),
    ("ring_gan", "tensorflow.py", "would hide the module tensorflow"),
    ("ring_gan", "old.py", "exists: give another file, or --force"),
    ("ring_gan", "new", "does not end in .py"),
    ("ring_gan", "old.py/new.py", "can't be written"),
]


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_becomes_a_script_of_its_own(name):
    text = script_of(recipe_file(name))
    compile(text, name, "exec")
    assert not OURS.search(text)
    titles = re.findall(r"\n\n\n# (.*)\n\n\n", text)
    assert titles == [title for title in SECTIONS if title in titles]
    assert {"Settings", "The recipe"} <= {*titles}
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring
    assert "python recipes/" not in docstring
    header = text.split("\n\n# ")[1]
    for part in ("Keras Cookbook 0.", f"bundle recipes/{name}.py", "pip install keras"):
        assert part in header
    own = re.findall(
        r"^ {4}(\w+): [\w.]+.* = .*#", (ROOT / f"recipes/{name}.py").read_text(), re.M
    )
    for field in {*own} - ABSENT:
        assert f"    {field}: " in text


def is_clean(text, command):
    options = [option for option in RULES if "safe-fixes" not in option]
    if command == "format":
        options = ["--check", "--isolated", "--line-length=88"]
    line = [sys.executable, "-m", "ruff", command, *options, "-"]
    done = subprocess.run(line, input=text, capture_output=True, text=True)
    return done.returncode == 0 or done.stdout


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "mnist_cnn" else pytest.mark.slow)
        for name in NAMES
    ],
)
def test_a_bundle_keeps_the_rules_of_the_project(name):
    text = bundle(recipe_file(name))
    assert is_clean(text, "check") is True
    assert is_clean(text, "format") is True


def test_a_bundle_uses_the_rules_that_the_project_states():
    import tomllib

    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    assert f"--line-length={ruff['line-length']}" in RULES
    assert f"--target-version={ruff['target-version']}" in RULES
    assert f"--select={','.join(ruff['lint']['select'])}" in RULES
    assert f"--ignore={','.join(ruff['lint']['ignore'])}" in RULES


@pytest.mark.parametrize(("recipe", "to", "part"), MISTAKES)
def test_a_mistake_gets_one_line(recipe, to, part, tmp_path, capsys):
    old = tmp_path / "old.py"
    old.write_text("mine\n")
    with pytest.raises(SystemExit) as end:
        bundle_command(recipe, tmp_path / to if to else None, force=False, make=bundle)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert part.format(folder=tmp_path) in error
    assert error.count("\n") == 1
    assert old.read_text() == "mine\n"


def test_without_ruff_one_line_says_what_to_install(monkeypatch, capsys):
    def fails(*args, **options):
        return subprocess.CompletedProcess(args, 1, "", "No module named ruff")

    monkeypatch.setattr(subprocess, "run", fails)
    with pytest.raises(SystemExit) as end:
        bundle_command("xor_from_scratch", None, force=False, make=bundle)
    assert end.value.code == 2
    assert "pip install ruff" in capsys.readouterr().err


def test_the_command_answers_at_once_without_tensorflow(tmp_path):
    to = tmp_path / "deep" / "mine.py"
    code = (
        "import sys; from cookbook.__main__ import main; main();"
        "assert not {'tensorflow', 'keras'} & {*sys.modules}"
    )
    words = ["bundle", "recipes/xor_from_scratch.py", "--to", str(to)]
    began = time.monotonic()
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{to} holds xor_from_scratch" in done.stdout
    assert time.monotonic() - began < 10  # on a busy machine; alone it takes a second
    assert not OURS.search(to.read_text(encoding="utf-8"))


def runs_of_today() -> list:
    """[recipe, settings] for all that today's tests train; tomorrow's are others."""
    day = datetime.date.today().toordinal()
    chosen = [NAMES[(A_DAY * day + i) % len(NAMES)] for i in range(A_DAY)]
    return [*([name, {}] for name in chosen), SETTINGS[day % len(SETTINGS)]]


def results(source: str, folder: Path, runs: list) -> list:
    helper = Path(__file__).parents[1] / "helpers" / "quick_runs.py"
    command = [sys.executable, str(helper), source, str(folder), json.dumps(runs)]
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1", "MPLBACKEND": "agg"}
    environment["PYTHONPATH"] = str(ROOT) if source == "recipes" else ""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_bundles_train_the_weights_of_their_recipes_to_the_bit(tmp_path):
    """A sample that changes with the date; in six days it was every recipe.

    All recipes of the sample run in one process, and all bundles in another one, which
    can't import our packages.
    """
    runs = runs_of_today()
    for name, _ in runs:
        (tmp_path / f"{name}.py").write_text(bundle(recipe_file(name)))
    expected = results("recipes", tmp_path, runs)
    found = results(str(tmp_path), tmp_path, runs)
    assert dict(zip(map(str, runs), found)) == dict(zip(map(str, runs), expected))


@pytest.mark.slow
def test_a_bundle_explains_its_flags_and_refuses_wrong_ones(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(bundle(recipe_file("mackey_glass_rnn")))

    def ends(*words):
        command = [sys.executable, str(script), *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    done = ends("--help")
    assert done.returncode == 0
    for part in ("--cell {lstm,gru}", "kind of the recurrent layer", "--epochs", "30"):
        assert part in done.stdout
    assert "--tune" not in done.stdout
    wrong = ends("--cel", "gru")
    assert wrong.returncode == 2
    assert "--cell" in wrong.stderr
