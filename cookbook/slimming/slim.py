"""Takes out of a script what it never uses; what it computes stays the same."""

import ast
import re
from ast import Call, FunctionDef, iter_child_nodes
from collections.abc import Callable, Iterable

from cookbook.one_file.rewrite import Edit
from cookbook.slimming.attributes import constant_attributes
from cookbook.slimming.bases import needless_bases, single_heirs
from cookbook.slimming.closed_world.program import Program, end
from cookbook.slimming.dead import unused_definitions, unused_imports
from cookbook.slimming.edits.changes import Change, edited
from cookbook.slimming.folding import folded
from cookbook.slimming.inlining import handed_on
from cookbook.slimming.local_names import (
    constant_locals,
    overwritten_locals,
    uncounted_loops,
    unread_locals,
)
from cookbook.slimming.parameters import constant_parameters, named_keywords

Pass = Callable[[Program], Iterable[Change]]
PASSES: tuple[Pass, ...] = (
    unused_definitions,
    handed_on,
    constant_parameters,
    named_keywords,
    needless_bases,
    single_heirs,
    constant_attributes,
    folded,
    constant_locals,
    overwritten_locals,
    unread_locals,
    uncounted_loops,
    unused_imports,
)
ROUNDS = 40  # more than any script has needed


def slimmed(text: str, passes: tuple[Pass, ...] = PASSES) -> str:
    """The script after all passes, which are repeated until none finds anything."""
    program = Program(text)
    for _ in range(ROUNDS):
        before = program
        for one in passes:
            text = edited(program.text, one(program))
            if text != program.text:
                program = Program(text)
        if program is before:
            break
    return _without_idle_commas(program)


def _without_idle_commas(program: Program) -> str:
    """The text without commas behind the last argument of calls and signatures.

    The formatter writes what fits into one line only where no such comma stands.
    """
    changes = []
    for node in program.nodes:
        last: ast.AST | None = None
        if isinstance(node, Call):
            last = max([*node.args, *node.keywords], key=end, default=None)
        elif isinstance(node, FunctionDef):
            last = max(_parts(node.args), key=end, default=None)
        # A generator that is the only argument ends with the call's own bracket.
        if last is not None and end(last) < end(node):
            changes.append(_without_comma(program, end(last)))
    return edited(program.text, [change for change in changes if change])


def _parts(arguments: ast.arguments) -> list[ast.AST]:
    return list(iter_child_nodes(arguments))


def _without_comma(program: Program, place: tuple[int, int]) -> Change:
    line, column = place
    rest = program.lines[line - 1].encode()[column:].decode()
    found = re.match(r"\s*,\s*$", rest) or re.match(r"\s*,(?=\s*\))", rest)
    if not found:
        return []
    return [Edit(place, (line, column + len(found[0].encode())), "")]
