"""What definitions need: the definitions and imports that they use, in order."""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeGuard

from cookbook.one_file.names import uses_of
from cookbook.one_file.source import (
    Definition,
    Import,
    find,
    imports_of,
    is_ours,
    source_of,
)

Meaning = Definition | Import
Find = Callable[[str, str], Meaning | None]


@dataclass(frozen=True)
class Need:
    """A place in a definition that means another definition, or an imported name."""

    name: str  # as it is written there
    place: ast.expr  # the name, or `module.name`
    meaning: Meaning
    is_early: bool  # see Use


@dataclass
class Collection:
    """Definitions in an order in which Python can run them, with what each needs."""

    definitions: list[Definition] = field(default_factory=list)
    needs: dict[Definition, list[Need]] = field(default_factory=dict)


def collect(roots: Iterable[Definition], find: Find = find) -> Collection:
    """The definitions `roots` and all that they use, each after what it uses.

    find: says what a name means in a module. A caller may give another function, which
        replaces some definitions by others.
    """
    found = Collection()

    def add(definition: Definition) -> None:
        if definition in found.needs:
            return
        needs = list(needs_of(definition, find))
        found.needs[definition] = needs
        for need in sorted(needs, key=lambda need: not need.is_early):
            if isinstance(need.meaning, Definition):
                add(need.meaning)
        found.definitions.append(definition)

    for root in roots:
        add(root)
    found.definitions = _early_first(found)
    return found


def _early_first(found: Collection) -> list[Definition]:
    """The definitions, with each after those that must exist when it is made.

    Functions that call each other have no order in which each comes after what it
    uses; a base class must still come before its subclass.
    """
    ordered: dict[Definition, None] = {}

    def place(definition: Definition) -> None:
        for need in found.needs[definition]:
            meaning = need.meaning
            if not (isinstance(meaning, Definition) and need.is_early):
                continue
            if meaning != definition and meaning not in ordered:
                place(meaning)
        ordered.setdefault(definition)

    for definition in found.definitions:
        place(definition)
    return list(ordered)


def needs_of(definition: Definition, find: Find = find) -> Iterator[Need]:
    """The definitions and imports that the definition uses, place by place."""
    lazy = lazy_imports(definition)
    for use in uses_of(definition.node):
        meaning: Meaning | None = lazy.get(use.name)
        if meaning is None:
            meaning = find(definition.module, use.name)
        elif meaning.name is not None:
            meaning = find(meaning.module, meaning.name)
        place: ast.expr = use.node
        if use.attribute and _is_module_of_ours(meaning):
            place = use.attribute
            meaning = find(meaning.module, use.attribute.attr)
        if meaning is not None:
            yield Need(use.name, place, meaning, use.is_early)


def _is_module_of_ours(meaning: Meaning | None) -> TypeGuard[Import]:
    if not isinstance(meaning, Import) or meaning.name is not None:
        return False
    return is_ours(meaning.module)


def lazy_imports(definition: Definition) -> dict[str, Import]:
    """The imports from our own packages inside the definition, by name."""
    package = definition.module.rpartition(".")[0]
    found = {}
    for node in ast.walk(definition.node):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name, target in imports_of(node, package):
                if is_ours(target.module):
                    found[name] = target
    return found


def named(module: str, name: str) -> Definition:
    """The definition that the module defines or exports under this name.

    Raises: KeyError if there is none.
    """
    source_of(module)
    meaning = find(module, name)
    if not isinstance(meaning, Definition):
        raise KeyError(f"{module} has no definition of {name}")
    return meaning
