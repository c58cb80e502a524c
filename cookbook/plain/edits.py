"""Edits that make a recipe's script a plain one, until no rule finds anything."""

import ast
from collections.abc import Iterator

from cookbook.one_file.rewrite import Edit, applied
from cookbook.plain.calls import changed_call
from cookbook.plain.cuts import cuts_in, cuts_of_checks, cuts_of_statements
from cookbook.plain.facts import Facts
from cookbook.plain.settings import with_all_fields
from cookbook.takeaway.trimming import tidy


def as_plain(text: str) -> str:
    """The script with plain Keras in place of what the cookbook does around it."""
    while True:
        found = list(_edits(Facts(text)))
        if not found:
            return text
        text = tidy(applied(_innermost(found), text))


def _edits(facts: Facts) -> Iterator[Edit]:
    """What is to be changed in a script, as it is at present."""
    if facts.checks:
        yield from cuts_of_checks(facts)
        return
    yield from cuts_of_statements(facts)
    for node in ast.walk(facts.tree):
        yield from cuts_in(node, facts)
        if isinstance(node, ast.ClassDef):
            yield from with_all_fields(node, facts.lines)
        elif isinstance(node, ast.Call):
            yield from changed_call(node, facts)


def _innermost(edits: list[Edit]) -> list[Edit]:
    """The edits that hold no other one; those left out are found again afterwards."""
    return [
        edit
        for edit in set(edits)
        if not any(
            edit.start <= other.start and other.end <= edit.end
            for other in edits
            if other != edit
        )
    ]
