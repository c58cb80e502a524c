"""Writes collected definitions into one file, with their imports merged at its top."""

import ast
import collections
import itertools
import re
import sys
from collections.abc import Iterator, Mapping

from cookbook.one_file.names import names_inside
from cookbook.one_file.needs import Collection, Need
from cookbook.one_file.rewrite import REGISTERED, WIDTH, rewritten
from cookbook.one_file.source import Definition, Import, Meaning


def names_in_one_file(found: Collection) -> dict[Meaning, str]:
    """A name for every definition and import, of which no two are the same.

    Of those that wish for one name, a builtin gets it first, then a module, what was
    asked for, an import, and the first of the others. The rest add the name of their
    module: `_check` of a module base becomes `_check_of_base`, `_Loss` `_LossOfBase`.
    """
    wishes = _wishes(found)
    avoided = _names_of_variables(found)
    names: dict[Meaning, str] = {}
    owners: dict[str, Meaning] = {}
    for meaning in sorted(wishes, key=lambda meaning: _rank(meaning, found)):
        wish = wishes[meaning]
        owner = meaning
        if isinstance(meaning, Import) and meaning.is_top:
            owner = Import(wish)  # `import a.b` shares its name with `import a`
        for name in _spellings(wish, meaning.module):
            if name in avoided[meaning]:
                continue
            if owners.setdefault(name, owner) == owner:
                names[meaning] = name
                break
    return names


def _wishes(found: Collection) -> dict[Meaning, str]:
    """The name by which each definition and import is known where it is used first."""
    wishes: dict[Meaning, str] = {}
    for definition in found.definitions:
        wishes[definition] = definition.name
    for needs in found.needs.values():
        for need in needs:
            wish = _written(need) or need.meaning.name or need.name
            if need.meaning.module == "builtins":
                wish = need.meaning.name or wish  # which has no other name
            wishes.setdefault(need.meaning, wish)
    return wishes


def _written(need: Need) -> str:
    """The name at the place of a need; "" if the place is `module.name`."""
    if isinstance(need.place, ast.Name):
        return need.place.id
    return ""


def _rank(meaning: Meaning, found: Collection) -> int:
    """The place of a meaning in the line for its name."""
    if meaning in found.roots:
        return 2
    if isinstance(meaning, Definition):
        return 4
    if meaning.module == "builtins":
        return 0
    if meaning.name is None:
        return 1
    return 3


def _names_of_variables(found: Collection) -> dict[Meaning, set[str]]:
    """Names that a meaning must not take: a variable where it is used has them."""
    avoided: dict[Meaning, set[str]] = collections.defaultdict(set)
    for definition in found.definitions:
        variables = names_inside(definition.node)
        for need in found.needs[definition]:
            others = variables - {_written(need)}
            avoided[need.meaning] |= others
    return avoided


def _spellings(name: str, module: str) -> Iterator[str]:
    """The name, then longer ones that say which module it comes from."""
    yield name
    parts = [part.strip("_") for part in module.split(".")]
    for count in range(1, len(parts) + 1):
        origin = "_".join(parts[-count:])
        if name.isupper():
            yield f"{name}_OF_{origin.upper()}"
        elif re.match("_*[A-Z]", name):
            words = origin.title().replace("_", "")
            yield f"{name}Of{words}"
        else:
            yield f"{name}_of_{origin}"
    for number in itertools.count(2):
        yield f"{name}_{number}"


def text_of(
    found: Collection, names: Mapping[Meaning, str], registered: str = REGISTERED
) -> dict[Definition, str]:
    """The text of every definition in the new file, in order."""
    texts = {}
    for definition in found.definitions:
        needs = found.needs[definition]
        text = rewritten(definition, needs, names.__getitem__, registered)
        texts[definition] = text
    return texts


def imports_in(names: Mapping[Meaning, str]) -> str:
    """The import statements that the names need, in the order of isort."""
    standard: list[tuple[Import, str]] = []
    others: list[tuple[Import, str]] = []
    for meaning, name in names.items():
        if isinstance(meaning, Definition) or meaning.module == "builtins":
            continue
        top = meaning.module.split(".")[0]
        if top in sys.stdlib_module_names:
            standard.append((meaning, name))
        else:
            others.append((meaning, name))
    blocks = []
    for group in (standard, others):
        if group:
            blocks.append("\n".join(_statements(group)))
    return "\n\n".join(blocks)


def _statements(group: list[tuple[Import, str]]) -> Iterator[str]:
    """`import a` statements, then `from a import b` statements, by module."""
    modules: list[str] = []
    members: dict[str, list[str]] = {}
    others: list[tuple[str, list[str]]] = []
    for target, name in group:
        if target.is_top:
            modules.append(target.module)
        elif target.name is None:
            modules.append(_with_alias(target.module, name))
        elif target.name == name:
            members.setdefault(target.module, []).append(name)
        else:
            # isort gives a statement of its own to each name that gets another.
            member = _with_alias(target.name, name)
            others.append((target.module, [member]))
    for module in sorted(modules, key=_natural):
        yield f"import {module}"
    for names in members.values():
        names.sort(key=_kind_then_name)
    others += members.items()
    for module, names in sorted(others, key=_module_then_name):
        yield _from_import(module, names)


def _from_import(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return line
    lines = [f"    {name}," for name in names]
    return "\n".join([f"from {module} import (", *lines, ")"])


def _with_alias(name: str, alias: str) -> str:
    if alias == name:
        return name
    return f"{name} as {alias}"


def _module_then_name(statement: tuple[str, list[str]]) -> tuple:
    module, names = statement
    return _natural(module), _kind_then_name(names[0])


def _kind_then_name(member: str) -> tuple:
    """Constants come first, then classes, then functions and modules."""
    name = member.split(" ")[0]
    is_constant = name.isupper() and len(name) > 1
    is_class = name[0].isupper()
    return not is_constant, not is_class, _natural(name), member


def _natural(name: str) -> tuple:
    """For an order in which letters of both cases are equal, and Conv2D before Conv10D.

    Of names that differ in their case alone, the one in capital letters comes first.
    """
    parts: list[int | str] = re.split(r"(\d+)", name.lower())
    for i in range(1, len(parts), 2):
        parts[i] = int(parts[i])
    return parts, name


def stacked(texts: Mapping[Definition, str]) -> str:
    """Definitions below each other: constants without, others with empty lines."""
    parts: list[str] = []
    was_constant = False
    for definition, text in texts.items():
        if parts:
            is_close = was_constant and definition.is_constant
            parts.append("\n" if is_close else "\n\n\n")
        parts.append(text)
        was_constant = definition.is_constant
    return "".join(parts)
