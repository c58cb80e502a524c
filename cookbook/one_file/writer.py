"""Writes collected definitions into one file, with their imports merged at its top."""

import sys
from collections.abc import Iterable, Mapping

from cookbook.one_file.needs import Collection, Meaning
from cookbook.one_file.rewrite import REGISTERED, rewritten
from cookbook.one_file.source import Definition, Import

WIDTH = 88  # columns of a line


def names_in_one_file(found: Collection) -> dict[Meaning, str]:
    """A name for every definition and import, of which no two are the same.

    The first definition of a name keeps it. A later one adds the name of its module:
    `_check` of a module base becomes `_check_of_base`.
    """
    names: dict[Meaning, str] = {}
    taken: dict[str, Meaning] = {}

    def give(meaning: Meaning, *wishes: str) -> None:
        free = [name for name in wishes if taken.setdefault(name, meaning) == meaning]
        names[meaning] = free[0]

    for needs in found.needs.values():
        for need in needs:
            meaning = need.meaning
            if isinstance(meaning, Import) and meaning.module == "builtins":
                names[meaning] = meaning.name or ""
            elif isinstance(meaning, Import) and meaning not in names:
                stem = meaning.module.replace(".", "_")
                give(meaning, need.name, f"{need.name}_of_{stem}")
    for definition in found.definitions:
        name = definition.name
        parts = definition.module.split(".")
        longer = [f"{name}_of_{'_'.join(parts[-k:])}" for k in range(1, len(parts) + 1)]
        give(definition, name, *longer)
    return names


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


def _statements(group: list[Import], imports: Mapping[Import, str]) -> Iterable[str]:
    """`import a` statements, then `from a import b` statements, by module."""
    whole = sorted(target.module for target in group if target.name is None)
    for module in whole:
        yield f"import {_with_alias(module, imports[Import(module)])}"
    members: dict[str, list[str]] = {}
    for target in group:
        if target.name is not None:
            name = _with_alias(target.name, imports[target])
            members.setdefault(target.module, []).append(name)
    for module in sorted(members, key=str.lower):
        names = sorted(members[module], key=_kind_then_name)
        line = f"from {module} import {', '.join(names)}"
        if len(line) > WIDTH:
            inner = "".join(f"    {name},\n" for name in names)
            line = f"from {module} import (\n{inner})"
        yield line


def _with_alias(name: str, alias: str) -> str:
    is_same = alias in (name, name.split(".")[0])
    return name if is_same else f"{name} as {alias}"


def _kind_then_name(name: str) -> tuple[int, str]:
    """Constants come first, then classes, then functions and modules."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return kind, name


def joined(texts: Mapping[Definition, str]) -> str:
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
