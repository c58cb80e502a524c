"""Classes and constructors that add nothing to those that they build on."""

import ast
from ast import (
    Call,
    ClassDef,
    Constant,
    Expr,
    FunctionDef,
    Load,
    Name,
    Pass,
    Return,
    Starred,
    get_docstring,
    unparse,
    walk,
)
from collections.abc import Iterator

from cookbook.one_file.rewrite import Edit, applied
from cookbook.slimming.closed_world.accesses import is_record
from cookbook.slimming.closed_world.bindings import Bindings, stores
from cookbook.slimming.closed_world.calls import Callee, Calls, calls_of
from cookbook.slimming.closed_world.changes import (
    Change,
    replaced,
    stands_alone,
    whole_lines,
    without,
)
from cookbook.slimming.closed_world.program import (
    NOWHERE,
    Program,
    arguments_of,
    bound_by,
    place,
)

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
        unique = [base for i, base in enumerate(bases) if base not in bases[i + 1 :]]
        if heir.keywords or len(set(unique)) < len(unique):
            return
        first, _, left, _ = place(heir.bases[0])
        _, last, _, right = place(heir.bases[-1])
        edits.append(Edit((first, left), (last, right), ", ".join(unique)))
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
    call: Call, names: list[str], taken: list[str], is_ours: bool
) -> bool:
    """Whether a call may go to the constructor above, which takes `taken` in order."""
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
            change = _Merger(base, heirs[0], program).change()
            if change:
                yield change


class _Merger:
    """The edits that merge a base class into a class."""

    def __init__(self, base: ClassDef, heir: ClassDef, program: Program) -> None:
        self.base = base
        self.heir = heir
        self.program = program
        self.members = [_named(base), _named(heir)]

    def change(self) -> Change | None:
        """All edits; None if the merger is not simple."""
        base, heir = self.base, self.heir
        own, others = self.members
        is_public = not base.name.startswith("_")
        if base.decorator_list or base.keywords or heir.keywords or len(heir.bases) > 1:
            return None
        if (is_public and set(others) - {"__init__"}) or is_record(base):
            return None
        if set(own) & set(others) - {"__init__"} or None in (*own, *others):
            return None
        edits = [without(self.program, base), *self._bases()]
        both = "__init__" in own and "__init__" in others
        if both:
            constructor = self._constructor()
            if constructor is None:
                return None
            edits.append(constructor)
        left = [node for name, node in own.items() if not (both and name == "__init__")]
        return [*edits, *self._inserted(left)]

    def _bases(self) -> Iterator[Edit]:
        bases = ", ".join(map(self.program.segment, self.base.bases))
        if bases:
            yield replaced(self.heir.bases[0], bases)
        else:
            first, last, left, right = place(self.heir.bases[0])
            yield Edit((first, left - 1), (last, right + 1), "")

    def _constructor(self) -> Edit | None:
        """The body of the base's constructor in place of super().__init__()."""
        outer, inner = self.members[1]["__init__"], self.members[0]["__init__"]
        assert isinstance(outer, FunctionDef)
        assert isinstance(inner, FunctionDef)
        calls = [
            s
            for s in outer.body
            if isinstance(s, Expr)
            and isinstance(s.value, Call)
            and unparse(s.value.func) == "super().__init__"
        ]
        if len(calls) != 1 or not stands_alone(self.program, calls[0]):
            return None
        given = self._given(calls[0], inner)
        if given is None or any(_is_local(s) for s in walk(inner)):
            return None
        taken = {n.id for n in walk(outer) if isinstance(n, Name)}
        free = {n.id for n in walk(inner) if isinstance(n, Name)} - set(given)
        free -= {outer.args.args[0].arg}
        if free & taken & _stored(outer):
            return None
        first = inner.body[1 if get_docstring(inner) else 0]
        top, _ = whole_lines(self.program, first)
        lines = self.program.lines[top - 1 : inner.body[-1].end_lineno]
        edits = [
            replaced(node, given[node.id])
            for node in walk(inner)
            if isinstance(node, Name) and node.id in given
        ]
        if any(edit.start[0] == NOWHERE for edit in edits):
            return None
        text = applied(edits, "\n".join(lines), top)
        line, last = whole_lines(self.program, calls[0])
        return Edit((line, 0), (last + 1, 0), text + "\n")

    def _given(self, statement: ast.stmt, inner: FunctionDef) -> dict[str, str] | None:
        """{argument of the base's constructor: what the heir passes}."""
        assert isinstance(statement, Expr)
        assert isinstance(statement.value, Call)
        call, a = statement.value, inner.args
        if a.vararg or a.posonlyargs:
            return None
        names = [argument.arg for argument in a.args[1:]]
        values: dict[str, ast.expr] = dict(zip(names, call.args))
        extra = a.kwarg.arg if a.kwarg else ""
        known = {*names, *(k.arg for k in a.kwonlyargs)}
        for keyword in call.keywords:
            if keyword.arg is None:
                if not extra or self.program.segment(keyword.value) != extra:
                    return None
                known.add(extra)
                values[extra] = keyword.value
            elif keyword.arg not in known:
                return None
            else:
                values[keyword.arg] = keyword.value
        if len(call.args) > len(names) or set(values) != known:
            return None
        if extra and extra not in values:
            return None
        simple = Name | Constant
        if not all(isinstance(value, simple) for value in values.values()):
            return None
        if any(stores(inner, name) for name in known):
            return None
        return {name: self.program.segment(v) for name, v in values.items()}

    def _inserted(self, nodes: list[ast.stmt]) -> Iterator[Edit]:
        """Puts members of the base into the heir: fields first, then methods."""
        program, body = self.program, self.heir.body
        fields = [n for n in nodes if not isinstance(n, FunctionDef)]
        methods = [n for n in nodes if isinstance(n, FunctionDef)]
        is_documented = get_docstring(self.heir) is not None
        start = body[0].end_lineno if is_documented else self.heir.body[0].lineno - 1
        constructor = self.members[1].get("__init__")
        after = start if constructor is None else constructor.end_lineno
        text = {start: "", after: ""}
        if fields:
            text[start] += "".join(f"\n{_lines(node, program)}" for node in fields)
        text[after] += "".join(f"\n{_lines(node, program)}" for node in methods)
        for line, part in text.items():
            assert line is not None
            if part:
                yield Edit((line + 1, 0), (line + 1, 0), f"{part}\n")


def _lines(node: ast.stmt, program: Program) -> str:
    first, last = whole_lines(program, node)
    return "\n".join(program.lines[first - 1 : last]) + "\n"


def _named(owner: ClassDef) -> dict[str | None, ast.stmt]:
    """{name: member of a class}; None stands for what has no name of its own."""
    found: dict[str | None, ast.stmt] = {}
    for node in owner.body:
        if isinstance(node, Expr) and isinstance(node.value, Constant):
            continue
        names = list(bound_by(node))
        name = names[0] if len(names) == 1 else None
        found[None if name in found else name] = node
    return found


def _is_local(node: ast.AST) -> bool:
    """Whether it binds a local name, or returns early."""
    is_name = isinstance(node, Name) and not isinstance(node.ctx, Load)
    return is_name or isinstance(node, Return)


def _stored(function: FunctionDef) -> set[str]:
    arguments = {argument.arg for argument in arguments_of(function)}
    return arguments | {
        node.id
        for node in walk(function)
        if isinstance(node, Name) and not isinstance(node.ctx, Load)
    }


def _registrations(program: Program) -> Iterator[Change]:
    """Takes out the decorators that make a class known to Keras's files."""
    for node in program.tree.body:
        if not isinstance(node, FunctionDef | ClassDef):
            continue
        for decorator in node.decorator_list:
            if program.segment(decorator).startswith(REGISTERING):
                first, last, _, _ = place(decorator)
                yield [Edit((first, 0), (last + 1, 0), "")]
