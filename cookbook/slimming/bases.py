"""Classes and constructors that add nothing to those that they build on."""

from ast import (
    Call,
    ClassDef,
    Constant,
    Expr,
    FunctionDef,
    Name,
    Pass,
    Starred,
    unparse,
)
from collections.abc import Iterator

from cookbook.one_file.rewrite import Edit
from cookbook.slimming.closed_world.bindings import Bindings
from cookbook.slimming.closed_world.callees import Callee
from cookbook.slimming.closed_world.calls import Calls, calls_of
from cookbook.slimming.closed_world.program import (
    Program,
    begin,
    end,
    name_of,
)
from cookbook.slimming.edits.changes import (
    Change,
    lines_replaced,
    without,
)
from cookbook.slimming.edits.merger import Merger

REGISTERING = "keras.saving.register_keras_serializable"


def needless_bases(program: Program) -> Iterator[Change]:
    """Bases without a body go, and constructors that only call another one."""

    for name, node in program.classes.items():
        if _is_empty(node) and not node.decorator_list and node.bases:
            yield from _taken_out(name, program)

    calls = calls_of(program)
    bindings = Bindings(calls)

    for callee in calls.methods.values():
        if callee.node.name == "__init__" and _only_hands_on(callee, calls, bindings):
            yield [without(program, callee.node)]
    if not program.rebuilds and "load_model(" not in program.text:
        yield from _registrations(program)


def _is_empty(node: ClassDef) -> bool:
    """Whether a class has a docstring at most."""
    return all(
        isinstance(s, Pass) or (isinstance(s, Expr) and isinstance(s.value, Constant))
        for s in node.body
    )


def _taken_out(name: str, program: Program) -> Iterator[Change]:
    """Gives the subclasses of a class its bases, if it is only named as a base."""
    heirs = [c for c in program.classes.values() if name in program.bases[c.name]]
    named = [
        node for node in program.nodes if isinstance(node, Name) and node.id == name
    ]
    if not heirs or any(
        not isinstance(program.parents[node], ClassDef) for node in named
    ):
        return

    edits = []

    for heir in heirs:
        bases: list[str] = []

        for base in heir.bases:
            parts = [base]
            if isinstance(base, Name) and base.id == name:
                parts = program.classes[name].bases

            bases += map(program.segment, parts)

        # Python wants a base that two bases share behind both.
        unique = [base for i, base in enumerate(bases) if base not in bases[i + 1 :]]
        if heir.keywords or len(set(unique)) < len(unique):
            return

        first, *_, last = [*heir.bases, heir.bases[-1]]
        edits.append(Edit(begin(first), end(last), ", ".join(unique)))

    yield edits


def _only_hands_on(callee: Callee, calls: Calls, bindings: Bindings) -> bool:
    """Whether a constructor passes its arguments on under their names."""
    node = callee.node
    if callee.is_fixed or callee.is_escaping or len(node.body) != 1:
        return False

    statement = node.body[0]
    if not (isinstance(statement, Expr) and isinstance(statement.value, Call)):
        return False

    call = statement.value
    if unparse(call.func) != "super().__init__" or node.args.kwarg:
        return False

    # What the next constructor is called with, argument by argument.
    names = [argument.arg for argument in callee.named]
    above = calls.targets(call) or []
    if len(above) > 1:
        return False

    taken = [argument.arg for argument in above[0].positional] if above else []

    handed = [getattr(value, "id", None) for value in call.args]
    handed += [k.arg for k in call.keywords if name_of(k.value) == k.arg]
    if handed != names or len(handed) != len(call.args) + len(call.keywords):
        return False
    if call.args and handed[: len(call.args)] != taken[: len(call.args)]:
        return False

    return all(
        _means_the_same(site.call, names, taken, bool(above)) for site in callee.sites
    )


def _means_the_same(
    call: Call, names: list[str], taken: list[str], is_ours: bool
) -> bool:
    """Whether a call may go to the constructor above, which takes `taken` in order."""
    # Every argument has to be given: the other constructor may have other defaults.
    given = names[: len(call.args)] + [k.arg or "" for k in call.keywords]
    if sorted(given) != sorted(names) or any(
        isinstance(value, Starred) for value in call.args
    ):
        return False

    positional = names[: len(call.args)]
    return positional == taken[: len(call.args)] if is_ours else not positional


def single_heirs(program: Program) -> Iterator[Change]:
    """Merges a private base into its only subclass."""
    for name, base in program.classes.items():
        heirs = [c for c in program.classes.values() if name in program.bases[c.name]]
        if len(heirs) == 1 and name not in program.instantiated:
            change = Merger(base, heirs[0], program).change()
            if change:
                yield change


def _registrations(program: Program) -> Iterator[Change]:
    """Takes out the decorators that make a class known to Keras's files."""
    for node in program.tree.body:
        if not isinstance(node, FunctionDef | ClassDef):
            continue

        for decorator in node.decorator_list:
            if program.segment(decorator).startswith(REGISTERING):
                (first, _), (last, _) = begin(decorator), end(decorator)
                yield [lines_replaced(first, last)]
