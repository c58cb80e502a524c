"""The edits that merge a base class into its only subclass."""

import ast
from ast import (
    Call,
    ClassDef,
    Constant,
    Expr,
    FunctionDef,
    Name,
    Return,
    get_docstring,
    unparse,
    walk,
)
from collections.abc import Iterator

from cookbook.one_file.rewrite import Edit, applied
from cookbook.slimming.closed_world.accesses import is_record
from cookbook.slimming.closed_world.bindings import stores
from cookbook.slimming.closed_world.program import (
    NOWHERE,
    Program,
    arguments_of,
    begin,
    bound_by,
    end,
    is_read,
    name_of,
    names_in,
)
from cookbook.slimming.edits.changes import (
    Change,
    lines_replaced,
    replaced,
    stands_alone,
    whole_lines,
    without,
)

INIT = "__init__"


class Merger:
    """The edits that merge a base class into a class."""

    def __init__(self, base: ClassDef, heir: ClassDef, program: Program) -> None:
        self.base = base
        self.heir = heir
        self.program = program
        self.of_base = _members(base)
        self.of_heir = _members(heir)

    def change(self) -> Change | None:
        """All edits; None if the merger is not simple."""
        if not self._is_simple():
            return None

        # The base goes, and its members move.
        edits = [without(self.program, self.base), self._new_bases()]
        moved = dict(self.of_base)
        if INIT in self.of_base and INIT in self.of_heir:
            # The base's constructor becomes a part of the other one.
            del moved[INIT]
            constructor = self._constructor()
            if constructor is None:
                return None
            edits.append(constructor)

        return [*edits, *self._inserted(moved)]

    def _is_simple(self) -> bool:
        """Whether no member of one class hides one of the other."""
        base, heir = self.base, self.heir
        if base.decorator_list or base.keywords or is_record(base):
            return False

        # With several bases the order of lookup could change.
        if heir.keywords or len(heir.bases) > 1:
            return False

        # Such as two assignments in one statement.
        if "" in self.of_base or "" in self.of_heir:
            return False

        # A public class is known by its methods, so they stay together.
        others = set(self.of_heir) - {INIT}
        if others and not base.name.startswith("_"):
            return False
        return others.isdisjoint(self.of_base)

    def _new_bases(self) -> Edit:
        """`class Heir(Base)` becomes `class Heir(what Base had)`."""
        old = self.heir.bases[0]
        bases = map(self.program.segment, self.base.bases)
        text = ", ".join(bases)
        if text:
            return replaced(old, text)

        # Without bases the brackets go as well.
        first, left = begin(old)
        last, right = end(old)
        return Edit((first, left - 1), (last, right + 1), "")

    def _constructor(self) -> Edit | None:
        """The body of the base's constructor in place of super().__init__()."""
        outer, inner = self.of_heir[INIT], self.of_base[INIT]
        assert isinstance(outer, FunctionDef)
        assert isinstance(inner, FunctionDef)
        calls = [s for s in outer.body if unparse(s).startswith("super().__init__(")]
        if len(calls) != 1 or not stands_alone(self.program, calls[0]):
            return None

        (statement,) = calls

        given = self._given(statement, inner)
        if given is None or _may_clash(inner, outer, set(given)):
            return None

        # The lines of the body, comments included, with what the heir passes.
        start = 1 if get_docstring(inner) else 0
        top, _ = whole_lines(self.program, inner.body[start])
        lines = self.program.lines[top - 1 : inner.body[-1].end_lineno]
        reads = [name for name in names_in(inner) if name.id in given]
        if any(name.lineno == NOWHERE for name in reads):
            return None

        edits = [replaced(name, given[name.id]) for name in reads]
        text = applied(edits, "\n".join(lines), top)
        first, last = whole_lines(self.program, statement)
        return lines_replaced(first, last, f"{text}\n")

    def _given(self, statement: ast.stmt, inner: FunctionDef) -> dict[str, str] | None:
        """{argument of the base's constructor: what the heir passes}.

        None if that is not a name or a constant for each argument.
        """
        call = getattr(statement, "value", None)
        assert isinstance(call, Call)
        a = inner.args

        names = [argument.arg for argument in a.args[1:]]
        if a.vararg or a.posonlyargs or len(call.args) > len(names):
            return None

        # All arguments have to be given: defaults stay behind.
        known = {*names, *(argument.arg for argument in a.kwonlyargs)}
        if a.kwarg:
            known.add(a.kwarg.arg)

        values: dict[str, ast.expr] = dict(zip(names, call.args))
        for keyword in call.keywords:
            # `**kwargs` may only be handed on to an argument of the same name.
            name = keyword.arg or name_of(keyword.value)
            values[name] = keyword.value
            is_extra = a.kwarg is not None and a.kwarg.arg == name
            if is_extra != (keyword.arg is None):
                return None

        if set(values) != known:
            return None

        for name, value in values.items():
            if not isinstance(value, Name | Constant):
                return None
            if stores(inner, name):
                return None

        return {name: self.program.segment(value) for name, value in values.items()}

    def _inserted(self, members: dict[str, ast.stmt]) -> Iterator[Edit]:
        """Puts members of the base into the heir: fields first, then methods."""
        first = self.heir.body[0]
        start = first.lineno - 1
        if get_docstring(self.heir) is not None:
            start, _ = end(first)

        # Methods follow the constructor, if there is one.
        after = start
        if INIT in self.of_heir:
            after, _ = end(self.of_heir[INIT])

        texts = {start: "", after: ""}

        for node in members.values():
            is_method = isinstance(node, FunctionDef)
            line = after if is_method else start
            top, bottom = whole_lines(self.program, node)
            lines = self.program.lines[top - 1 : bottom]
            texts[line] += "\n" + "\n".join(lines) + "\n"

        for line, text in texts.items():
            if text:
                place = line + 1, 0
                yield Edit(place, place, f"{text}\n")


def _members(owner: ClassDef) -> dict[str, ast.stmt]:
    """{name: member of a class}; "" stands for what has no name of its own."""
    found: dict[str, ast.stmt] = {}
    for node in owner.body:
        is_text = isinstance(node, Expr) and isinstance(node.value, Constant)
        if is_text:
            continue

        names = list(bound_by(node))
        name = names[0] if len(names) == 1 else ""
        # Two members of one name, such as a property's, need each other.
        found["" if name in found else name] = node

    return found


def _may_clash(inner: FunctionDef, outer: FunctionDef, given: set[str]) -> bool:
    """Whether the body of `inner` would mean something else inside `outer`."""
    for node in walk(inner):
        if isinstance(node, Return):
            return True
        if isinstance(node, Name) and not is_read(node):
            return True  # a local name

    # A name of the module that is an argument or a local name there.
    used = {name.id for name in names_in(inner)}
    bound = {argument.arg for argument in arguments_of(outer)}
    bound |= {name.id for name in names_in(outer) if not is_read(name)}
    bound.remove(outer.args.args[0].arg)  # self
    return not bound.isdisjoint(used - given)
