"""Statements that always or never run, and statements without effect."""

import ast
from ast import (
    Assign,
    Break,
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
    name_of,
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

    is_elif = _is_elif(node, program)
    is_dead = not literal_value(node.test)
    if is_dead and not node.orelse and not is_elif:
        yield [without(program, node)]
        return

    first, last = whole_lines(program, node)
    if is_dead and _is_chained(node, program):
        # The next condition becomes the first; what follows it stays as it is.
        last = node.orelse[0].lineno
        line = program.lines[last - 1].lstrip()
        word = "elif" if is_elif else "if"
        text = " " * node.col_offset + word + line.removeprefix("elif") + "\n"
    else:
        rest = _rest_of_branch(node, is_elif, program)
        if rest is None:
            return
        text = rest

    comments = program.lines[first - 1 : node.lineno - 1]
    kept = "".join(f"{comment}\n" for comment in comments)
    yield [lines_replaced(first, last, kept + text)]


def _rest_of_branch(node: If, is_elif: bool, program: Program) -> str | None:
    """What is left of a condition that is known; None if its text is unusual."""
    if literal_value(node.test):
        block = node.body
        header, _ = end(node.test)
    elif node.orelse:
        block = node.orelse
        header = _line_of_else(node, program)
    else:
        return ""

    if header == 0:
        return None

    if is_elif:
        # The branches before it stay, so that it becomes their `else`.
        text = dedented(program, block, header, block[0].col_offset)
        return " " * node.col_offset + f"else:\n{text}"

    return dedented(program, block, header, node.col_offset)


def _line_of_else(node: If, program: Program) -> int:
    """The line of the word `else`; 0 if it does not stand alone."""
    line, _ = end(node.body[-1])
    first = node.orelse[0].lineno
    while line < first:
        line += 1
        if program.lines[line - 1].strip() == "else:":
            return line

    return 0


def _is_elif(node: If, program: Program) -> bool:
    line = program.lines[node.lineno - 1]
    return line.lstrip().startswith("elif")


def _is_chained(node: If, program: Program) -> bool:
    """Whether an `elif` follows, and not an `else` with an `if` in it."""
    if not node.orelse:
        return False

    rest = node.orelse[0]
    return isinstance(rest, If) and _is_elif(rest, program)


def unreachable(block: list[ast.stmt], program: Program) -> Iterator[Change]:
    """Takes out what stands behind a return in the same block."""
    for statement in block[:-1]:
        if isinstance(statement, Return | Raise | Continue | Break):
            last, _ = end(statement)
            final, _ = end(block[-1])
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

    # x = x
    if isinstance(node, Assign):
        target = node.targets[0]
        if not isinstance(target, Name):
            return False
        return target.id == name_of(node.value)

    # A value that nobody takes; a text is a docstring.
    if isinstance(node, Expr):
        value = getattr(node.value, "value", None)
        if isinstance(value, str) or program.function_of(node) is None:
            return False
        return is_pure(node.value)

    # A return without a value at the end of a function.
    if isinstance(node, Return):
        is_last = isinstance(parent, FunctionDef) and parent.body[-1] is node
        return node.value is None and is_last

    # `pass` beside other statements.
    if isinstance(node, Pass):
        blocks = [block for block in blocks_of(parent) if node in block]
        return any(len(block) > 1 for block in blocks)

    # A condition on which nothing depends.
    if isinstance(node, If) and not node.orelse and len(node.body) == 1:
        is_empty = isinstance(node.body[0], Pass) and is_pure(node.test)
        return is_empty and not _is_elif(node, program)

    return False


def _one_by_one(node: Assign, program: Program) -> Iterator[Change]:
    """`self.a = self.b = None` becomes two statements."""
    parts = [program.segment(target) for target in node.targets]
    are_attributes = all(part.startswith("self.") for part in parts)
    if is_literal(node.value) and are_attributes:
        value = program.segment(node.value)
        margin = "\n" + " " * node.col_offset
        text = margin.join(f"{part} = {value}" for part in parts)
        yield [replaced(node, text)]
