"""Names that a piece of code takes from its module, each with its place."""

import ast
import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cookbook.one_file.source import is_ours
from cookbook.one_file.statements import (
    CannotCopy,
    Comprehension,
    Function,
    bindings,
)

Scope = Mapping[str, ast.AST]  # {name: what binds it there}
# Statements that bind names for themselves before the statement ends.
COMPOUND = ast.For | ast.While | ast.If | ast.With | ast.Try | ast.Match


@dataclass(frozen=True)
class Use:
    """A place where code reads a name that neither it nor a function around it binds.

    attributes: the expressions `name.a`, `name.a.b`, ... that the name begins.
    is_early: whether the code runs as soon as it is defined, as the base of a class
        does, and not only when a function is called.
    lazy: the import from our own packages, inside a function, that binds the name.
    """

    name: str
    node: ast.Name
    attributes: tuple[ast.Attribute, ...]
    is_early: bool
    lazy: ast.ImportFrom | None = None


def uses_of(node: ast.stmt) -> list[Use]:
    """The names that a definition or another statement of a module reads from it.

    A name that a function imports from our own packages counts as one of the module.
    """
    reader = _Reader()
    reader.visit(node)
    return reader.uses


@functools.cache
def names_inside(node: ast.stmt) -> frozenset[str]:
    """All names that a definition binds within itself, in whichever function."""
    found: set[str] = set()
    for part in ast.walk(node):
        if part is not node:
            found.update(name for name, _ in bindings(part))
        if isinstance(part, ast.arg):
            found.add(part.arg)
    return frozenset(found)


def is_lazy(node: ast.AST) -> bool:
    """Whether a statement inside a function is an import from our own packages.

    Raises: CannotCopy if it imports a module and not names of it.
    """
    if isinstance(node, ast.Import) and any(is_ours(a.name) for a in node.names):
        raise CannotCopy(f"{ast.unparse(node)}: write from MODULE import NAME")
    if not isinstance(node, ast.ImportFrom):
        return False
    return bool(node.level) or is_ours(node.module or "")


def _scope(parts: Iterable[ast.AST]) -> dict[str, ast.AST]:
    """The names that code binds, with what binds each."""
    found: dict[str, ast.AST] = {}
    for part in parts:
        for name, binder in bindings(part):
            before = found.setdefault(name, binder)
            if before is binder or ast.dump(before) == ast.dump(binder):
                continue
            if is_lazy(before) or is_lazy(binder):
                raise CannotCopy(f"{name} means two things in one function")
    return found


class _Reader(ast.NodeVisitor):
    """Walks through code and keeps the names that each surrounding scope binds."""

    def __init__(self) -> None:
        self.uses: list[Use] = []
        self.scopes: list[Scope] = []  # of the functions around, outermost first
        self.of_class: dict[str, ast.AST] = {}  # of a class body, for itself alone
        self.depth = 0  # how many functions must be called before the code runs
        self.in_hint = False

    def visit_Name(self, node: ast.Name) -> None:
        self._read(node, ())

    def visit_Attribute(self, node: ast.Attribute) -> None:
        chain = [node]
        while isinstance(chain[-1].value, ast.Attribute):
            chain.append(chain[-1].value)
        root = chain[-1].value
        if isinstance(root, ast.Name):
            self._read(root, tuple(reversed(chain)))
        else:
            self.visit(root)

    def _read(self, node: ast.Name, attributes: tuple[ast.Attribute, ...]) -> None:
        if not isinstance(node.ctx, ast.Load):
            return
        lazy = None
        for scope in (self.of_class, *reversed(self.scopes)):
            if node.id in scope:
                binder = scope[node.id]
                if not is_lazy(binder):
                    return
                assert isinstance(binder, ast.ImportFrom)
                lazy = binder
                break
        self.uses.append(Use(node.id, node, attributes, self.depth == 0, lazy))

    def visit_Global(self, node: ast.Global) -> None:
        raise CannotCopy(f"line {node.lineno} has the statement {ast.unparse(node)}")

    def visit_FunctionDef(self, node: Function) -> None:
        arguments = list(_arguments(node.args))
        for part in (*node.decorator_list, *_defaults(node.args)):
            self.visit(part)
        for hint in (*(argument.annotation for argument in arguments), node.returns):
            self._visit_hint(hint)
        scope = {argument.arg: argument for argument in arguments}
        self._inside({**_scope(node.body), **scope}, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in _defaults(node.args):
            self.visit(default)
        scope = {argument.arg: argument for argument in _arguments(node.args)}
        self._inside({**_scope([node.body]), **scope}, [node.body])

    def _inside(self, scope: Scope, body: Iterable[ast.AST]) -> None:
        """Reads the body of a function that binds the names of the scope."""
        outer, self.of_class = self.of_class, {}
        self.scopes.append(scope)
        self.depth += 1
        for part in body:
            self.visit(part)
        self.depth -= 1
        self.scopes.pop()
        self.of_class = outer

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        keywords = [keyword.value for keyword in node.keywords]
        for part in (*node.decorator_list, *node.bases, *keywords):
            self.visit(part)
        outer, self.of_class = self.of_class, {}
        for statement in node.body:
            # `name = name` in a class reads the name of the module.
            if isinstance(statement, COMPOUND):
                self.of_class |= _scope([statement])
            self.visit(statement)
            self.of_class |= _scope([statement])
        self.of_class = outer

    def _visit_comprehension(self, node: Comprehension) -> None:
        first, *others = node.generators
        self.visit(first.iter)  # which alone is read outside
        outer, self.of_class = self.of_class, {}
        self.scopes.append(_scope(generator.target for generator in node.generators))
        for part in (first.target, *first.ifs, *others):
            self.visit(part)
        for name, part in ast.iter_fields(node):
            if name != "generators":
                self.visit(part)
        self.scopes.pop()
        self.of_class = outer

    visit_ListComp = visit_SetComp = _visit_comprehension
    visit_DictComp = visit_GeneratorExp = _visit_comprehension

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit(node.target)
        self._visit_hint(node.annotation)
        if node.value:
            self.visit(node.value)

    def _visit_hint(self, hint: ast.expr | None) -> None:
        self.in_hint = True
        if hint:
            self.visit(hint)
        self.in_hint = False

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        is_text = ast.unparse(node.value).split(".")[-1] in ("Literal", "Annotated")
        was_in_hint, self.in_hint = self.in_hint, self.in_hint and not is_text
        self.visit(node.slice)
        self.in_hint = was_in_hint

    def visit_Constant(self, node: ast.Constant) -> None:
        """Reads the names in a type hint that stands in quotation marks."""
        if not (self.in_hint and isinstance(node.value, str)):
            return
        hint = ast.parse(node.value, mode="eval").body
        for part in ast.walk(hint):
            if isinstance(part, ast.expr):
                part.lineno = part.end_lineno = node.lineno
                part.col_offset += node.col_offset + 1
                part.end_col_offset = (part.end_col_offset or 0) + node.col_offset + 1
        self.depth += 1  # nobody evaluates it when the function is made
        self.visit(hint)
        self.depth -= 1


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    for extra in (arguments.vararg, arguments.kwarg):
        if extra:
            yield extra


def _defaults(arguments: ast.arguments) -> Iterator[ast.expr]:
    yield from arguments.defaults
    for default in arguments.kw_defaults:
        if default:
            yield default
