"""The files of notebooks: docs/notebooks, and those that a user asks for."""

import ast
from collections.abc import Callable, Mapping
from pathlib import Path

from cookbook.errors import fail
from cookbook.pages.catalogue import Entry, checkout, recipes
from cookbook.plain.script import plain_scripts
from cookbook.takeaway.bundle import NOTEBOOK

PAGE = """\
# Notebooks

Here each recipe is a notebook that needs nothing of this project: prose, code in
cells, and one cell with the settings, to change and run again. The notebooks are the
short form of the recipes, which `bundle --plain` writes: they use Keras's own classes
wherever ours are proven equal to them. Download one and open it in Jupyter or VS Code,
or upload it to Google Colab, where its first cell installs what it imports.

`python -m cookbook bundle mnist_cnn --to FILE.ipynb` writes the long form, with all the
components that the recipe uses, and with `--plain` the short one. The notebooks in this
folder are written by `python -m cookbook notebooks`; a test compares them with the
recipes.

| notebook | recipe | what it is |
|---|---|---|
"""


def as_notebook(make: Callable[[Path], str]) -> Callable[[Path], str]:
    """A function that gives the notebook of a recipe instead of its script.

    make: gives the script for a recipe's file, such as `bundle`.
    """
    return lambda recipe: text_of_notebook(make(recipe))


def write_notebooks() -> None:
    """Renews docs/notebooks: the notebooks of all recipes, and the page of them."""
    folder = checkout() / "docs" / "notebooks"
    folder.mkdir(exist_ok=True)
    files = all_files(all_scripts())
    for path in folder.glob(f"*{NOTEBOOK}"):
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    print(f"{folder}: {len(files) - 1} notebooks")


def all_scripts() -> dict[str, str]:
    """{name of a recipe: the script that its notebook shows}."""
    files = {entry.name: checkout() / entry.file for entry in recipes()}
    return dict(zip(files, plain_scripts([*files.values()])))


def all_files(scripts: Mapping[str, str]) -> dict[str, str]:
    """{name of a file in docs/notebooks: its text}."""
    files = {
        f"{name}{NOTEBOOK}": text_of_notebook(script)
        for name, script in scripts.items()
    }
    return {**files, "README.md": PAGE + "".join(map(_row, recipes()))}


def text_of_notebook(script: str) -> str:
    """The text of a script's notebook; ends the program where nbformat is missing."""
    notebook, writes = _tools()
    return writes(notebook(script, _title(script))) + "\n"


def _tools() -> tuple[Callable, Callable]:
    """(notebook, nbformat.writes), which only this needs."""
    try:
        import nbformat
    except ModuleNotFoundError:
        fail("a notebook needs nbformat to be written: pip install nbformat")
    from cookbook.notebooks.notebook import notebook

    return notebook, nbformat.writes


def _title(script: str) -> str:
    """The first paragraph of the script's docstring, without its full stop."""
    docstring = ast.get_docstring(ast.parse(script)) or ""
    return " ".join(docstring.split("\n\n")[0].split()).rstrip(".")


def _row(entry: Entry) -> str:
    """The line of a recipe in the page."""
    notebook = f"[{entry.name}{NOTEBOOK}]({entry.name}{NOTEBOOK})"
    recipe = f"[{entry.name}.py](../../{entry.file})"
    return f"| {notebook} | {recipe} | {entry.summary.rstrip('.')} |\n"
