"""Source files as tables: what each defines, and what it imports under which name."""

import ast
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cookbook.one_file.statements import CannotCopy, changed_names, pieces

ROOT = Path(__file__).resolve().parents[2]  # the checkout, or where pip installs
PACKAGES = ("custom_layers", "cookbook", "recipes")


@dataclass(frozen=True)
class Import:
    """What a name means that a file imports: a module, or a name of a module."""

    module: str
    name: str | None = None  # None for the module itself
    is_top: bool = False  # whether it is `import a.b`, whose name is a


@dataclass(frozen=True)
class Definition:
    """A class, function or constant at the top level of a module, as it is written."""

    module: str
    name: str
    node: ast.stmt
    text: str  # with its decorators, the comment above it and one at its end
    first_line: int  # of the text, in its file
    package: str = ""  # the package that its relative imports begin at

    @property
    def is_constant(self) -> bool:
        return isinstance(self.node, ast.Assign | ast.AnnAssign)

    def line(self, number: int) -> str:
        """A line of the text, by its number in the file."""
        return self.text.split("\n")[number - self.first_line]

    def next_filled_line(self, number: int) -> int:
        """The number of the first line from here on that is not empty."""
        last = self.first_line + self.text.count("\n")
        while number <= last and not self.line(number).strip():
            number += 1
        return number

    def __hash__(self) -> int:
        return hash((self.module, self.name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Definition) and (self.module, self.name) == (
            other.module,
            other.name,
        )

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


Meaning = Definition | Import


@dataclass(frozen=True)
class Source:
    """A module of ours: its text, its definitions by name, its imports by name."""

    module: str
    text: str
    tree: ast.Module
    definitions: Mapping[str, Definition]
    imports: Mapping[str, Import]
    is_package: bool = False
    unclear: Mapping[str, str] = field(default_factory=dict)  # {name: why}

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
            return read_source(module, candidate)
    raise ModuleNotFoundError(f"no file holds the module {module}")


def read_source(module: str, path: Path) -> Source:
    """The source of a file that is imported as `module`."""
    text = path.read_text(encoding="utf-8-sig")
    return parsed(module, text, is_package=path.stem == "__init__")


def parsed(module: str, text: str, is_package: bool = False) -> Source:
    """The source of a module that has this text."""
    tree = ast.parse(text)
    package = module if is_package else module.rpartition(".")[0]
    lines = text.split("\n")
    definitions: dict[str, Definition] = {}
    imports: dict[str, Import] = {}
    unclear: dict[str, str] = {}
    for node in tree.body:
        found = {
            name: Definition(module, name, statement, whole, first, package)
            for name, statement, whole, first in pieces(node, lines)
        }
        imported = dict(imports_of(node, package))
        for name in changed_names(node):
            is_new = name in found or name in imported
            if not is_new and name in imports and isinstance(node, ast.Expr):
                continue  # a call such as os.environ.setdefault()
            if not is_new or name in definitions:
                line = f"line {node.lineno} of {module}"
                unclear[name] = f"{line} defines or changes {name}, but not alone"
        definitions |= found
        imports |= imported
    return Source(module, text, tree, definitions, imports, is_package, unclear)


def imports_of(node: ast.stmt, package: str) -> Iterator[tuple[str, Import]]:
    """(name, what it means) for each name that an import statement binds.

    package: the package that the statement's file belongs to.
    """
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.split(".")[0]
            if alias.asname:
                yield alias.asname, Import(alias.name)
            elif top == alias.name or is_ours(top):
                yield top, Import(top)
            else:
                yield top, Import(alias.name, is_top=True)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if node.level:
            parts = package.split(".")
            parents = parts[: len(parts) - node.level + 1]
            module = ".".join([*parents, *filter(None, [node.module])])
        for alias in node.names:
            if alias.name == "*" or module == "__future__":
                raise CannotCopy(f"{package} has the import {ast.unparse(node)}")
            yield alias.asname or alias.name, Import(module, alias.name)


def find(
    module: str, name: str, source_of: Callable[[str], Source] = source_of
) -> Meaning | None:
    """What a name means in a module of ours, followed through all re-exports.

    The answer is a Definition of ours; an Import for what another package defines, or
    for a module; None for a name that the module does not have, such as a builtin.

    Raises: CannotCopy if more than one statement makes the name what it is.
    """
    source = source_of(module)
    if name in source.unclear:
        raise CannotCopy(source.unclear[name])
    if name in source.definitions:
        return source.definitions[name]
    target = source.imports.get(name)
    if target is None or target == Import(module, name):
        return _module_inside(source, name, source_of)
    if target.name is None or not is_ours(target.module):
        return target
    found = find(target.module, target.name, source_of)
    if found is None:
        raise CannotCopy(f"{module} imports {name}, which {target.module} lacks")
    return found


def _module_inside(
    source: Source, name: str, source_of: Callable[[str], Source]
) -> Import | None:
    """The module of that name in a package; None if there is none."""
    if not source.is_package:
        return None
    try:
        return Import(source_of(f"{source.module}.{name}").module)
    except ModuleNotFoundError:
        return None
