"""The text of a definition as it stands in another file, under its name there."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cookbook.one_file.names import is_lazy
from cookbook.one_file.needs import Need
from cookbook.one_file.source import Definition, Meaning
from cookbook.one_file.statements import CannotCopy

# The package under which every class of custom_layers registers itself with Keras.
REGISTERED = "keras_cookbook"


@dataclass(frozen=True)
class Edit:
    """New text for a stretch of a file: from (line, column) to (line, column).

    Lines count from 1, and columns count bytes from 0, as in the module `ast`.
    """

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def rewritten(
    definition: Definition,
    needs: Iterable[Need],
    name_of: Callable[[Meaning], str],
    registered: str = REGISTERED,
) -> str:
    """The definition's text with the names that `name_of` gives to what it needs.

    Imports from our own packages inside a function go, because what they import stands
    in the same file.

    registered: the package under which its class registers itself with Keras.
    """
    lines = definition.text.split("\n")
    edits = list(_without_lazy_imports(definition, lines))
    for need in needs:
        old, new = ast.unparse(need.place), name_of(need.meaning)
        if old != new:
            edits.append(_checked(_replaced(need.place, new), old, definition))
    if name_of(definition) != definition.name:
        edits.append(_renamed(definition, lines, name_of(definition)))
    for node in ast.walk(definition.node):
        if isinstance(node, ast.Constant) and node.value == REGISTERED:
            edits.append(_replaced(node, f'"{registered}"'))
    return applied(edits, definition.text, definition.first_line)


def applied(edits: Iterable[Edit], text: str, first_line: int = 1) -> str:
    """The text after the edits; it begins in line `first_line` of its file."""
    lines = [f"{line}\n".encode() for line in text.split("\n")]
    for edit in sorted(set(edits), key=lambda edit: edit.start, reverse=True):
        (top, left), (bottom, right) = edit.start, edit.end
        top, bottom = top - first_line, bottom - first_line
        rest = lines[bottom][right:] if bottom < len(lines) else b""
        lines[top : bottom + 1] = [lines[top][:left] + edit.text.encode() + rest]
    return b"".join(lines).decode().removesuffix("\n")


def _replaced(node: ast.expr, text: str) -> Edit:
    end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    return Edit((node.lineno, node.col_offset), end, text)


def _checked(edit: Edit, old: str, definition: Definition) -> Edit:
    """The edit, if what it replaces is `old`.

    Python does not say exactly where everything stands: not what a type hint with
    escapes holds, and in version 3.11 not every part of an f-string.
    """
    (top, left), (bottom, right) = edit.start, edit.end
    line = definition.text.split("\n")[top - definition.first_line].encode()
    if top != bottom or line[left:right].decode(errors="replace") != old:
        raise CannotCopy(f"{definition}: cannot write {edit.text} in place of {old}")
    return edit


def _renamed(definition: Definition, lines: list[str], name: str) -> Edit:
    """Gives the definition another name where it is defined."""
    number = definition.node.lineno
    line = lines[number - definition.first_line]
    found = re.search(rf"\b{definition.name}\b", line)
    assert found, "the name stands in the line in which its definition begins"
    left, right = (len(line[:end].encode()) for end in found.span())
    return Edit((number, left), (number, right), name)


def _without_lazy_imports(definition: Definition, lines: list[str]) -> Iterator[Edit]:
    """Takes out imports from our own packages, with the empty lines that they leave."""
    for block in _blocks(definition.node):
        for run in _lazy_runs(block):
            first = run[0].lineno - definition.first_line  # as an index into `lines`
            after = (run[-1].end_lineno or 0) - definition.first_line + 1
            above = lines[first - 1].strip()
            if not above or above.endswith(":"):
                while after < len(lines) and not lines[after].strip():
                    after += 1
            is_empty = run[0] is block[0] and all(map(is_lazy, block))
            text = f"{' ' * run[0].col_offset}pass\n" if is_empty else ""
            yield Edit((run[0].lineno, 0), (after + definition.first_line, 0), text)


def _lazy_runs(block: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """The imports from our own packages, those on following lines together."""
    run: list[ast.stmt] = []
    for statement in filter(is_lazy, block):
        if run and statement.lineno != (run[-1].end_lineno or 0) + 1:
            yield run
            run = []
        run.append(statement)
    if run:
        yield run


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Every list of statements in a definition."""
    for part in ast.walk(node):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(part, name, None)
            if isinstance(block, list) and block:
                yield block
