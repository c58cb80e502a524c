"""Notebooks: what a script says and does, in cells."""

import ast
import builtins
import datetime
import json

import nbformat
import pytest

from cookbook.__main__ import main
from cookbook.notebooks.files import all_files, all_scripts, text_of_notebook
from cookbook.notebooks.markdown import prose, sentence
from cookbook.notebooks.notebook import notebook
from cookbook.notebooks.packages import requirements_of
from sources import ROOT

FOLDER = ROOT / "docs" / "notebooks"
NAMES = sorted(path.stem for path in (ROOT / "recipes").glob("[!_]*.py"))
SCRIPT = '''\
"""Sums of numbers, which any network can learn.

The second paragraph tells how. For f_x < y the <b> stands still.

    python recipes/sums.py

Paper: Gauss, "On sums", 1787, https://example.org/sums
"""

# Bundled from Keras Cookbook 0.0.0 by the command
#     python -m cookbook bundle recipes/sums.py
# The file is yours.

import os
from dataclasses import dataclass

os.environ.setdefault("SUMS", "1")

import numpy as np
import tyro


# Settings


@dataclass(frozen=True)
class Base:
    """Flags of every script."""

    seed: int = 0  # random seed
    quick: bool = False  # try it out

    def __post_init__(self) -> None:
        if self.quick and self.count == Config.count:
            object.__setattr__(self, "count", 2)


# Components
# One line stays a remark.
SMALL = 1
LARGE = 100
# Two lines tell so much about the constant below them
# that they become prose.
MIDDLE = 10


class Doubled:
    """Doubles a number.

    y = 2 x

    It is linear.
    """

    def call(self, x):
        return 2 * x


def _private(x):
    return x


# Why this function is here.
def add(numbers):
    """The sum."""
    return sum(map(_private, numbers))


# The recipe


@dataclass(frozen=True)
class Config(Base):
    # how many numbers
    # there are
    count: int = 10_000
    factor: float = (
        2 / 4  # what multiplies them, in a comment so long that it has no place beside
        # the value
    )

    in_quick = {"count": 2}


def main(config: Config) -> dict:
    numbers = np.arange(config.count)  # 0, 1, ...
    model = Doubled()

    # The sum is doubled.
    total = model.call(add(numbers))
    return {
        "total": config.factor * total,
    }


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
'''
TITLE = "Sums of numbers, which any network can learn"


@pytest.fixture(scope="module")
def cells():
    return notebook(SCRIPT, TITLE).cells


def codes(cells):
    """The code of the cells, without the cell that installs and the one that shows."""
    found = [cell.source for cell in cells if cell.cell_type == "code"]
    return [code for code in found if "%pip" not in code and "display" not in code]


def texts(cells):
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def definitions(code):
    """{name: its syntax tree, without docstrings} of the functions and classes."""
    found = {}
    for node in ast.parse(code).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            if ast.get_docstring(node):
                node.body = node.body[1:]
            found[node.name] = ast.dump(node)
    return found


def test_the_beginning_is_the_docstring_without_commands(cells):
    first, *_ = texts(cells)
    assert first.startswith(f"# {TITLE}\n\nThe second paragraph")
    assert first.count(TITLE) == 1
    assert "python recipes" not in first
    assert "Gauss, [On sums](https://example.org/sums), 1787" in first
    assert r"f_x < y the \<b> stands" in first


def test_every_section_and_public_class_has_a_heading(cells):
    headings = [line for t in texts(cells) for line in t.split("\n") if line[:1] == "#"]
    assert headings == [
        f"# {TITLE}",
        "## Settings",
        "### Base",
        "## Components",
        "### Doubled",
        "## The recipe",
        "### Config",
        "## Settings to change",
        "## Run it",
        "### Look at the result",
        "## Pictures",
        "## About this notebook",
    ]


def test_a_class_is_told_above_its_cell_and_its_formula_is_code(cells):
    place = next(i for i, cell in enumerate(cells) if "### Doubled" in cell.source)
    told = "### Doubled\n\nDoubles a number.\n\n```text\ny = 2 x\n```\n\nIt is linear."
    assert cells[place].source == told
    code = "class Doubled:\n    def call(self, x):\n        return 2 * x"
    assert cells[place + 1].source == code


def test_comments_become_prose_where_they_tell_something(cells):
    assert "Why this function is here." in texts(cells)
    assert "# One line stays a remark.\nSMALL = 1\nLARGE = 100" in codes(cells)
    prose_of_constant = "Two lines tell so much about the constant below them that they"
    assert f"{prose_of_constant} become prose." in texts(cells)


def test_the_settings_cell_spells_out_every_field_and_is_the_quick_config(cells):
    (cell,) = [code for code in codes(cells) if code.startswith("config = ")]
    assert cell == (
        "config = Config(\n"
        "    quick=True,  # try it out\n"
        "    count=10_000,  # how many numbers there are\n"
        "    # what multiplies them, in a comment so long that it has no place beside "
        "the value\n"
        "    factor=2 / 4,\n"
        "    seed=0,  # random seed\n"
        ")"
    )
    assert any("becomes `count=2`" in text for text in texts(cells))


def test_the_cells_do_what_main_does(cells):
    here, script = {}, {"__name__": "script"}
    for code in codes(cells):
        exec(code, here)
    assert "main" not in here
    exec(SCRIPT.replace("import tyro", ""), script)
    assert here["config"] == here["Config"](quick=True)
    assert here["result"] == script["main"](script["Config"](quick=True))
    assert here["result"] == {"total": 1.0}


def test_main_is_unrolled_with_its_comments(cells):
    assert codes(cells)[-2:] == [
        "# The sum is doubled.\ntotal = model.call(add(numbers))",
        'result = {\n    "total": config.factor * total,\n}',
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("    add = 3\n", "it hides a function that another one may call"),
        ("    len = 3\n", "it hides a function of Python"),
        ("    if config.count > 1: return {}\n", "it returns in the middle"),
        ('    text = """a\n    b"""\n', "the string would lose spaces"),
        ("    yield 1\n", "it gives several values"),
    ],
)
def test_main_is_called_where_its_body_would_mean_something_else(line, why):
    script = SCRIPT.replace("    model = Doubled()\n", f"    model = Doubled()\n{line}")
    found = codes(notebook(script, TITLE).cells)
    assert found[-1] == "result = main(config)", why
    assert found[-2].startswith("def main(config: Config) -> dict:\n    numbers")


@pytest.mark.parametrize(
    ("line", "is_needed"),
    [("plt.plot(x)", False), ("plt.imsave('a.png', x)", True), ("", True)],
)
def test_pictures_that_pyplot_does_not_show_are_shown_at_the_end(line, is_needed):
    script = SCRIPT.replace("    return 2 * x\n", f"    {line}\n        return 2 * x\n")
    sources = [cell.source for cell in notebook(script, TITLE).cells]
    assert any("display(show(" in source for source in sources) == is_needed


def test_the_file_holds_neither_outputs_nor_anything_random():
    text = text_of_notebook(SCRIPT)
    assert text == text_of_notebook(SCRIPT)
    found = json.loads(text)
    nbformat.validate(found)
    assert len({cell["id"] for cell in found["cells"]}) == len(found["cells"])
    for cell in found["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"]
            assert cell["execution_count"] is None


def test_the_install_cell_names_what_is_imported_with_the_projects_versions():
    found = requirements_of("import keras, tyro, os\nfrom sklearn.svm import SVC\n")
    names = [requirement.split(">")[0] for requirement in found]
    assert names == ["keras", "scikit-learn", "tensorflow"]
    assert all("," in requirement for requirement in found)


def test_markdown_keeps_code_and_escapes_what_it_would_swallow():
    assert sentence("`a_b` and _this_ of <eos>") == r"`a_b` and \_this_ of \<eos>"
    assert sentence("see https://a.b/c.") == "see <https://a.b/c>."
    assert prose("Text.\n\n    a = b\n") == "Text.\n\n```text\na = b\n```"


@pytest.fixture(scope="module")
def scripts():
    return all_scripts()


def test_docs_hold_the_notebooks_that_the_recipes_make_now(scripts, monkeypatch):
    """`python -m cookbook notebooks` renews them, in an interactive Python as well."""
    monkeypatch.setattr(builtins, "_", "its last answer", raising=False)
    made = all_files(scripts)
    kept = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert sorted(kept) == sorted([*(f"{name}.ipynb" for name in NAMES), "README.md"])
    stale = [name for name, text in made.items() if kept[name] != text]
    assert not stale, "run: python -m cookbook notebooks"


def test_a_notebook_holds_every_definition_of_its_script(scripts):
    for name, script in scripts.items():
        found = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
        nbformat.validate(found)
        wanted = definitions(script)
        shown = definitions("\n".join(codes(found.cells)))
        # The body of main stands in cells, unless it gives `config` another value.
        main = wanted.pop("main")
        assert shown.pop("main", main) == main
        assert shown == wanted, name


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_needs_neither_our_packages_nor_a_command_line(name):
    found = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    code = "\n".join(codes(found.cells))
    for package in ("tyro", "cookbook", "custom_layers", "recipes"):
        assert f"import {package}" not in code
        assert f"from {package}" not in code


@pytest.mark.parametrize(("flags", "ours"), [([], True), (["--plain"], False)])
def test_a_user_gets_a_notebook_by_the_suffix(
    flags, ours, tmp_path, monkeypatch, capsys
):
    target = tmp_path / "new" / "mine.ipynb"
    command = ["cookbook", "bundle", "backprop_by_hand", "--to", str(target), *flags]
    monkeypatch.setattr("sys.argv", command)
    main()
    found = nbformat.read(target, as_version=4)
    nbformat.validate(found)
    assert ("### Dense" in "".join(texts(found.cells))) == ours
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "exists" in capsys.readouterr().err


def test_without_nbformat_one_line_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "nbformat", None)
    with pytest.raises(SystemExit) as ended:
        text_of_notebook(SCRIPT)
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


BLOCKED = """
import importlib.abc
import sys


class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("cookbook", "custom_layers", "recipes"):
            raise ImportError(f"{name} is blocked")


sys.meta_path.insert(0, Blocked())
"""
TODAY = datetime.date.today().toordinal()
SAMPLE = [NAMES[(3 * TODAY + i) % len(NAMES)] for i in range(3)]


@pytest.mark.slow
@pytest.mark.parametrize("name", SAMPLE)
def test_a_notebook_runs_without_our_packages_and_shows_pictures(
    name, tmp_path, monkeypatch
):
    """Each day another three."""
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    found = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    found.cells.insert(0, nbformat.v4.new_code_cell(BLOCKED))
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(found, timeout=300, kernel_name="python3", resources=place).execute()
    outputs = [output for cell in found.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
