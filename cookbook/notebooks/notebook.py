"""Notebook of a script: prose from its comments, code in cells, numbers to change."""

import ast
import re
from collections.abc import Iterator, Sequence

import nbformat

from cookbook.notebooks.markdown import prose, sentence
from cookbook.notebooks.packages import requirements_of
from cookbook.notebooks.script_parts import (
    Parts,
    Passage,
    Section,
    first_line_of,
    last_line,
    parts_of,
)
from cookbook.notebooks.unrolling import can_unroll, steps_of

LONGEST = 30  # lines of several small definitions in one cell
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
GUIDE = """\
Run the cells from top to bottom. The numbers that you may want to change stand together
near the end, below **Settings to change**. As they stand there, the run takes seconds
and shows how everything works; its result means nothing yet."""
INTRODUCTIONS = {
    "Settings": "What can be set, and the usual values.",
    "Components": "The building blocks that the recipe uses.",
    "Data": "How the data are read and divided into batches.",
    "Training": "How a model is trained.",
    "Network": "The network, and how it is compiled.",
    "Evaluation": "What is measured and drawn at the end.",
    "Pictures and figures": "What is measured and drawn at the end.",
    "The recipe": "The settings and the functions that are this recipe's own.",
}
CHANGE = """\
## Settings to change

Change a number, then run this cell and those below it. With `quick=True` the run takes
seconds, and its result means nothing. With `quick=False` it does the whole work, and
downloads the data if it needs any."""
SMALLER = "With `quick=True`, what you leave as it is here becomes {settings}."
FIGURES = """\
for name, value in result.figures.items():
    print(f"{name}: {value}")"""
PICTURES = """\
from pathlib import Path

from IPython.display import SVG, Image, display

for picture in sorted(%s):
    if picture.suffix in (".png", ".gif", ".svg"):
        print(picture.name)
        show = SVG if picture.suffix == ".svg" else Image
        display(show(filename=str(picture)))"""
OF_RUN = 'Path(result.folder).rglob("*")'
HERE = 'Path(".").glob("*")'


def notebook(script: str, title: str) -> nbformat.NotebookNode:
    """The notebook of a script that `bundle` wrote.

    script: the text of the script, which ends in `main(config)`.
    title: the heading of the notebook.
    """
    parts = parts_of(script, INTRODUCTIONS)
    cells = [
        *_beginning(parts, title, requirements_of(script)),
        *(cell for section in parts.sections for cell in _section(section)),
        _text(_change(parts)),
        _code("\n".join(["config = Config(", *parts.config, ")"])),
        *_run(parts),
        *_ending(parts, script),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number:03}"
    return nbformat.v4.new_notebook(cells=cells, metadata=METADATA)


def _text(source: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(source)


def _code(source: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source)


def _beginning(
    parts: Parts, title: str, requirements: Sequence[str]
) -> Iterator[nbformat.NotebookNode]:
    """The title, the docstring, what to install, and the imports."""
    paragraphs = [f"# {title}", _without_commands(parts.docstring, title)]
    paragraphs.append(GUIDE)
    yield _text("\n\n".join(paragraph for paragraph in paragraphs if paragraph))
    yield _code(_installation(requirements))
    yield _code(parts.imports)


def _without_commands(docstring: str, title: str) -> str:
    """The docstring as Markdown, without its command lines and its title."""
    text = re.sub(r"^ {4}python .*\n?", "", docstring, flags=re.MULTILINE)
    first, _, rest = text.partition("\n\n")
    is_title = " ".join(first.split()).rstrip(".") == title
    return prose(rest if is_title else text)


def _installation(requirements: Sequence[str]) -> str:
    """A cell that installs on Colab what the script imports."""
    quoted = [f'"{requirement}"' for requirement in requirements]
    lines = [
        "    %pip install -q",
        *(f"        {requirement}" for requirement in quoted),
    ]
    return "\n".join(
        [
            "# On Colab this installs what the notebook imports; elsewhere it does",
            "# nothing, and you install the packages yourself.",
            "import sys",
            "",
            'if "google.colab" in sys.modules:',
            " \\\n".join(lines),
        ]
    )


def _section(section: Section) -> Iterator[nbformat.NotebookNode]:
    """The cells of a section."""
    if section.title:
        introduction = INTRODUCTIONS.get(section.title, "")
        yield _text(f"## {section.title}\n\n{introduction}".rstrip())
    for group in _groups(section.pieces):
        above, code = _cell(group)
        if above:
            yield _text(above)
        yield _code(code)


def _groups(pieces: Sequence[Passage]) -> Iterator[list[Passage]]:
    """The pieces that share a cell: a class stands alone, small ones together."""
    group: list[Passage] = []
    for piece in pieces:
        length = sum(len(other.lines) for other in [*group, piece])
        is_alone = _is_large(piece) or any(map(_is_large, group))
        if group and (is_alone or _is_told(piece) or length > LONGEST):
            yield group
            group = []
        group.append(piece)
    if group:
        yield group


def _is_large(piece: Passage) -> bool:
    return isinstance(piece.node, ast.ClassDef)


def _is_told(piece: Passage) -> bool:
    """Whether the comment of a piece becomes prose: one line above a constant stays."""
    is_definition = isinstance(piece.node, ast.ClassDef | ast.FunctionDef)
    return len(piece.comment) > (0 if is_definition else 1)


def _cell(group: Sequence[Passage]) -> tuple[str, str]:
    """(Markdown above the cell, the cell's code)."""
    first = group[0]
    above = [sentence(" ".join(first.comment))] if _is_told(first) else []
    if isinstance(first.node, ast.ClassDef) and not first.node.name.startswith("_"):
        told, lines = _without_docstring(first.node, first.lines)
        above = [f"### {first.node.name}", *above, prose(told)]
        return "\n\n".join(part for part in above if part), "\n".join(lines)
    return "\n\n".join(above), _joined(group)


def _without_docstring(
    node: ast.ClassDef, lines: Sequence[str]
) -> tuple[str, Sequence[str]]:
    """(the docstring of a class, its lines without it), where prose can replace it."""
    docstring = ast.get_docstring(node)
    if not docstring or len(node.body) == 1 or re.search(r"^Args:", docstring, re.M):
        return "", lines
    offset = first_line_of(node)
    start = node.body[0].lineno - offset
    end = last_line(node.body[0]) - offset + 1
    rest = lines[end:]
    while rest and not rest[0]:
        rest = rest[1:]
    return docstring, [*lines[:start], *rest]


def _joined(group: Sequence[Passage]) -> str:
    """The code of pieces that share a cell, with the space between them."""
    text = ""
    for piece in group:
        comment = [] if _is_told(piece) else [f"# {line}" for line in piece.comment]
        text += "\n" * (piece.space + 1) + "\n".join([*comment, *piece.lines])
    return text.strip("\n")


def _run(parts: Parts) -> Iterator[nbformat.NotebookNode]:
    """The body of main in cells, or a call of main where that would not be the same."""
    yield _text("## Run it")
    if not can_unroll(parts):
        yield _code(parts.main_text)
        yield _code("result = main(config)")
        return
    for step in steps_of(parts):
        if step.title:
            yield _text(f"### {step.title}")
        yield _code("\n".join(step.lines))


def _change(parts: Parts) -> str:
    """The text above the cell with the settings."""
    if not parts.in_quick:
        return CHANGE
    settings = [f"`{field}={value}`" for field, value in parts.in_quick.items()]
    return f"{CHANGE}\n\n{SMALLER.format(settings=', '.join(settings))}"


def _ending(parts: Parts, script: str) -> Iterator[nbformat.NotebookNode]:
    """The figures and the pictures of a run, and where the notebook comes from.

    A notebook shows what pyplot draws below the cell that does so, but no file.
    """
    if "Run" in parts.names:
        yield _text("## Figures and pictures")
        yield _code(FIGURES)
        yield _code(PICTURES % OF_RUN)
    elif not re.search(r"\bplt\.(?!imsave)\w+\(", script):
        yield _text("## Pictures")
        yield _code(PICTURES % HERE)
    if parts.header:
        yield _text(f"## About this notebook\n\n{prose(parts.header)}")
