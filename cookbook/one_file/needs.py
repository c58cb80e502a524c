"""What definitions need: the definitions and imports that they use, in order."""

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeGuard

from cookbook.one_file.names import Use, uses_of
from cookbook.one_file.source import (
    Definition,
    Import,
    Meaning,
    find,
    imports_of,
    is_ours,
    source_of,
)
from cookbook.one_file.statements import CannotCopy

Find = Callable[[str, str], Meaning | None]
# Names that every function knows: Python's own, and what a method has besides.
# "_" is there in an interactive Python alone.
BUILTINS = {*dir(builtins), "__class__"} - {"_"}


@dataclass(frozen=True)
class Need:
    """A place in a definition that means another definition, or an imported name.

    A name of Python's own is an import from `builtins`.
    """

    name: str  # as it is written there
    place: ast.expr  # the name, or `module.name`
    meaning: Meaning
    is_early: bool  # see Use


@dataclass
class Collection:
    """Definitions in an order in which Python can run them, with what each needs."""

    roots: list[Definition] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    needs: dict[Definition, list[Need]] = field(default_factory=dict)


def gather(roots: Iterable[Definition], find: Find = find) -> Collection:
    """The definitions `roots` and all that they use.

    Modules follow each other as Python imports them, each after those that it needs,
    and the definitions of a module stay in the order in which it has them.

    find: says what a name means in a module. A caller may give another function, which
        replaces some definitions by others.
    """
    found = Collection(roots=list(roots))
    waiting = list(reversed(found.roots))
    while waiting:
        definition = waiting.pop()
        if definition in found.needs:
            continue
        found.needs[definition] = list(needs_of(definition, find))
        used = (need.meaning for need in found.needs[definition])
        waiting += [one for one in used if isinstance(one, Definition)]
    places = {module: i for i, module in enumerate(_in_order_of_import(found))}
    by_file = sorted(found.needs, key=lambda d: (places[d.module], d.first_line))
    found.definitions = _early_first(by_file, found)
    return found


def _in_order_of_import(found: Collection) -> list[str]:
    """The modules, each after those whose definitions it uses."""
    used: dict[str, dict[str, None]] = {}
    for definition, needs in found.needs.items():
        modules = used.setdefault(definition.module, {})
        for need in needs:
            if isinstance(need.meaning, Definition):
                modules.setdefault(need.meaning.module)
    ordered: dict[str, None] = {}
    begun: set[str] = set()

    def place(module: str) -> None:
        if module not in begun:
            begun.add(module)
            for other in sorted(used[module]):
                place(other)
            ordered.setdefault(module)

    for module in used:
        place(module)
    return list(ordered)


def _early_first(definitions: list[Definition], found: Collection) -> list[Definition]:
    """The definitions, with each after those that must exist when it is made.

    Where modules import each other inside functions, no order of the modules does that
    by itself.
    """
    ordered: dict[Definition, None] = {}
    begun: set[Definition] = set()

    def place(definition: Definition) -> None:
        if definition in begun:
            return
        begun.add(definition)
        for need in found.needs[definition]:
            if need.is_early and isinstance(need.meaning, Definition):
                place(need.meaning)
        ordered.setdefault(definition)

    for definition in definitions:
        place(definition)
    return list(ordered)


def needs_of(definition: Definition, find: Find = find) -> Iterator[Need]:
    """The definitions and imports that the definition uses, place by place.

    Raises: CannotCopy if it uses something that has no place in another file.
    """
    try:
        for use in uses_of(definition.node):
            place, meaning = _meant(use, definition, find)
            yield Need(use.name, place, meaning, use.is_early)
    except CannotCopy as problem:
        raise CannotCopy(f"{definition} can't be copied: {problem}") from None


def _meant(use: Use, definition: Definition, find: Find) -> tuple[ast.expr, Meaning]:
    """What a name means, or the expression `module.name` that it begins."""
    place: ast.expr = use.node
    if use.lazy:
        imported = dict(imports_of(use.lazy, definition.package))[use.name]
        meaning = find(imported.module, imported.name or "")
    else:
        meaning = find(definition.module, use.name)
    for attribute in use.attributes:
        if _is_module_of_ours(meaning):
            place = attribute
            meaning = find(meaning.module, attribute.attr)
    if _is_module_of_ours(meaning):
        raise CannotCopy(f"it uses the module {meaning.module} as a value")
    if meaning is None and place is use.node and use.name in BUILTINS:
        meaning = Import("builtins", use.name)
    if meaning is None:
        raise CannotCopy(f"no statement of its file defines {ast.unparse(place)}")
    return place, meaning


def _is_module_of_ours(meaning: Meaning | None) -> TypeGuard[Import]:
    if not isinstance(meaning, Import) or meaning.name is not None:
        return False
    return is_ours(meaning.module)


def named(module: str, name: str) -> Definition:
    """The definition that the module defines or exports under this name.

    Raises: KeyError if there is none.
    """
    source_of(module)
    meaning = find(module, name)
    if not isinstance(meaning, Definition):
        raise KeyError(f"{module} has no definition of {name}")
    return meaning
