"""Lets mkdocstrings read our docstrings: formulas, grouped arguments, doctests."""

import collections
import functools
import re
from typing import Any

import griffe

from cookbook.pages.catalogue import components
from cookbook.site.docstrings.parts import (
    Part,
    as_item,
    as_markdown,
    as_typed,
    docstring_parts,
    explained,
)


class OurDocstrings(griffe.Extension):
    """Gives griffe the sections of each docstring, which it would read otherwise."""

    def on_class(self, *, cls: Any, **kwargs: Any) -> None:
        _read(cls)

    def on_function(self, *, func: Any, **kwargs: Any) -> None:
        _read(func)


def _read(thing: Any) -> None:
    """Sets the sections of a class or function, from its docstring."""
    if thing.docstring is None:
        return
    parameters = parameters_of(thing)
    sections = [
        section
        for part in docstring_parts(thing.docstring.value)
        for section in _sections(part, parameters)
    ]
    door = _doors().get(thing.path)
    if door:
        sections.insert(1, griffe.DocstringSectionText(f"```python\n{door}\n```"))
    thing.docstring.parsed = sections


@functools.cache
def _doors() -> dict[str, str]:
    """{where a component is defined: how it is imported}."""
    return {entry.defined: entry.import_line for entry in components()}


@functools.cache
def _places() -> dict[str, str]:
    """{name of a component: where it is defined}, for names that are unique."""
    entries = components()
    counts = collections.Counter(entry.name for entry in entries)
    return {entry.name: entry.defined for entry in entries if counts[entry.name] == 1}


def _linked(text: str) -> str:
    """The text, in which names of components in backticks lead to their pages."""

    def link(found: re.Match) -> str:
        place = _places().get(found[1])
        return f"[{found[0]}][{place}]" if place else found[0]

    return re.sub(r"`(\w+)`", link, text)


def parameters_of(thing: Any) -> dict[str, Any]:
    """{name: parameter} of a call, without the object itself."""
    return {p.name: p for p in thing.parameters if p.name not in ("self", "cls")}


def _sections(part: Part, parameters: dict[str, Any]) -> list[Any]:
    if part.kind in ("text", "section"):
        return [griffe.DocstringSectionText(_linked(as_markdown(part)))]
    if part.kind != "arguments":
        return [griffe.DocstringSectionText(as_markdown(part))]
    known, left = explained(part.arguments, list(parameters))
    rows = [_row(parameters[name], text) for name, text in known.items()]
    sections: list[Any] = []
    if rows:
        sections.append(griffe.DocstringSectionParameters(rows, "Arguments"))
    if left:
        items = "\n".join(map(as_item, left))
        sections.append(griffe.DocstringSectionText(_linked(items)))
    return sections


def _row(parameter: Any, text: str) -> Any:
    stars = {"variadic positional": "*", "variadic keyword": "**"}
    kind = parameter.kind.value if parameter.kind else ""
    return griffe.DocstringParameter(
        name=stars.get(kind, "") + parameter.name,
        annotation=parameter.annotation,
        description=_linked(as_typed(text)),
        value=None if kind in stars else parameter.default,
    )
