"""Statements that always or never run, and statements without effect."""

import ast
from ast import (
    Assign,
    Break,
    Constant,
    Continue,
    Expr,
    FunctionDef,
    If,
    Name,
    Pass,
    Raise,
    Return,
)
from collections.abc import Iterator

from cookbook.slimming.closed_world.program import (
    Program,
    end,
    is_literal,
    is_pure,
    literal_value,
)
from cookbook.slimming.edits.changes import (
    Change,
    blocks_of,
    dedented,
    lines_replaced,
    replaced,
    stands_alone,
    whole_lines,
    without,
)


def known_branch(node: If, program: Program) -> Iterator[Change]:
    """`if True:` and `if False:`: the branch that runs takes their place."""
    if not stands_alone(program, node):
        return

    is_elif = program.lines[node.lineno - 1].lstrip().startswith("elif")
    if not literal_value(node.test) and not node.orelse and not is_elif:
        yield [without(program, node)]
        return

    text = _rest_of_branch(node, is_elif, program)
    if text is None:
        return

    first, last = whole_lines(program, node)
    if text.lstrip().startswith(("if ", "elif ")) and node.orelse:
        rest = node.orelse[0]
        if isinstance(rest, If) and _is_chained(node, program):
            last = rest.lineno  # what follows belongs to the new condition

    comments = program.lines[first - 1 : node.lineno - 1]
    kept = "".join(f"{comment}\n" for comment in comments)
    yield [lines_replaced(first, last, kept + text)]


def _rest_of_branch(node: If, is_elif: bool, program: Program) -> str | None:
    """What is left of a condition that is known; None if its text is unusual."""
    margin = " " * node.col_offset
    if literal_value(node.test):
        block, header = node.body, end(node.test)[0]
    elif not node.orelse:
        return ""
    elif _is_chained(node, program):
        line = program.lines[node.orelse[0].lineno - 1].lstrip()
        return f"{margin}{'elif' if is_elif else 'if'}{line.removeprefix('elif')}\n"
    else:
        block, header = node.orelse, node.body[-1].end_lineno or 0
        while program.lines[header].strip() != "else:":
            header += 1
            if header >= block[0].lineno:
                return None

        header += 1
    if is_elif:
        return f"{margin}else:\n" + _block(program, block, header)

    return dedented(program, block, header, node.col_offset)


def _is_chained(node: If, program: Program) -> bool:
    """Whether an `elif` follows, and not an `else` with an `if` in it."""
    rest = node.orelse[0]
    if literal_value(node.test) or not isinstance(rest, If):
        return False

    return program.lines[rest.lineno - 1].lstrip().startswith("elif")


def _block(program: Program, block: list[ast.stmt], header: int) -> str:
    return dedented(program, block, header, block[0].col_offset)


def unreachable(block: list[ast.stmt], program: Program) -> Iterator[Change]:
    """Takes out what stands behind a return in the same block."""
    for statement in block[:-1]:
        if isinstance(statement, Return | Raise | Continue | Break):
            (last, _), (final, _) = end(statement), end(block[-1])
            yield [lines_replaced(last + 1, final)]
            return


def idle_statement(node: ast.stmt, program: Program) -> Iterator[Change]:
    """Statements without effect: `x = x`, a lone value, a branch with `pass` alone."""
    if not stands_alone(program, node):
        return
    if isinstance(node, Assign) and len(node.targets) > 1:
        yield from _one_by_one(node, program)
    elif _is_idle(node, program):
        yield [without(program, node)]


def _is_idle(node: ast.stmt, program: Program) -> bool:
    parent = program.parents[node]
    if isinstance(node, Assign):
        target = node.targets[0]
        is_same = program.segment(target) == program.segment(node.value)
        return is_same and isinstance(target, Name)
    if isinstance(node, Expr):
        is_text = isinstance(node.value, Constant) and node.value.value is not None
        return is_pure(node.value) and not is_text and bool(program.function_of(node))
    if isinstance(node, Return):
        is_last = isinstance(parent, FunctionDef) and parent.body[-1] is node
        return node.value is None and is_last
    if isinstance(node, Pass):
        return any(node in block and len(block) > 1 for block in blocks_of(parent))
    if isinstance(node, If) and isinstance(node.body[-1], Pass):
        is_elif = program.lines[node.lineno - 1].lstrip().startswith("elif")
        is_empty = len(node.body) == 1 and not node.orelse
        return is_empty and is_pure(node.test) and not is_elif

    return False


def _one_by_one(node: Assign, program: Program) -> Iterator[Change]:
    """`self.a = self.b = None` becomes two statements."""
    parts = [program.segment(target) for target in node.targets]
    if is_literal(node.value) and all(part.startswith("self.") for part in parts):
        value = program.segment(node.value)
        margin = "\n" + " " * node.col_offset
        text = margin.join(f"{part} = {value}" for part in parts)
        yield [replaced(node, text)]
