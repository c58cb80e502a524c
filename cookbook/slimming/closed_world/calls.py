"""Who calls which function of a script, and with which arguments."""

import ast
from ast import (
    AnnAssign,
    Assign,
    Attribute,
    Call,
    ClassDef,
    Compare,
    Dict,
    DictComp,
    ExceptHandler,
    GeneratorExp,
    Lambda,
    ListComp,
    Name,
    SetComp,
    Store,
    Subscript,
)
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache

from cookbook.slimming.closed_world.callees import Callee, Site
from cookbook.slimming.closed_world.keras_names import (
    KERAS_OPTIONS,
    may_be_called,
)
from cookbook.slimming.closed_world.program import (
    Function,
    Program,
    arguments_of,
    bound_by,
    is_read,
    is_super,
    name_of,
)

Scope = Function | Lambda | ListComp | SetComp | DictComp
SCOPES = Scope | GeneratorExp
# Decorators that leave the arguments of a function as they are.
TRANSPARENT = ("classmethod", "staticmethod", "contextlib.contextmanager", "cache")
RECIPE = "# The recipe"  # the title of a script's last part
HARMLESS = {"dict", "enumerate", "len", "list", "map", "sorted", "tuple", "zip"}


@lru_cache(maxsize=1)
def calls_of(program: Program) -> "Calls":
    """All calls of a program, read once."""
    return Calls(program)


class Calls:
    """All calls of a program, by what they call."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.functions = {
            name: Callee(None, node) for name, node in program.functions.items()
        }
        self.methods = {
            key: Callee(key[0], node) for key, node in program.methods.items()
        }
        self._bound: dict[ast.AST, set[str]] = {}
        self.unknown: list[Call] = []
        self.stored = {
            node.attr
            for node in program.nodes
            if isinstance(node, Attribute) and isinstance(node.ctx, Store)
        } | set(_fields(program))
        for callee in self.all:
            callee.is_fixed = self._is_fixed(callee)
        self.of_module = {n for s in program.tree.body for n in bound_by(s)}
        self.recipe = _first_line_of_recipe(program)
        for node in program.nodes:
            if isinstance(node, Call):
                self._add(node)
            elif isinstance(node, Name) and is_read(node):
                self._note_value(node)
            elif isinstance(node, Attribute):
                self._note_method_as_value(node)
        for node in program.nodes:
            for name in self._types_of(node):
                for callee in self.constructors(name):
                    callee.is_escaping = True

        for callee in self.all:
            if callee.is_escaping:
                callee.sites += [Site(call, False) for call in self.unknown]

    @property
    def all(self) -> list[Callee]:
        """Every function and method."""
        return [*self.functions.values(), *self.methods.values()]

    @cached_property
    def by_node(self) -> dict[ast.AST, Callee]:
        """{definition: its callee}."""
        return {callee.node: callee for callee in self.all}

    def _is_fixed(self, callee: Callee) -> bool:
        node = callee.node
        texts = [self.program.segment(d) for d in node.decorator_list]
        known = (*TRANSPARENT, "keras.saving.register_keras_serializable")
        if node.args.vararg or any(not text.startswith(known) for text in texts):
            return True
        if callee.owner is None:
            return False
        if node.name != "__init__":
            return may_be_called(node.name)
        # Without a get_config of its own, Keras remembers the arguments as they were.
        program = self.program
        return program.rebuilds and not any(
            (base, "get_config") in program.methods
            for base in program.orders[callee.owner]
        )

    def _types_of(self, node: ast.AST) -> Iterable[str]:
        """The classes that `type(x)` may give, if it is not just shown or compared.

        Then a call of any value may make an object of these classes.
        """
        if isinstance(node, Call) and name_of(node.func) == "type":
            value = node.args[0]
        elif isinstance(node, Attribute) and node.attr == "__class__":
            value = node.value
        else:
            return ()

        if isinstance(self.program.parents[node], Attribute | Compare):
            return ()

        kind = self.program.type_of(value)
        return self.program.related[kind] if kind else self.program.classes

    def is_internal(self, callee: Callee) -> bool:
        """Whether a reader of the recipe does not see what calls pass to it."""
        return callee.is_private or all(
            calls_super(site.call) or 0 < site.call.lineno < self.recipe
            for site in callee.sites
        )

    def accepts(self, callee: Callee, name: str) -> bool:
        """Whether a constructor may get a keyword that it does not name itself."""
        if callee.owner is None or callee.node.name != "__init__":
            return True
        family = self.program.related[callee.owner]
        return name in KERAS_OPTIONS or any(
            name == argument.arg
            for other in family
            if (other, "__init__") in self.methods
            for argument in self.methods[other, "__init__"].named
        )

    def binds(self, scope: ast.AST) -> set[str]:
        """The names that a function or a comprehension binds."""
        if scope not in self._bound:
            self._bound[scope] = set(_bound_in(scope))
        return self._bound[scope]

    def is_local(self, name: Name) -> bool:
        """Whether a name is bound by a function around it."""
        return any(
            name.id in self.binds(scope)
            for scope in self.program.around(name)
            if isinstance(scope, SCOPES)
        )

    def targets(self, call: Call) -> list[Callee] | None:
        """What a call may call in this file; None if that is not known."""
        function = call.func
        if isinstance(function, Name):
            return self._named(function)
        if not isinstance(function, Attribute):
            return None
        owner = function.value
        if is_super(owner):
            return self._above(call, function.attr)
        if self._is_imported(owner):
            return []
        if function.attr in self.stored:
            return None
        found = [c for (_, name), c in self.methods.items() if name == function.attr]
        kind = self.program.type_of(owner)
        if kind:
            found = [c for c in found if c.owner in self.program.related[kind]]
        return found

    def _named(self, name: Name) -> list[Callee] | None:
        defined = {*self.functions, *self.program.classes}
        if name.id in self.program.imported - defined:
            return []
        if self.is_local(name):
            return None
        if name.id in self.functions:
            return [self.functions[name.id]]
        if name.id in self.program.classes:
            return self.constructors(name.id)
        return None if name.id in self.of_module else []

    def constructors(self, name: str) -> list[Callee]:
        """The constructor of a class, if it is of this file."""
        for base in self.program.orders[name]:
            if base.startswith("."):
                break
            if (base, "__init__") in self.methods:
                return [self.methods[base, "__init__"]]
        return []

    def _above(self, call: Call, name: str) -> list[Callee]:
        """What super() may mean: the next class differs from subclass to subclass."""
        own = self.program.class_of(call)
        found: list[Callee] = []
        for order in self.program.orders.values():
            if own not in order:
                continue
            for base in order[order.index(own) + 1 :]:
                if base.startswith("."):
                    break
                if (base, name) in self.methods:
                    found.append(self.methods[base, name])
                    break
        return [c for i, c in enumerate(found) if c not in found[:i]]

    def _is_imported(self, node: ast.expr) -> bool:
        while isinstance(node, Attribute):
            node = node.value
        if not isinstance(node, Name) or self.is_local(node):
            return False
        return node.id in self.program.imported

    def _add(self, call: Call) -> None:
        found = self.targets(call)
        if found is None:
            self.unknown.append(call)
        for callee in found or []:
            callee.sites.append(Site(call))
        name = name_of(call.func)
        if name == "cls":
            own = self.program.class_of(call)
            for other in self.program.related.get(own or "", ()):
                for callee in self.constructors(other):
                    callee.is_fixed = True
        if name == "getattr" and len(call.args) > 1:
            self._fix_methods(getattr(call.args[1], "value", ""))

    def _note_method_as_value(self, node: Attribute) -> None:
        parent = self.program.parents[node]
        if not (isinstance(parent, Call) and parent.func is node):
            self._fix_methods(node.attr)
            return
        is_of_class = name_of(node.value) in self.program.classes
        if is_of_class and not any(
            isinstance(d, Name) and d.id in ("classmethod", "staticmethod")
            for (_, name), callee in self.methods.items()
            if name == node.attr
            for d in callee.node.decorator_list
        ):
            self._fix_methods(node.attr)

    def _fix_methods(self, name: object) -> None:
        for (_, own), callee in self.methods.items():
            if own == name and own != "__init__":
                callee.is_fixed = True

    def _note_value(self, name: Name) -> None:
        """Notes that a function or a class is used as a value, if that is the case."""
        parent = self.program.parents[name]
        if isinstance(parent, Call) and parent.func is name:
            return
        if name.id in self.functions:
            callees = [self.functions[name.id]]
        elif name.id in self.program.classes:
            callees = self.constructors(name.id)
        else:
            return
        if self.is_local(name) or self._is_only_a_type(name):
            return
        in_table = self._calls_of_table(name)
        for callee in callees:
            if in_table is not None:
                callee.sites += [Site(call, False) for call in in_table]
            else:
                callee.is_escaping = True
                callee.is_fixed |= self._leaves_the_file(name)

    def _calls_of_table(self, value: Name) -> list[Call] | None:
        """The calls of what a constant such as {"lstm": LSTM} holds.

        None if the value does not stand in such a table, or if the table is used in
        another way than `TABLE[key](...)`.
        """
        parents = self.program.parents
        table = parents[value]
        statement = parents[table]
        if not (isinstance(table, Dict) and isinstance(statement, Assign)):
            return None
        if parents[statement] is not self.program.tree:
            return None
        (name,) = bound_by(statement)
        found = []
        for node in self.program.nodes:
            if not (isinstance(node, Name) and node.id == name):
                continue
            if node in statement.targets:
                continue
            item = parents[node]
            call = parents[item]
            if not (isinstance(item, Subscript) and isinstance(call, Call)):
                return None
            if call.func is not item:
                return None
            found.append(call)
        return found

    def _is_only_a_type(self, name: Name) -> bool:
        """Whether it is a base, a type hint or compared with, and so not called."""
        child: ast.AST = name
        for node in self.program.around(name):
            if isinstance(node, ClassDef):
                return child in node.bases
            if isinstance(node, ast.arg | AnnAssign):
                return child is node.annotation
            if isinstance(node, Function):
                return child is node.returns
            if isinstance(node, Attribute | Compare | ExceptHandler):
                return True
            if isinstance(node, Call):
                return name_of(node.func) in ("isinstance", "issubclass")
            if isinstance(node, ast.stmt):
                return False
            child = node
        return False

    def _leaves_the_file(self, value: ast.AST) -> bool:
        """Whether a value is an argument of a call that leads out of this file."""
        child = value
        for node in self.program.around(value):
            if isinstance(node, Call) and child is not node.func:
                is_harmless = name_of(node.func) in HARMLESS
                return self.targets(node) == [] and not is_harmless
            if isinstance(node, Function | ClassDef):
                return True  # a decorator, or a default
            if isinstance(node, Assign) and self.program.parents[node] is (
                self.program.tree
            ):
                names = {name for target in node.targets for name in bound_by(target)}
                return any(
                    isinstance(other, Name)
                    and other.id in names
                    and is_read(other)
                    and self._leaves_the_file(other)
                    for other in self.program.nodes
                )
            if isinstance(node, ast.stmt | Subscript | Attribute):
                return False
            child = node
        return False


def calls_super(call: Call) -> bool:
    """Whether a call is one of super().method."""
    return isinstance(call.func, Attribute) and is_super(call.func.value)


def _bound_in(scope: ast.AST) -> Iterator[str]:
    if isinstance(scope, Function | Lambda):
        yield from (argument.arg for argument in arguments_of(scope))
        body = scope.body if isinstance(scope.body, list) else []
        for statement in body:
            yield from bound_by(statement)
    else:
        for generator in getattr(scope, "generators", []):
            yield from bound_by(generator.target)


def _first_line_of_recipe(program: Program) -> int:
    """The line where the part begins that a reader knows: the recipe itself."""
    try:
        return program.lines.index(RECIPE)
    except ValueError:
        return 0


def _fields(program: Program) -> Iterator[str]:
    """The names that class bodies bind without `def`."""
    for node in program.classes.values():
        for statement in node.body:
            if isinstance(statement, Assign | AnnAssign):
                yield from bound_by(statement)
