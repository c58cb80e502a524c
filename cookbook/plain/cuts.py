"""What a plain script lacks: run folders, checks of flags, pictures of the inside."""

import ast
from collections.abc import Iterator
from typing import Any

from cookbook.one_file.rewrite import Edit
from cookbook.plain.facts import (
    ABSENT,
    Facts,
    blocks,
    call_without_use,
    end_of,
    refuses,
    start_of,
    trains,
)
from cookbook.takeaway.trimming import cut

# Functions whose pictures or lines only a recipe has.
IDLE_CALLS = {
    "draw_motion",
    "draw_alignments",
    "draw_confusion",
    "draw_spectrograms",
    "draw_alignment",
    "draw_contest",
    "print_meanings",
    "save_animation",
}
IDLE_METHODS = {"__post_init__", "idle"}  # of a Config: they check its values
QUICK = "in_quick"
# {function: how many of its arguments stay}, where the short form needs no others.
FIRST_ARGUMENTS = {
    "judged": 1,
    "report_images": 2,
    "report_ring": 3,
    "report_translated_images": 2,
}


def cuts_of_checks(facts: Facts) -> Iterator[Edit]:
    """Takes out functions that only refuse wrong values, and the calls of these."""
    for node in facts.tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in facts.checks:
            yield cut(node, facts.lines)
            continue
        for statement in getattr(node, "body", ()):
            if call_without_use(statement) in facts.checks:
                yield cut(statement, facts.lines)


def cuts_of_statements(facts: Facts) -> Iterator[Edit]:
    """Takes out the statements that a script has no use for."""
    for block in blocks(facts.tree):
        for statement in block:
            if _is_absent(statement):
                yield cut(statement, facts.lines)


def cuts_in(node: ast.AST, facts: Facts) -> Iterator[Edit]:
    """Takes out parts of a node: parameters, arguments, and variables without use."""
    if isinstance(node, ast.FunctionDef):
        yield from _idle_variables(node, facts)
        yield from _parameters(node)
    elif isinstance(node, ast.Call):
        yield from _arguments(node, facts)
    elif isinstance(node, ast.Expr):
        yield from _idle_history(node.value)
    elif isinstance(node, ast.Starred) and isinstance(node.value, ast.Tuple):
        yield from _starred(node, node.value.elts, facts)


def _is_absent(statement: ast.stmt) -> bool:
    """Whether a script has no use for the statement."""
    if isinstance(statement, ast.Expr):
        if call_without_use(statement) in IDLE_CALLS:
            return not trains(statement)
        return _is_of_run(statement.value)

    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
        if isinstance(target, ast.Attribute):
            return target.attr == "scores"
        return getattr(target, "id", "") in ABSENT

    if isinstance(statement, ast.FunctionDef):
        takes_defaults = QUICK in ast.unparse(statement)
        return statement.name in IDLE_METHODS and not takes_defaults

    return isinstance(statement, ast.If) and refuses(statement)


def _is_of_run(call: ast.expr) -> bool:
    """Whether it is a call of a method of the run folder: `run.save(...)`."""
    if not isinstance(call, ast.Call):
        return False
    owner = getattr(call.func, "value", None)
    return getattr(owner, "id", "") == "run"


def _idle_variables(function: ast.FunctionDef, facts: Facts) -> Iterator[Edit]:
    """Cuts assignments to one name that the function does not read."""
    parts = list(ast.walk(function))
    names = [node for node in parts if isinstance(node, ast.Name)]
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}

    for statement in parts:
        if not isinstance(statement, ast.Assign):
            continue
        target, *more = statement.targets
        if more or not isinstance(target, ast.Name) or target.id in read:
            continue

        if trains(statement):
            yield Edit(start_of(statement), start_of(statement.value), "")
        else:
            yield cut(statement, facts.lines)


def _parameters(function: ast.FunctionDef) -> Iterator[Edit]:
    """Cuts the parameters for a run folder, and those that are "auto" by default."""
    parameters = function.args.args
    defaults = function.args.defaults
    first = len(parameters) - len(defaults)

    ends: list[Any] = [p.annotation or p for p in parameters]
    ends[first:] = defaults
    places = list(zip(parameters, ends))

    for i, (parameter, end) in enumerate(places):
        is_auto = isinstance(end, ast.Constant) and end.value == "auto"
        if is_auto or parameter.arg in ABSENT:
            yield _without(places, i)


def _arguments(call: ast.Call, facts: Facts) -> Iterator[Edit]:
    """Cuts the first argument that a script has no use for; others wait their turn."""
    parts = [*call.args, *call.keywords]
    items: list[Any] = sorted(parts, key=start_of)
    places = list(zip(items, items))
    name = getattr(call.func, "id", "")
    most = FIRST_ARGUMENTS.get(name, len(items))

    for i, item in enumerate(items):
        if isinstance(item, ast.keyword) and item.arg == "default":
            yield Edit(start_of(item), start_of(item.value), "")  # name=default
            return
        if i >= most or facts.is_idle(item):
            yield _without(places, i)
            return


def _without(ends: list[tuple[Any, Any]], i: int) -> Edit:
    """Takes item i out of a list of arguments, given where each begins and ends."""
    item, end = ends[i]
    if i + 1 < len(ends):
        following, _ = ends[i + 1]
        return Edit(start_of(item), start_of(following), "")

    if i:
        _, before = ends[i - 1]
        return Edit(end_of(before), end_of(end), "")

    return Edit(start_of(item), end_of(end), "")


def _starred(node: ast.Starred, items: list[ast.expr], facts: Facts) -> Iterator[Edit]:
    """`*(run, name)` among arguments becomes `name`."""
    kept = [item for item in items if not facts.is_idle(item)]
    if len(kept) < len(items):
        text = ", ".join(map(facts.source, kept))
        yield Edit(start_of(node), end_of(node), text)


def _idle_history(value: ast.expr) -> Iterator[Edit]:
    """`model.fit(...).history`, which nothing uses, becomes `model.fit(...)`."""
    if isinstance(value, ast.Attribute) and value.attr == "history":
        yield Edit(end_of(value.value), end_of(value), "")
