"""Source files as tables: what each defines, and what it imports under which name."""

import ast
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # the checkout, or where pip installs
PACKAGES = ("custom_layers", "cookbook", "recipes")


@dataclass(frozen=True)
class Import:
    """What a name means that a file imports: a module, or a name of a module."""

    module: str
    name: str | None = None  # None for the module itself


@dataclass(frozen=True)
class Definition:
    """A class, function or constant at the top level of a module, as it is written."""

    module: str
    name: str
    node: ast.stmt
    text: str  # with its decorators and the comment lines above it
    first_line: int  # of the text, in its file

    @property
    def is_constant(self) -> bool:
        return isinstance(self.node, ast.Assign | ast.AnnAssign)

    def __hash__(self) -> int:
        return hash((self.module, self.name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Definition) and (self.module, self.name) == (
            other.module,
            other.name,
        )


@dataclass(frozen=True)
class Source:
    """A module of ours: its text, its definitions by name, its imports by name."""

    module: str
    text: str
    tree: ast.Module
    definitions: Mapping[str, Definition]
    imports: Mapping[str, Import]
    is_package: bool = False

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.tree, clean=False) or ""


def is_ours(module: str) -> bool:
    """Whether the module belongs to one of this project's packages."""
    return module.split(".")[0] in PACKAGES


@functools.cache
def source_of(module: str) -> Source:
    """The module's source, read without importing it.

    Raises: ModuleNotFoundError if there is no such file.
    """
    path = ROOT.joinpath(*module.split("."))
    for candidate in (path / "__init__.py", path.with_suffix(".py")):
        if candidate.is_file():
            return read(module, candidate)
    raise ModuleNotFoundError(f"no file holds the module {module}")


def read(module: str, path: Path) -> Source:
    """The source of a file that is imported as `module`."""
    text = path.read_text(encoding="utf-8")
    return parsed(module, text, is_package=path.stem == "__init__")


def parsed(module: str, text: str, is_package: bool = False) -> Source:
    """The source of a module that has this text."""
    tree = ast.parse(text)
    package = module if is_package else module.rpartition(".")[0]
    lines = text.splitlines()
    definitions = {}
    imports = {}
    for node in tree.body:
        first = _first_line(node, lines)
        whole = "\n".join(lines[first - 1 : node.end_lineno])
        for name in _defined(node):
            definitions[name] = Definition(module, name, node, whole, first)
        for name, value in _defined_together(node, text):
            alone = f"{name} = {value}"
            (statement,) = ast.parse(alone).body
            definitions[name] = Definition(module, name, statement, alone, 1)
        for name, target in imports_of(node, package):
            imports[name] = target
    return Source(module, text, tree, definitions, imports, is_package)


def _defined(node: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top level of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        yield node.targets[0].id


def _defined_together(node: ast.stmt, text: str) -> Iterator[tuple[str, str]]:
    """(name, value) of each name in `a, b = 1, 2`, with the values as they are written.

    Raises: ValueError where the values do not stand there one by one.
    """
    if not isinstance(node, ast.Assign) or isinstance(node.targets[0], ast.Name):
        return
    (target,), values = node.targets, node.value
    if not isinstance(target, ast.Tuple) or not isinstance(values, ast.Tuple):
        raise ValueError(f"cannot tell what {ast.unparse(node)} assigns to each name")
    for name, value in zip(target.elts, values.elts):
        yield ast.unparse(name), ast.get_source_segment(text, value) or ""


def _first_line(node: ast.stmt, lines: list[str]) -> int:
    """The first line of a statement, its decorators and the comment right above it."""
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    return first


def imports_of(node: ast.stmt, package: str) -> Iterator[tuple[str, Import]]:
    """(name, what it means) for each name that an import statement binds.

    package: the package that the statement's file belongs to.
    """
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name.split(".")[0], Import(alias.name)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if node.level:
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            module = ".".join([*parents, *filter(None, [node.module])])
        for alias in node.names:
            yield alias.asname or alias.name, Import(module, alias.name)


def find(
    module: str, name: str, source_of: Callable[[str], Source] = source_of
) -> Definition | Import | None:
    """What a name means in a module of ours, followed through all re-exports.

    The answer is a Definition of ours; an Import for what another package defines, or
    for a module; None for a name that the module does not have, such as a builtin.
    """
    source = source_of(module)
    if name in source.definitions:
        return source.definitions[name]
    target = source.imports.get(name)
    if target is None or target.name is None or not is_ours(target.module):
        return target
    if (target.module, target.name) == (module, name):
        return Import(f"{module}.{name}")  # `from . import name`: a module inside
    found = find(target.module, target.name, source_of)
    return found or Import(f"{target.module}.{target.name}")  # a module of ours
