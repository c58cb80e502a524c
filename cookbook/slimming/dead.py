"""Definitions and imports that nothing names."""

import ast
from ast import (
    AnnAssign,
    Assign,
    Attribute,
    Call,
    ClassDef,
    Constant,
    FunctionDef,
    Import,
    ImportFrom,
    Name,
    unparse,
    walk,
)
from collections import defaultdict
from collections.abc import Iterator

from cookbook.one_file.rewrite import Edit
from cookbook.slimming.closed_world.accesses import ANY, Accesses, is_record
from cookbook.slimming.closed_world.keras_names import (
    CLONED,
    SERIALIZATION,
    may_be_read,
)
from cookbook.slimming.closed_world.program import (
    Program,
    bound_by,
    is_pure,
    is_rebuilding,
    is_super,
)
from cookbook.slimming.edits.changes import Change, without

Definition = FunctionDef | ClassDef | Assign | AnnAssign


def unused_definitions(program: Program) -> Iterator[Change]:
    """Takes out what cannot be reached from the statements that run first."""
    reached = _Reached(program)
    for statement in program.tree.body:
        if _is_definition(statement) and statement not in reached.nodes:
            yield [without(program, statement)]
        elif isinstance(statement, ClassDef):
            for member in statement.body:
                if isinstance(member, FunctionDef) and member not in reached.nodes:
                    yield [without(program, member)]


def unused_imports(program: Program) -> Iterator[Change]:
    """Takes out imported names that are not read."""
    read = {node.id for node in program.nodes if isinstance(node, Name)}
    for node in program.nodes:
        if not isinstance(node, Import | ImportFrom):
            continue
        if getattr(node, "module", "") == "__future__":
            continue

        kept = [a for a in node.names if (a.asname or a.name).split(".")[0] in read]
        if not kept:
            yield [without(program, node)]
        elif len(kept) < len(node.names):
            names = ", ".join(map(program.segment, kept))
            start = "import"
            if isinstance(node, ImportFrom):
                start = f"from {'.' * node.level}{node.module or ''} import"

            end = node.end_lineno or 0, node.end_col_offset or 0
            yield [Edit((node.lineno, node.col_offset), end, f"{start} {names}")]


def _is_definition(statement: ast.stmt) -> bool:
    if isinstance(statement, FunctionDef | ClassDef):
        return True
    if not isinstance(statement, Assign | AnnAssign):
        return False

    value = statement.value
    is_pattern = isinstance(value, Call) and unparse(value.func) in (
        "re.compile",
        "frozenset",
    )
    return is_pattern or is_pure(value)


class _Reached:
    """The statements that may run, found from those that run first."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.accesses = Accesses(program)
        self.nodes: set[ast.AST] = set()
        self.by_name: dict[str, list[ast.stmt]] = defaultdict(list)
        self.named: set[tuple[str, str]] = set()  # attributes that are read
        self.members: dict[tuple[str, str], list[FunctionDef]] = defaultdict(list)
        self.todo: list[ast.AST] = []
        self.rebuilds = False

        for statement in program.tree.body:
            if _is_definition(statement):
                for name in bound_by(statement):
                    self.by_name[name].append(statement)
            else:
                self._reach(statement)

        for name in self.accesses.strings:
            self._read(ANY, name)

        while self.todo:
            self._scan(self.todo.pop())
            if self.rebuilds and not self.todo:
                self._keep_configurations()

    def _reach(self, node: ast.AST) -> None:
        if node not in self.nodes:
            self.nodes.add(node)
            self.todo.append(node)

    def _scan(self, node: ast.AST) -> None:
        if isinstance(node, ClassDef) and node.name in self.program.classes:
            self._scan_class(node)
            return

        for part in walk(node):
            self._note(part)

    def _note(self, part: ast.AST) -> None:
        if isinstance(part, Name):
            for statement in self.by_name.get(part.id, ()):
                self._reach(statement)
        elif isinstance(part, Attribute):
            if is_super(part.value):
                self._read_above(part)
            else:
                self._read(self.accesses.family_of(part.value), part.attr)
        elif isinstance(part, Call):
            self.rebuilds |= is_rebuilding(part, self.program)
        elif isinstance(part, Constant) and isinstance(part.value, str):
            for statement in self.by_name.get(part.value, ()):
                self._reach(statement)  # a type hint in quotes

    def _scan_class(self, node: ClassDef) -> None:
        family = self.accesses.families[node.name]
        for member in node.body:
            if not isinstance(member, FunctionDef):
                self._reach(member)
                for part in walk(member):
                    if isinstance(part, Name):
                        self._read(family, part.id)

                continue

            self.members[family, member.name].append(member)
            is_read = self.named & {(family, member.name), (ANY, member.name)}
            if is_read or self._is_kept(node, member.name):
                self._reach(member)

        for part in (*node.bases, *node.decorator_list, *node.keywords):
            self._reach(part)

    def _is_kept(self, owner: ClassDef, name: str) -> bool:
        """Whether Keras or Python may call the method."""
        if name in SERIALIZATION:
            is_cloned = any(
                CLONED in self.program.orders[other]
                for other in self._heirs(owner, name)
            )
            return is_cloned and name in ("get_config", "from_config")

        outside = {
            base
            for order in self.program.orders.values()
            if owner.name in order
            for base in order
            if base.startswith(".")
        }
        if is_record(owner):
            outside |= {".record"} if "Protocol" in "".join(outside) else set()
        if any(not base.startswith(".keras.") for base in outside):
            return not name.startswith("_") or may_be_read(name)

        return may_be_read(name) if outside else name.startswith("__")

    def _heirs(self, owner: ClassDef, name: str) -> Iterator[str]:
        """The classes with objects of their own that have this method of the class."""
        for other in self.program.instantiated:
            order = self.program.orders[other]
            found = [b for b in order if (b, name) in self.program.methods]
            if found[:1] == [owner.name]:
                yield other

    def _keep_configurations(self) -> None:
        """Reaches the methods that turn objects into configurations, and back."""
        for (_, name), nodes in list(self.members.items()):
            if name in SERIALIZATION:
                for node in nodes:
                    owner = self.program.parents[node]
                    assert isinstance(owner, ClassDef)
                    if any(True for _ in self._heirs(owner, name)):
                        self._reach(node)

    def _read_above(self, part: Attribute) -> None:
        """Reaches what `super().name` may mean."""
        own = self.program.class_of(part)
        for order in self.program.orders.values():
            if own not in order:
                continue

            for base in order[order.index(own) + 1 :]:
                if (base, part.attr) in self.program.methods:
                    self._reach(self.program.classes[base])
                    members = self.program.classes[base].body

                    for node in members:
                        if getattr(node, "name", "") == part.attr:
                            self._reach(node)

                    break

    def _read(self, family: str, name: str) -> None:
        if (family, name) in self.named:
            return

        self.named.add((family, name))
        for (own, member), nodes in self.members.items():
            if member == name and family in (own, ANY):
                for node in nodes:
                    self._reach(node)
