"""Classes and constructors that add nothing to those that they build on."""

import ast
from collections.abc import Iterator

from cookbook.one_file.rewrite import Edit
from cookbook.slimming.changes import Change, without
from cookbook.slimming.closed_world.calls import Callee, Calls, calls_of
from cookbook.slimming.closed_world.bindings import Bindings
from cookbook.slimming.closed_world.program import Program, place

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


def _is_empty(node: ast.ClassDef) -> bool:
    """Whether a class has a docstring at most."""
    return all(
        isinstance(s, ast.Pass)
        or isinstance(s, ast.Expr)
        and isinstance(s.value, ast.Constant)
        for s in node.body
    )


def _taken_out(name: str, program: Program) -> Iterator[Change]:
    """Gives the subclasses of a class its bases, if it is only named as a base."""
    heirs = [c for c in program.classes.values() if name in program.bases[c.name]]
    named = [
        node for node in program.nodes if isinstance(node, ast.Name) and node.id == name
    ]
    if not heirs or any(
        not isinstance(program.parents[node], ast.ClassDef) for node in named
    ):
        return
    edits = []
    for heir in heirs:
        bases: list[str] = []
        for base in heir.bases:
            parts = [base]
            if isinstance(base, ast.Name) and base.id == name:
                parts = program.classes[name].bases
            bases += map(program.segment, parts)
        unique = [base for i, base in enumerate(bases) if base not in bases[i + 1 :]]
        if heir.keywords or len(set(unique)) < len(unique):
            return
        first, _, left, _ = place(heir.bases[0])
        _, last, _, right = place(heir.bases[-1])
        edits.append(Edit((first, left), (last, right), ", ".join(unique)))
    yield edits


def _only_hands_on(callee: Callee, calls: Calls, bindings: Bindings) -> bool:
    """Whether a constructor passes its arguments, under their names, to the next one."""
    node = callee.node
    if callee.is_fixed or callee.is_escaping or len(node.body) != 1:
        return False
    statement = node.body[0]
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return False
    call = statement.value
    if ast.unparse(call.func) != "super().__init__" or node.args.kwarg:
        return False
    names = [argument.arg for argument in callee.named]
    above = calls.targets(call) or []
    if len(above) > 1:
        return False
    taken = [argument.arg for argument in above[0].positional] if above else []
    handed = [getattr(value, "id", None) for value in call.args]
    handed += [k.arg for k in call.keywords if getattr(k.value, "id", "") == k.arg]
    if handed != names or len(handed) != len(call.args) + len(call.keywords):
        return False
    if call.args and handed[: len(call.args)] != taken[: len(call.args)]:
        return False
    return all(
        _means_the_same(site.call, names, taken, bool(above)) for site in callee.sites
    )


def _means_the_same(
    call: ast.Call, names: list[str], taken: list[str], is_ours: bool
) -> bool:
    """Whether a call may go to the constructor above, which takes `taken` in order."""
    given = names[: len(call.args)] + [k.arg or "" for k in call.keywords]
    if sorted(given) != sorted(names) or any(
        isinstance(value, ast.Starred) for value in call.args
    ):
        return False
    positional = names[: len(call.args)]
    return positional == taken[: len(call.args)] if is_ours else not positional


def _registrations(program: Program) -> Iterator[Change]:
    """Takes out the decorators that make a class known to Keras's files."""
    for node in program.tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            if program.segment(decorator).startswith(REGISTERING):
                first, last, _, _ = place(decorator)
                yield [Edit((first, 0), (last + 1, 0), "")]

