"""Local variables that are constants, or that nobody reads."""

import ast
from ast import (
    AnnAssign,
    Assign,
    Attribute,
    Call,
    Constant,
    Dict,
    Expr,
    For,
    FunctionDef,
    Global,
    If,
    Lambda,
    Name,
    Nonlocal,
    Return,
    Tuple,
    walk,
)
from collections.abc import Iterator

from cookbook.one_file.rewrite import Edit
from cookbook.slimming.closed_world.contexts import is_tested, may_stand_there
from cookbook.slimming.closed_world.program import (
    Program,
    is_pure,
    is_read,
    name_of,
    names_in,
)
from cookbook.slimming.edits.changes import (
    Change,
    blocks_of,
    replaced,
    stands_alone,
    without,
)

Block = list[ast.stmt]


def constant_locals(program: Program) -> Iterator[Change]:
    """Local names that are None, a boolean or `{}` where they are read."""
    for function in _functions(program):
        for name in _captured(function):
            yield from _always_the_same(function, name, program)
        for node in walk(function):
            for block in blocks_of(node):
                for i, statement in enumerate(block):
                    yield from _carried_on(block, i, statement, function, program)


def _always_the_same(
    function: FunctionDef, name: str, program: Program
) -> Iterator[Change]:
    """Replaces a name that functions inside read, if it has one value only."""
    places = [n for n in names_in(function) if n.id == name]
    writes = [n for n in places if not is_read(n)]
    reads = [n for n in places if is_read(n)]
    statements = [program.parents[write] for write in writes]
    arguments = {n.arg for n in walk(function) if isinstance(n, ast.arg)}
    if not writes or name in arguments:
        return
    values = set()
    for statement in statements:
        if not isinstance(statement, Assign) or not _is_carried(statement.value):
            return
        if len(statement.targets) > 1 or statement not in function.body:
            return
        values.add(program.segment(statement.value))
    if len(values) > 1 or "{}" in values:
        return
    value = statements[0]
    assert isinstance(value, Assign)
    if all(may_stand_there(value.value, read, program) for read in reads):
        edits = [_edit(read, value.value, program) for read in reads]
        gone = [without(program, s) for s in statements if isinstance(s, ast.stmt)]
        yield [*edits, *gone]


def unread_locals(program: Program) -> Iterator[Change]:
    """Takes out local names that a function sets and never reads."""
    for function in _functions(program):
        read = {node.id for node in names_in(function) if is_read(node)}
        for statement in walk(function):
            if not isinstance(statement, Assign | AnnAssign):
                continue
            names = _targets(statement)
            if not names or names & read or not stands_alone(program, statement):
                continue

            if is_pure(statement.value):
                yield [without(program, statement)]
            elif len(names) == 1 and statement.value is not None:
                yield [replaced(statement, program.segment(statement.value))]


def uncounted_loops(program: Program) -> Iterator[Change]:
    """`for i, x in enumerate(y)` whose i is never read becomes `for x in y`."""
    for function in _functions(program):
        read = {name.id for name in names_in(function) if is_read(name)}
        for loop in walk(function):
            if not isinstance(loop, For) or not isinstance(loop.target, Tuple):
                continue

            source = loop.iter
            is_counted = (
                isinstance(source, Call) and name_of(source.func) == "enumerate"
            )
            number, *rest = loop.target.elts
            is_read_nowhere = isinstance(number, Name) and number.id not in read
            if not (is_counted and is_read_nowhere and len(rest) == 1):
                continue

            assert isinstance(source, Call)
            yield [
                replaced(loop.target, program.segment(rest[0])),
                replaced(source, program.segment(source.args[0])),
            ]


def overwritten_locals(program: Program) -> Iterator[Change]:
    """Takes out an assignment whose name is set again before anybody reads it."""
    for function in _functions(program):
        captured = _captured(function)
        for node in walk(function):
            for block in blocks_of(node):
                for i, statement in enumerate(block):
                    if _is_overwritten(statement, block[i + 1 :], captured):
                        yield [without(program, statement)]


def _is_overwritten(statement: ast.stmt, later: Block, captured: set[str]) -> bool:
    if not isinstance(statement, Assign) or not is_pure(statement.value):
        return False
    names = _targets(statement)
    if len(names) != 1 or names & captured:
        return False
    (name,) = names
    for other in later:
        if any(True for _ in _reads([other], name)):
            return False
        if isinstance(other, Assign) and name in _targets(other):
            return True
        if not isinstance(other, Assign | Expr | FunctionDef):
            return False
    return False


def _functions(program: Program) -> Iterator[FunctionDef]:
    yield from program.functions.values()
    for owner in program.classes.values():
        yield from (node for node in owner.body if isinstance(node, FunctionDef))


def _targets(statement: ast.stmt) -> set[str]:
    """The names that an assignment sets; none if it sets anything else."""
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    names = set()
    for target in targets:
        parts = target.elts if isinstance(target, Tuple) else [target]
        for part in parts:
            if not isinstance(part, Name):
                return set()
            names.add(part.id)
    return names


def _captured(function: FunctionDef) -> set[str]:
    """Names in functions inside the function, which run at another time."""
    inside = {name.id for inner in _inner(function) for name in names_in(inner)}
    return inside | _shared(function)


def _inner(function: FunctionDef) -> list[ast.AST]:
    """The functions inside a function."""
    found = [n for n in walk(function) if isinstance(n, FunctionDef | Lambda)]
    return [node for node in found if node is not function]


def _shared(function: ast.AST) -> set[str]:
    """The names that functions inside may set."""
    return {
        name
        for node in walk(function)
        if isinstance(node, Global | Nonlocal)
        for name in node.names
    }


def _carried_on(
    block: Block, i: int, statement: ast.stmt, function: FunctionDef, program: Program
) -> Iterator[Change]:
    """Replaces a name by its literal up to the statement that sets it again."""
    if not isinstance(statement, Assign) or not _is_carried(statement.value):
        return
    names = _targets(statement)
    if len(names) != 1 or len(statement.targets) != 1 or names & _shared(function):
        return
    if not isinstance(statement.targets[0], Name):
        return
    (name,) = names
    edits: list[Edit] = []
    is_set_again = False
    for later in block[i + 1 :]:
        places: list[ast.AST] = [later]
        if _sets(later, name):
            is_set_again = True
            if isinstance(later, If):
                places = [later.test]
            elif isinstance(later, Assign):
                places = [later.value]
            else:
                places = []
        # A function inside reads the name when it is called, perhaps later.
        late = {n for inner in _inner(function) for n in names_in(inner)}
        for read in _reads(places, name):
            if read in late:
                continue

            if not _fits(statement.value, read, program):
                continue
            edits.append(_edit(read, statement.value, program))
        if is_set_again:
            break
    if edits:
        yield edits


def _fits(value: ast.expr, read: Name, program: Program) -> bool:
    if isinstance(value, Dict):  # anything else might change it
        parent = program.parents[read]
        return isinstance(parent, ast.keyword) and parent.arg is None
    if isinstance(value, Constant) and isinstance(value.value, str):
        parent = program.parents[read]
        is_method = isinstance(parent, Attribute)
        return is_method or is_tested(read, program) or isinstance(parent, Return)
    return may_stand_there(value, read, program)


def _edit(read: Name, value: ast.expr, program: Program) -> Edit:
    return replaced(read, program.segment(value))


def _is_carried(value: ast.expr) -> bool:
    """Whether it is None, a boolean or `{}`; other constants deserve their name."""
    if isinstance(value, Dict):
        return not value.keys
    if not isinstance(value, Constant):
        return False
    return isinstance(value.value, str) or value.value in (None, True, False)


def _sets(statement: ast.stmt, name: str) -> bool:
    return any(
        isinstance(node, Name) and node.id == name and not is_read(node)
        for node in walk(statement)
    )


def _reads(places: list[ast.AST], name: str) -> Iterator[Name]:
    for node in names_in(*places):
        if node.id == name and is_read(node):
            yield node
