"""Attributes that always have the same value, or that nobody reads."""

import ast
from ast import AnnAssign, Assign, Call, ClassDef, Compare
from collections.abc import Iterator

from cookbook.slimming.closed_world.accesses import (
    ANY,
    Accesses,
    Uses,
    is_record,
    is_untracked,
)
from cookbook.slimming.closed_world.contexts import is_tested, may_stand_there
from cookbook.slimming.closed_world.keras_names import may_be_read
from cookbook.slimming.closed_world.program import (
    Program,
    is_literal,
    is_number,
    is_pure,
)
from cookbook.slimming.edits.changes import (
    Change,
    replaced,
    stands_alone,
    without,
)

NO_ACTIVATION = "keras.activations.get(None)"


def constant_attributes(program: Program) -> Iterator[Change]:
    """Reads become the value, and the attributes go."""
    accesses = Accesses(program)
    records = {
        accesses.families[name]
        for name, owner in program.classes.items()
        if is_record(owner)
    }

    for (family, name), uses in list(accesses.uses.items()):
        if family == ANY or family in records | accesses.opaque or not uses.writes:
            continue
        if accesses.is_written_elsewhere(name) or not _are_simple(uses, program):
            continue

        is_plain = program.is_plain(_first_class(family, accesses))
        if may_be_read(name) and not (is_plain and not name.startswith("__")):
            continue

        is_seen = accesses.is_read_elsewhere(name)
        if not uses.reads and not is_seen and _may_go(uses, program, is_plain):
            yield [_without_write(write, program) for write in uses.writes]
        else:
            yield from _constant(uses, is_seen, program)


def _first_class(family: str, accesses: Accesses) -> str:
    return next(name for name, own in accesses.families.items() if own == family)


def _are_simple(uses: Uses, program: Program) -> bool:
    """Whether every write is a statement `self.x = value` of its own."""
    for write in uses.writes:
        statement = program.statement_of(write)
        if not isinstance(statement, Assign | AnnAssign):
            return False

        targets = getattr(statement, "targets", [getattr(statement, "target", None)])
        if (write is not statement and targets != [write]) or len(targets) != 1:
            return False
        if statement.value is None or not stands_alone(program, statement):
            return False

    return True


def _values(uses: Uses, program: Program) -> list[tuple[ast.expr, ast.AST]]:
    """[(value, the function that sets it, or a class)]."""
    found = []

    for write in uses.writes:
        statement = program.statement_of(write)
        assert isinstance(statement, Assign | AnnAssign)
        assert statement.value
        outer = program.function_of(statement) or program.parents[statement]
        found.append((statement.value, outer))

    return found


def _may_go(uses: Uses, program: Program, is_plain: bool) -> bool:
    return all(
        is_pure(value) if is_plain else is_untracked(value, function)
        for value, function in _values(uses, program)
    )


def _constant(uses: Uses, is_seen: bool, program: Program) -> Iterator[Change]:
    values = _values(uses, program)
    texts = {program.segment(value) for value, _ in values}
    if texts == {NO_ACTIVATION} and not is_seen:
        yield from _without_activation(uses, program)
        return

    value, _ = values[0]
    is_set_early = all(
        isinstance(outer, ClassDef) or getattr(outer, "name", "") == "__init__"
        for _, outer in values
    )
    if len(texts) > 1 or not is_literal(value) or not is_set_early:
        return

    fits = [may_stand_there(value, read, program) for read in uses.reads]
    if is_number(value) and not all(fits):
        fits = [is_tested(read, program) for read in uses.reads]
        is_seen = True  # formulas name it

    text = program.segment(value)
    reads = [replaced(read, text) for read, good in zip(uses.reads, fits) if good]
    if is_seen or not all(fits):
        if reads:
            yield reads
    else:
        yield reads + [_without_write(write, program) for write in uses.writes]


def _without_activation(uses: Uses, program: Program) -> Iterator[Change]:
    """Takes out the activation of a layer without one, which returns its input."""
    edits = []
    for read in uses.reads:
        parent = program.parents[read]
        if isinstance(parent, Call) and parent.func is read:
            edits.append(replaced(parent, program.segment(parent.args[0])))
        elif isinstance(parent, Compare) and parent.left is read:
            text = program.segment(parent).partition(" is ")[2]
            if text not in ("None", "not None"):
                return

            edits.append(replaced(parent, str(text == "not None")))
        else:
            return

    yield edits + [_without_write(write, program) for write in uses.writes]


def _without_write(write: ast.AST, program: Program):
    return without(program, program.statement_of(write))
