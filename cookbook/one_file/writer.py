"""Writes collected definitions into one file, with their imports merged at its top."""

import ast
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Mapping

from cookbook.one_file.names import names_inside
from cookbook.one_file.needs import Collection, Need
from cookbook.one_file.rewrite import REGISTERED, rewritten
from cookbook.one_file.source import Definition, Import, Meaning

WIDTH = 88  # columns of a line


def names_in_one_file(found: Collection) -> dict[Meaning, str]:
    """A name for every definition and import, of which no two are the same.

    Of those that wish for one name, a builtin gets it first, then a module, what was
    asked for, an import, and the first of the others. The rest add the name of their
    module: `_check` of a module base becomes `_check_of_base`, `_Loss` `_LossOfBase`.
    """
    names: dict[Meaning, str] = {}
    owners: dict[str, Meaning] = {}
    avoided = _names_of_variables(found)
    for meaning, wish in sorted(
        _wishes(found).items(), key=lambda pair: _rank(pair[0], found)
    ):
        owner: Meaning = meaning
        if isinstance(meaning, Import) and meaning.module.startswith(f"{wish}."):
            owner = Import(wish)  # `import a.b` shares its name with `import a`
        for name in _spellings(wish, meaning.module):
            is_free = name not in avoided.get(meaning, ())
            if is_free and owners.setdefault(name, owner) == owner:
                names[meaning] = name
                break
    return names


def _wishes(found: Collection) -> dict[Meaning, str]:
    """The name by which each definition and import is known where it is used first."""
    wishes: dict[Meaning, str] = {one: one.name for one in found.definitions}
    for need in itertools.chain(*found.needs.values()):
        is_name = isinstance(need.place, ast.Name)
        wish = need.name if is_name else need.meaning.name
        wishes.setdefault(need.meaning, wish or need.name)
    return wishes


def _rank(meaning: Meaning, found: Collection) -> int:
    if isinstance(meaning, Definition):
        return 2 if meaning in found.roots else 4
    if meaning.module == "builtins":
        return 0
    return 1 if meaning.name is None else 3


def _names_of_variables(found: Collection) -> dict[Meaning, set[str]]:
    """Names that a meaning must not take: a variable where it is used has them."""
    avoided: dict[Meaning, set[str]] = {}
    for definition, needs in found.needs.items():
        variables = names_inside(definition.node)
        for need in needs:
            own = {_written(need)}
            avoided.setdefault(need.meaning, set()).update(variables - own)
    return avoided


def _written(need: Need) -> str:
    return need.place.id if isinstance(need.place, ast.Name) else ""


def _spellings(name: str, module: str) -> Iterator[str]:
    """The name, then longer ones that say which module it comes from."""
    yield name
    parts = [part.strip("_") for part in module.split(".")]
    for count in range(1, len(parts) + 1):
        stem = "_".join(parts[-count:])
        if name.isupper():
            yield f"{name}_OF_{stem.upper()}"
        elif re.match("_*[A-Z]", name):
            yield f"{name}Of{stem.title().replace('_', '')}"
        else:
            yield f"{name}_of_{stem}"
    for number in itertools.count(2):
        yield f"{name}_{number}"


def text_of(
    found: Collection, names: Mapping[Meaning, str], registered: str = REGISTERED
) -> dict[Definition, str]:
    """The text of every definition in the new file, in order."""
    return {
        definition: rewritten(
            definition, found.needs[definition], names.__getitem__, registered
        )
        for definition in found.definitions
    }


def imports_in(names: Mapping[Meaning, str]) -> str:
    """The import statements that the names need, in the order of isort."""
    imports = {
        meaning: name
        for meaning, name in names.items()
        if isinstance(meaning, Import) and meaning.module != "builtins"
    }
    groups: list[list[Import]] = [[], []]
    for target in imports:
        is_standard = target.module.split(".")[0] in sys.stdlib_module_names
        groups[0 if is_standard else 1].append(target)
    blocks = ["\n".join(_statements(group, imports)) for group in groups if group]
    return "\n\n".join(blocks)


def _statements(group: list[Import], imports: Mapping[Import, str]) -> Iterator[str]:
    """`import a` statements, then `from a import b` statements, by module."""
    modules = [target for target in group if target.name is None]
    for target in sorted(modules, key=lambda target: _natural(target.module)):
        yield f"import {_with_alias(target.module, imports[target])}"
    members: dict[tuple, list[str]] = {}
    for target in group:
        if target.name is None:
            continue
        text = _with_alias(target.name, imports[target])
        # isort gives a statement of its own to each name with an alias.
        alias = _kind_then_name(text) if " as " in text else ()
        members.setdefault((target.module, alias), []).append(text)
    for (module, alias), texts in sorted(members.items(), key=_place_of_statement):
        yield _from_import(module, sorted(texts, key=_kind_then_name))


def _place_of_statement(statement: tuple[tuple, list[str]]) -> tuple:
    (module, _), texts = statement
    return _natural(module), min(map(_kind_then_name, texts))


def _from_import(module: str, names: Iterable[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return line
    inner = "".join(f"    {name},\n" for name in names)
    return f"from {module} import (\n{inner})"


def _with_alias(name: str, alias: str) -> str:
    is_same = alias in (name, name.split(".")[0])
    return name if is_same else f"{name} as {alias}"


def _kind_then_name(member: str) -> tuple:
    """Constants come first, then classes, then functions and modules."""
    name = member.split(" ")[0]
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, _natural(name), member


def _natural(name: str) -> tuple:
    """For an order in which letters of both cases are equal, and Conv2D before Conv10D.

    Of names that differ in their case alone, the one in capital letters comes first.
    """
    parts = re.split(r"(\d+)", name.lower())
    return tuple(int(part) if part.isdigit() else part for part in parts), name


def stacked(texts: Mapping[Definition, str]) -> str:
    """Definitions below each other: constants without, others with empty lines."""
    parts: list[str] = []
    before: Definition | None = None
    for definition, text in texts.items():
        is_close = before and before.is_constant and definition.is_constant
        if before:
            parts.append("\n" if is_close else "\n\n\n")
        parts.append(text)
        before = definition
    return "".join(parts)
