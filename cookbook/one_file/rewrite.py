"""The text of a definition as it stands in another file, under its name there."""

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cookbook.one_file.needs import Meaning, Need
from cookbook.one_file.source import Definition, is_ours

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
    edits = [_replaced(need.place, name_of(need.meaning)) for need in needs]
    new_name = name_of(definition)
    if new_name != definition.name:
        edits.append(_renamed(definition, new_name))
    for node in ast.walk(definition.node):
        if isinstance(node, ast.Constant) and node.value == REGISTERED:
            edits.append(_replaced(node, f'"{registered}"'))
        elif isinstance(node, ast.ImportFrom) and _is_ours(node):
            start = (node.lineno, 0)
            edits.append(Edit(start, ((node.end_lineno or 0) + 1, 0), ""))
    return applied(edits, definition.text, definition.first_line)


def applied(edits: Iterable[Edit], text: str, first_line: int = 1) -> str:
    """The text after the edits; it begins in line `first_line` of its file."""
    lines = [line.encode() for line in f"{text}\n".splitlines(keepends=True)]
    for edit in sorted(set(edits), key=lambda edit: edit.start, reverse=True):
        (top, left), (bottom, right) = edit.start, edit.end
        top, bottom = top - first_line, bottom - first_line
        rest = lines[bottom][right:] if bottom < len(lines) else b""
        lines[top : bottom + 1] = [lines[top][:left] + edit.text.encode() + rest]
    return b"".join(lines).decode().removesuffix("\n")


def _replaced(node: ast.expr, text: str) -> Edit:
    end = (node.end_lineno or node.lineno, node.end_col_offset or 0)
    return Edit((node.lineno, node.col_offset), end, text)


def _renamed(definition: Definition, name: str) -> Edit:
    """Gives the definition another name where it is defined."""
    node = definition.node
    if isinstance(node, ast.Assign):
        return _replaced(node.targets[0], name)
    if isinstance(node, ast.AnnAssign):
        return _replaced(node.target, name)
    keyword = "class " if isinstance(node, ast.ClassDef) else "def "
    left = node.col_offset + len(keyword)
    right = left + len(definition.name.encode())
    return Edit((node.lineno, left), (node.lineno, right), name)


def _is_ours(node: ast.ImportFrom) -> bool:
    return bool(node.level) or is_ours(node.module or "")
