"""Names that a piece of code takes from its module, each with its place."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from cookbook.one_file.source import is_ours

Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
# Statements that bind names of their own and hold code that runs elsewhere.
SCOPES = Function | ast.ClassDef | ast.Lambda | Comprehension


@dataclass(frozen=True)
class Use:
    """A place where code reads a name that neither it nor a function around it binds.

    attribute: the expression `name.attribute` that the name begins, if it does.
    is_early: whether the code runs as soon as it is defined, as the base of a class
        does, and not only when a function is called.
    """

    name: str
    node: ast.Name
    attribute: ast.Attribute | None
    is_early: bool


def uses_of(node: ast.stmt) -> list[Use]:
    """The names that a definition or another statement of a module reads from it.

    A name that a function imports from our own packages counts as one of the module.
    """
    reader = _Reader()
    reader.visit(node)
    return reader.uses


def bound_by(target: ast.AST) -> Iterator[str]:
    """The names that a statement or an expression binds in the scope it stands in."""
    if isinstance(target, Function | ast.ClassDef):
        yield target.name
    elif isinstance(target, ast.Name) and not isinstance(target.ctx, ast.Load):
        yield target.id
    elif isinstance(target, ast.Import):
        for alias in target.names:
            yield (alias.asname or alias.name).split(".")[0]
    elif isinstance(target, ast.ImportFrom):
        if not (target.level or is_ours(target.module or "")):
            yield from (alias.asname or alias.name for alias in target.names)
    elif isinstance(target, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        yield target.name or ""
    if not isinstance(target, SCOPES):
        for child in ast.iter_child_nodes(target):
            yield from bound_by(child)


class _Reader(ast.NodeVisitor):
    """Walks through code and keeps the names that each surrounding scope binds."""

    def __init__(self) -> None:
        self.uses: list[Use] = []
        self.scopes: list[set[str]] = []  # of the functions around, outermost first
        self.of_class: set[str] = set()  # what a class body binds, for itself alone
        self.depth = 0  # how many functions must be called before the code runs

    def visit_Name(self, node: ast.Name) -> None:
        self._read(node, None)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name):
            self._read(node.value, node)
        else:
            self.visit(node.value)

    def _read(self, node: ast.Name, attribute: ast.Attribute | None) -> None:
        bound = self.of_class.union(*self.scopes)
        if isinstance(node.ctx, ast.Load) and node.id not in bound:
            self.uses.append(Use(node.id, node, attribute, self.depth == 0))

    def visit_FunctionDef(self, node: Function) -> None:
        defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        arguments = list(_arguments(node.args))
        hints = [argument.annotation for argument in arguments]
        for part in (*node.decorator_list, *defaults, *hints, node.returns):
            if part is not None:
                self.visit(part)
        names = {argument.arg for argument in arguments}
        for statement in node.body:
            names.update(bound_by(statement))
        self._inside(names, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(default)
        self._inside({argument.arg for argument in _arguments(node.args)}, [node.body])

    def _inside(self, names: set[str], body: list) -> None:
        """Reads the body of a function that binds the names."""
        outer, self.of_class = self.of_class, set()
        self.scopes.append(names)
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
        outer, self.of_class = self.of_class, set()
        for statement in node.body:
            self.visit(statement)
            self.of_class.update(bound_by(statement))
        self.of_class = outer

    def _visit_comprehension(self, node: Comprehension) -> None:
        names: set[str] = set()
        for generator in node.generators:
            names.update(bound_by(generator.target))
        self.scopes.append(names)
        self.generic_visit(node)
        self.scopes.pop()

    visit_ListComp = visit_SetComp = _visit_comprehension
    visit_DictComp = visit_GeneratorExp = _visit_comprehension


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    for extra in (arguments.vararg, arguments.kwarg):
        if extra:
            yield extra
