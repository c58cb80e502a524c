"""Changes of a script's text, each of which is made as a whole or not at all."""

import ast
import re
from ast import Constant, JoinedStr, walk
from collections.abc import Iterable, Iterator

from cookbook.one_file.rewrite import Edit, applied
from cookbook.slimming.closed_world.program import NOWHERE, Program, begin, end

Change = list[Edit]
Span = tuple[tuple[int, int], tuple[int, int]]  # (line, column) from and to


def edited(text: str, changes: Iterable[Change]) -> str:
    """The text after all changes that do not touch what an earlier one has changed."""
    taken: list[Edit] = []

    for change in changes:
        edits = _outermost(change)
        if any(edit.start[0] == NOWHERE for edit in edits):
            continue
        if not any(_overlap(edit, other) for edit in edits for other in taken):
            taken += edits

    return applied(taken, text) if taken else text


def _overlap(a: Edit, b: Edit) -> bool:
    return (a.start < b.end and b.start < a.end) or a.start == b.start


def _outermost(edits: Iterable[Edit]) -> list[Edit]:
    """The edits without those inside others."""
    kept: list[Edit] = []

    # Of edits that begin at one place, the longest comes first.
    ordered = sorted(set(edits), key=lambda e: (e.start, [-n for n in e.end]))

    for edit in ordered:
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)

    return kept


def replaced(node: ast.AST, text: str) -> Edit:
    """Another text for an expression."""
    return Edit(begin(node), end(node), text)


def lines_replaced(first: int, last: int, text: str = "") -> Edit:
    """Another text for whole lines, or none."""
    return Edit((first, 0), (last + 1, 0), text)


def without(program: Program, statement: ast.stmt) -> Edit:
    """Takes out a statement with its decorators and the comments right above it.

    A block whose only statement it is gets `pass`.
    """
    first, last = whole_lines(program, statement)
    text = ""
    parent = program.parents.get(statement)

    for block in blocks_of(parent):
        if block == [statement]:
            text = " " * statement.col_offset + "pass\n"

    return lines_replaced(first, last, text)


def blocks_of(node: ast.AST | None) -> Iterator[list[ast.stmt]]:
    """The lists of statements in a statement or a module."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def whole_lines(program: Program, statement: ast.stmt) -> tuple[int, int]:
    """The lines of a statement, with its decorators and the comments above it."""
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(node.lineno for node in decorators)])

    while first > 1 and program.lines[first - 2].lstrip().startswith("#"):
        first -= 1

    return first, statement.end_lineno or statement.lineno


def stands_alone(program: Program, statement: ast.stmt) -> bool:
    """Whether no other statement stands on a statement's lines."""
    before = program.lines[statement.lineno - 1].encode()[: statement.col_offset]

    # A comment may follow.
    after = program.lines[(statement.end_lineno or 0) - 1].encode()
    rest = after[statement.end_col_offset :].decode().strip()
    return not before.strip() and (not rest or rest.startswith("#"))


def dedented(program: Program, block: list[ast.stmt], header: int, to: int) -> str:
    """The lines of a block, moved left until they begin in column `to`.

    header: the last line before the block; comments between both belong to the block.
    """
    last = block[-1].end_lineno or 0
    inside: set[int] = set()  # lines that continue a string

    for node in (n for statement in block for n in walk(statement)):
        if isinstance(node, Constant | JoinedStr):
            inside.update(range(node.lineno + 1, (node.end_lineno or 0) + 1))

    # Strings keep their lines as they are.
    shift = block[0].col_offset - to
    return "".join(
        (line if number in inside else line[min(shift, _indent(line)) :]) + "\n"
        for number, line in enumerate(program.lines[header:last], header + 1)
    )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def without_item(program: Program, span: Span) -> Edit | None:
    """Takes an item out of a call or a signature, with the comma behind it.

    None if the text behind the item is not what was expected.
    """
    (first, left), (last, right) = span

    # Columns count bytes.
    before = program.lines[first - 1].encode()[:left].decode()
    after = program.lines[last - 1].encode()[right:].decode()

    # An item on lines of its own takes the comment behind it along.
    pattern = r"\s*,\s*" if before.strip() else r"\s*,[ \t]*(#.*)?$"
    comma = re.match(pattern, after) or re.match(r"\s*,\s*", after)
    if comma:
        right += len(comma[0].encode())
    elif after.strip() and not re.match(r"\s*[)}\]]", after):
        return None

    return Edit((first, left), (last, right), "")
