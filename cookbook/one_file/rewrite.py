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
WIDTH = 88  # columns of a line


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
    edits = list(_without_lazy_imports(definition))
    for need in needs:
        old = ast.unparse(need.place)
        new = name_of(need.meaning)
        if old != new:
            _check_place(need.place, old, definition)
            edits.append(_replaced(need.place, new))
    new = name_of(definition)
    if new != definition.name:
        edits.append(_renamed(definition, new))
    for node in ast.walk(definition.node):
        if isinstance(node, ast.Constant) and node.value == REGISTERED:
            edits.append(_replaced(node, f'"{registered}"'))
    text = applied(edits, definition.text, definition.first_line)
    known = set(definition.text.split("\n"))
    lines = [line if line in known else fitted(line) for line in text.split("\n")]
    return "\n".join(lines)


def applied(edits: Iterable[Edit], text: str, first_line: int = 1) -> str:
    """The text after the edits; it begins in line `first_line` of its file."""
    lines = [f"{line}\n".encode() for line in text.split("\n")]
    lines.append(b"")  # an edit may end behind the last line
    for edit in sorted(set(edits), key=_start, reverse=True):
        first, left = edit.start
        last, right = edit.end
        first -= first_line
        last -= first_line
        before = lines[first][:left]
        after = lines[last][right:]
        lines[first : last + 1] = [before + edit.text.encode() + after]
    whole = b"".join(lines).decode()
    return whole.removesuffix("\n")


def _start(edit: Edit) -> tuple[int, int]:
    return edit.start


def fitted(line: str) -> str:
    """A line that a longer name has made too long, on three lines.

    It is divided where the formatter divides it: what its last brackets hold stands
    alone. A line that does not end with brackets stays too long.
    """
    start, end = _last_brackets(line)
    rest = line[end + 1 :]
    if len(line) <= WIDTH or not end or rest not in ("", ",", ":"):
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    parts = (
        line[: start + 1],
        f"{indent}    {line[start + 1 : end]}",
        f"{indent}{line[end:]}",
    )
    return "\n".join(parts)


def _last_brackets(line: str) -> tuple[int, int]:
    """Where the last brackets of a line open and close, of those around others."""
    opened: list[int] = []
    quote = ""
    start = end = 0
    for i, letter in enumerate(line):
        if quote:
            if letter == quote:
                quote = ""
        elif letter in "\"'":
            quote = letter
        elif letter in "([{":
            opened.append(i)
        elif letter in ")]}" and opened:
            start = opened.pop()
            end = i
    return start, end


def _replaced(node: ast.expr, text: str) -> Edit:
    start = (node.lineno, node.col_offset)
    end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    return Edit(start, end, text)


def _check_place(node: ast.expr, text: str, definition: Definition) -> None:
    """Raises CannotCopy unless the text stands at the place that Python names.

    Python does not say exactly where everything stands: not what a type hint with
    escapes holds, and in version 3.11 not every part of an f-string.
    """
    line = definition.line(node.lineno).encode()
    found = line[node.col_offset : node.end_col_offset]
    if found != text.encode():
        raise CannotCopy(
            f"{definition} can't be copied: {text} needs another name, and Python says "
            f"that it stands where {found.decode(errors='replace')!r} does"
        )


def _renamed(definition: Definition, name: str) -> Edit:
    """Gives the definition another name where it is defined."""
    number = definition.node.lineno
    line = definition.line(number)
    found = re.search(rf"\b{definition.name}\b", line)
    assert found, "the name stands in the line in which its definition begins"
    left = len(line[: found.start()].encode())
    right = left + len(definition.name.encode())
    return Edit((number, left), (number, right), name)


def _without_lazy_imports(definition: Definition) -> Iterator[Edit]:
    """Takes out imports from our own packages, with the empty lines that they leave."""
    for block in _blocks(definition.node):
        for run in _lazy_runs(block):
            first = run[0].lineno
            after = _line_after(run[-1])
            above = definition.line(first - 1).strip()
            if not above or above.endswith(":"):
                after = definition.next_filled_line(after)
            text = ""
            is_all = run[0] is block[0] and all(map(is_lazy, block))
            if is_all:
                indent = " " * run[0].col_offset
                text = f"{indent}pass\n"
            yield Edit((first, 0), (after, 0), text)


def _lazy_runs(block: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    """The imports from our own packages, those on following lines together."""
    run: list[ast.stmt] = []
    for statement in filter(is_lazy, block):
        if run and statement.lineno != _line_after(run[-1]):
            yield run
            run = []
        run.append(statement)
    if run:
        yield run


def _line_after(statement: ast.stmt) -> int:
    last = statement.end_lineno or statement.lineno
    return last + 1


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Every list of statements in a definition."""
    for part in ast.walk(node):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(part, name, None)
            if isinstance(block, list) and block:
                yield block
