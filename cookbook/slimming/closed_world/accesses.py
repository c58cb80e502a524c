"""Where a script reads and sets attributes, by the classes they may belong to."""

import ast
from ast import (
    AnnAssign,
    Assign,
    Attribute,
    AugAssign,
    Call,
    ClassDef,
    Constant,
    FunctionDef,
    Load,
    Name,
    unparse,
    walk,
)
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from cookbook.slimming.closed_world.program import (
    Program,
    is_pure,
    is_super,
    name_of,
    names_in,
)

ANY = "?"  # stands for the family of an object whose class is not known
REFLECTION = ("getattr", "hasattr", "setattr", "delattr")


@dataclass
class Uses:
    """The reads and the writes of one attribute in one family of classes."""

    reads: list[ast.AST] = field(default_factory=list)
    writes: list[ast.AST] = field(default_factory=list)


class Accesses:
    """All reads and writes of attributes.

    A family is a class with all its bases, subclasses and their bases in this file.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.families = _families(program)
        self.uses: dict[tuple[str, str], Uses] = defaultdict(Uses)
        self.opaque: set[str] = set()  # families whose attributes are found by strings
        self.strings: set[str] = set()  # names that may be attributes of any object

        for node in program.nodes:
            if isinstance(node, Attribute):
                self._add(node)
            elif isinstance(node, Call):
                self._add_call(node)

        for name, owner in program.classes.items():
            for statement in owner.body:
                for target in _bound(statement):
                    self.uses[self.families[name], target].writes.append(statement)
        if ANY in self.opaque:
            constants = [n.value for n in program.nodes if isinstance(n, Constant)]
            self.strings |= {value for value in constants if isinstance(value, str)}

    def family_of(self, node: ast.expr) -> str:
        """The family of the object that an expression gives, or ANY."""
        if is_super(node):
            kind = self.program.class_of(node)
        elif isinstance(node, Name) and node.id in self.program.classes:
            kind = node.id
        else:
            kind = self.program.type_of(node)

        return self.families[kind] if kind else ANY

    def _add(self, node: Attribute) -> None:
        root: ast.expr = node

        while isinstance(root, Attribute):
            root = root.value
        if isinstance(root, Name) and root.id in self.program.imported:
            return

        family = self.family_of(node.value)
        if node.attr == "__dict__":
            self.opaque.add(family)

        found = self.uses[family, node.attr]
        uses = found.reads if isinstance(node.ctx, Load) else found.writes
        uses.append(node)
        parent = self.program.parents[node]
        if isinstance(parent, AugAssign):
            found.reads.append(node)

    def _add_call(self, call: Call) -> None:
        name = name_of(call.func)
        if name == "vars":
            self.opaque.update(map(self.family_of, call.args))
        if name not in REFLECTION or len(call.args) < 2:
            return

        text = getattr(call.args[1], "value", None)
        if isinstance(text, str):
            self.strings.add(text)
        else:
            self.opaque.add(self.family_of(call.args[0]))

    def is_read_elsewhere(self, name: str) -> bool:
        """Whether an attribute of this name is read of an object of unknown class."""
        return name in self.strings or bool(self.uses[ANY, name].reads)

    def is_written_elsewhere(self, name: str) -> bool:
        """Whether it is set on an object whose class is not known."""
        return name in self.strings or bool(self.uses[ANY, name].writes)


def _families(program: Program) -> dict[str, str]:
    """{class: a name for all classes that it is connected with by bases}."""
    family = {name: name for name in program.classes}

    for name, bases in program.bases.items():
        for base in bases:
            if base in family:
                old, new = family[name], family[base]
                family = {k: new if v == old else v for k, v in family.items()}

    return family


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, FunctionDef | ClassDef):
        yield statement.name
    elif isinstance(statement, Assign):
        for target in statement.targets:
            yield from (n.id for n in names_in(target))
    elif (
        isinstance(statement, AnnAssign)
        and isinstance(statement.target, Name)
        and statement.value is not None
    ):
        yield statement.target.id


def is_record(owner: ClassDef) -> bool:
    """Whether Python makes the attributes of a class from its fields."""
    parts = [*owner.decorator_list, *owner.bases]
    text = " ".join(map(unparse, parts))
    return any(word in text for word in ("dataclass", "NamedTuple", "Protocol", "Enum"))


def is_untracked(value: ast.expr, function: ast.AST) -> bool:
    """Whether a value is certainly no layer, variable or metric.

    Keras counts these when they become attributes.
    """
    hints = {}
    if isinstance(function, FunctionDef):
        a = function.args
        for argument in (*a.args, *a.kwonlyargs):
            if argument.annotation is not None:
                hints[argument.arg] = unparse(argument.annotation)
    if isinstance(value, Call) and unparse(value.func).endswith("s.get"):
        return all(is_untracked(argument, function) for argument in value.args)
    if not is_pure(value):
        return False

    return all(
        set(hints.get(node.id, "unknown").replace("|", " ").split()) <= HARMLESS
        for node in names_in(value)
        if node.id not in ("float", "int", "bool", "len")
    ) and not any(isinstance(node, Attribute) for node in walk(value))


HARMLESS = {
    *("bool", "float", "int", "None", "str"),
    *("Activation", "Constraint", "Initializer", "Regularizer"),
}
