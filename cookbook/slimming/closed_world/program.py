"""The text of a script as a closed world: its definitions and how they are related."""

import ast
from ast import (
    AsyncFunctionDef,
    Attribute,
    BinOp,
    BoolOp,
    Call,
    ClassDef,
    Compare,
    Constant,
    Dict,
    DictComp,
    ExceptHandler,
    FunctionDef,
    GeneratorExp,
    IfExp,
    Import,
    ImportFrom,
    JoinedStr,
    Lambda,
    List,
    ListComp,
    Load,
    Name,
    SetComp,
    Subscript,
    Tuple,
    UnaryOp,
    USub,
    iter_child_nodes,
    unparse,
    walk,
)
from collections.abc import Iterator
from functools import cached_property

from cookbook.slimming.closed_world.keras_names import (
    CLONED,
    REBUILDS,
    SERIALIZATION,
)

Function = FunctionDef | AsyncFunctionDef
UNKNOWN = "?"
NOWHERE = 0  # the line of what stands inside an f-string


class Program:
    """A script's syntax tree with what its passes ask for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self.lines = text.splitlines()
        self._encoded = [line.encode() for line in self.lines]
        self.parents: dict[ast.AST, ast.AST] = {}
        for node in walk(self.tree):
            for child in iter_child_nodes(node):
                self.parents[child] = node
        self.nodes = list(self.parents)
        for node in self.nodes:
            if isinstance(node, JoinedStr):
                _forget_places(node)
        body = self.tree.body
        self.classes = {n.name: n for n in body if isinstance(n, ClassDef)}
        self.functions = {n.name: n for n in body if isinstance(n, FunctionDef)}

    def segment(self, node: ast.AST) -> str:
        """The text of a statement or an expression."""
        if getattr(node, "lineno", 0) == NOWHERE:
            return unparse(node)
        first, left = begin(node)
        last, right = end(node)
        if first == last:
            return self._encoded[first - 1][left:right].decode()
        lines = [self._encoded[first - 1][left:], *self._encoded[first : last - 1]]
        return b"\n".join([*lines, self._encoded[last - 1][:right]]).decode()

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, innermost first."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def statement_of(self, node: ast.AST) -> ast.stmt:
        """The innermost statement that a node is part of, or the node itself."""
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node

    def function_of(self, node: ast.AST) -> Function | None:
        """The outermost function around a node: one of the module or of a class."""
        return self._places[node][1] if node in self._places else None

    def class_of(self, node: ast.AST) -> str | None:
        """The name of the class of the module in whose body a node stands."""
        owner = self._places[node][0] if node in self._places else None
        return owner.name if owner else None

    @cached_property
    def _places(self) -> dict[ast.AST, tuple[ClassDef | None, Function | None]]:
        """{node: (class of the module, outermost function) that it stands in}."""
        found: dict[ast.AST, tuple[ClassDef | None, Function | None]] = {}
        for node in self.nodes:  # a parent comes before its children
            parent = self.parents[node]
            owner, function = found.get(parent, (None, None))
            if parent is self.tree and isinstance(node, ClassDef):
                owner = node
            if function is None and isinstance(parent, Function):
                function = parent
            found[node] = owner, function
        return found

    @cached_property
    def bases(self) -> dict[str, list[str]]:
        """{class: its bases}; a base that is not of this file is written with a dot."""
        return {
            name: [self._base(base) for base in node.bases]
            for name, node in self.classes.items()
        }

    def _base(self, base: ast.expr) -> str:
        if isinstance(base, Name) and base.id in self.classes:
            return base.id
        return f".{self.segment(base)}"

    @cached_property
    def orders(self) -> dict[str, list[str]]:
        """{class: it and its bases in the order in which Python looks them up}."""
        found: dict[str, list[str]] = {}

        def order(name: str) -> list[str]:
            if name.startswith("."):
                return [name]
            if name not in found:
                bases = self.bases[name]
                found[name] = [name, *_merged([*map(order, bases), bases])]
            return found[name]

        return {name: order(name) for name in self.classes}

    @cached_property
    def related(self) -> dict[str, frozenset[str]]:
        """{class: the classes that an instance of it, or of a subclass, belongs to}."""
        return {
            name: frozenset(
                other
                for order in self.orders.values()
                if name in order
                for other in order
                if other in self.classes
            )
            for name in self.classes
        }

    def is_plain(self, name: str) -> bool:
        """Whether all bases of a class, and of its subclasses, are of this file."""
        return not any(
            base.startswith(".")
            for other in self.related[name]
            for base in self.orders[other]
        )

    @cached_property
    def methods(self) -> dict[tuple[str, str], FunctionDef]:
        """{(class, name): method}."""
        return {
            (owner, method.name): method
            for owner, node in self.classes.items()
            for method in node.body
            if isinstance(method, FunctionDef)
        }

    def type_of(self, node: ast.expr) -> str | None:
        """The class of this file that an expression is known to be an instance of."""
        if not isinstance(node, Name):
            return None
        function = self.function_of(node)
        if function is None:
            return None
        owner = self.class_of(function)
        for argument in arguments_of(function):
            if argument.arg != node.id:
                continue
            if owner and function.args.args and argument is function.args.args[0]:
                return None if is_static(function) else owner
            hint = argument.annotation
            name = getattr(hint, "id", getattr(hint, "value", None))
            if not isinstance(name, str) or name not in self.classes:
                return None
            # A Protocol stands for any class that has its methods.
            return None if "Protocol" in "".join(self.bases[name]) else name
        return None

    @cached_property
    def instantiated(self) -> set[str]:
        """The classes that are named otherwise than as a base."""
        return {
            node.id
            for node in self.nodes
            if isinstance(node, Name)
            and node.id in self.classes
            and not isinstance(self.parents[node], ClassDef)
        }

    @cached_property
    def rebuilds(self) -> bool:
        """Whether the script rebuilds objects from their configurations."""
        return any(is_rebuilding(node, self) for node in self.nodes)

    def is_rebuilt(self, owner: str) -> bool:
        """Whether Keras may build objects of a class from their configuration."""
        bases = self.orders[owner]
        return self.rebuilds or CLONED in bases

    @cached_property
    def imported(self) -> set[str]:
        """The names that the script imports, anywhere."""
        return {
            (alias.asname or alias.name).split(".")[0]
            for node in self.nodes
            if isinstance(node, Import | ImportFrom)
            for alias in node.names
        }


def is_rebuilding(node: ast.AST, program: Program) -> bool:
    """Whether a call rebuilds an object; seeds and methods of super() do not count."""
    if not isinstance(node, Call) or not isinstance(node.func, Attribute):
        return False
    if node.func.attr not in REBUILDS:
        return False
    owner = node.func.value
    if is_super(owner):
        return False
    function = program.function_of(node)
    if function is not None and function.name in SERIALIZATION:
        return False
    return not any("seed" in program.segment(argument) for argument in node.args)


def begin(node: ast.AST) -> tuple[int, int]:
    """(line, column) where a statement, an expression or an argument begins."""
    assert isinstance(node, PLACED)
    return node.lineno, node.col_offset


def end(node: ast.AST) -> tuple[int, int]:
    """(line, column) behind it."""
    assert isinstance(node, PLACED)
    return node.end_lineno or node.lineno, node.end_col_offset or 0


PLACED = ast.stmt | ast.expr | ast.arg | ast.keyword | ast.alias


def _merged(lists: list[list[str]]) -> Iterator[str]:
    """Python's merge of the orders of several bases (C3)."""
    lists = [list(names) for names in lists if names]
    while lists:
        for head in [names[0] for names in lists]:
            if not any(head in names[1:] for names in lists):
                break
        yield head
        lists = [[name for name in names if name != head] for names in lists]
        lists = [names for names in lists if names]


def arguments_of(function: Function | Lambda) -> list[ast.arg]:
    """All arguments of a function, also *args and **kwargs."""
    a = function.args
    extra = [argument for argument in (a.vararg, a.kwarg) if argument]
    return [*a.posonlyargs, *a.args, *a.kwonlyargs, *extra]


def is_static(function: Function) -> bool:
    """Whether it is a static method."""
    return any(
        isinstance(d, Name) and d.id == "staticmethod" for d in function.decorator_list
    )


def is_literal(node: ast.AST | None) -> bool:
    """Whether it is None, a boolean, a number, a string or an empty tuple."""
    if isinstance(node, UnaryOp) and isinstance(node.op, USub):
        return is_number(node.operand)
    if isinstance(node, Constant):
        return node.value is not Ellipsis and not isinstance(node.value, bytes)
    return isinstance(node, Tuple) and not node.elts


def is_number(node: ast.AST | None) -> bool:
    """Whether it is a number, which may be negative, and no boolean."""
    if isinstance(node, UnaryOp) and isinstance(node.op, USub):
        return is_number(node.operand)
    if not isinstance(node, Constant):
        return False
    return isinstance(node.value, int | float) and not isinstance(node.value, bool)


def is_pure(node: ast.AST | None) -> bool:
    """Whether an expression has no effect, so that it may go if nobody reads it."""
    if node is None or isinstance(node, Constant | Name | Lambda):
        return True
    if isinstance(node, Call):
        function = node.func
        if unparse(node) == "super().get_config()":
            return True
        name = function.id if isinstance(function, Name) else ""
        return name in PURE_CALLS and all(map(is_pure, node.args)) and not node.keywords
    if isinstance(node, PURE):
        parts = [n for n in iter_child_nodes(node) if isinstance(n, ast.expr)]
        return all(map(is_pure, parts))
    return False


PURE_CALLS = {"bool", "float", "int", "len", "max", "min", "tuple", "type"}
PURE = (
    Attribute
    | BinOp
    | BoolOp
    | Compare
    | Dict
    | IfExp
    | List
    | Subscript
    | Tuple
    | UnaryOp
)


def _forget_places(text: JoinedStr) -> None:
    """Python 3.11 gives wrong places for what stands inside an f-string."""
    for node in walk(text):
        if node is not text and isinstance(node, ast.expr | ast.keyword):
            node.lineno = node.end_lineno = NOWHERE


def bound_by(node: ast.AST) -> Iterator[str]:
    """The names that a statement or an expression binds in the scope it stands in."""
    if isinstance(node, Function | ClassDef):
        yield node.name
        return
    if isinstance(node, Lambda | ListComp | SetComp | GeneratorExp):
        return
    if isinstance(node, Name) and not isinstance(node.ctx, Load):
        yield node.id
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).split(".")[0]
    elif isinstance(node, ExceptHandler) and node.name:
        yield node.name
    elif not isinstance(node, DictComp):
        for child in iter_child_nodes(node):
            yield from bound_by(child)


def literal_value(node: ast.AST) -> object:
    """The value of a literal, or of a tuple of literals.

    Raises: ValueError for everything else.
    """
    assert isinstance(node, ast.expr)
    return ast.literal_eval(node)


def name_of(node: object) -> str:
    """The name that an expression consists of, or ""."""
    return node.id if isinstance(node, Name) else ""


def is_super(node: ast.AST) -> bool:
    """Whether it is the expression super()."""
    return isinstance(node, Call) and name_of(node.func) == "super"


def names_in(*nodes: ast.AST) -> Iterator[Name]:
    """All names in code, whether it reads or binds them."""
    for node in nodes:
        for part in walk(node):
            if isinstance(part, Name):
                yield part


def is_read(name: Name) -> bool:
    """Whether a name is read, not bound."""
    return isinstance(name.ctx, Load)
