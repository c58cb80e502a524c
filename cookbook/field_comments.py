"""Comments of a dataclass's fields, which are the help texts of its flags."""

import ast
import dataclasses
import inspect
import io
import textwrap
import tokenize


def field_comments(cls: type) -> dict[str, str]:
    """{field: its comment} of a dataclass; a derived class may change a comment.

    A field's comment stands beside it, or in the lines right above it.
    """
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if dataclasses.is_dataclass(base):
            found.update(comments_in(_source(base)))
    return found


def _source(cls: type) -> str:
    try:
        return textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):  # a class that was typed into a notebook
        return ""


def comments_in(source: str) -> dict[str, str]:
    """{field: its comment} of the dataclasses in a text."""
    by_line = _comments_by_line(source)
    lines = source.splitlines()
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            first = node.lineno
            last = node.end_lineno or first
            beside = [by_line[i] for i in range(first, last + 1) if i in by_line]
            above = _above(first, lines, by_line)
            if beside or above:
                found[node.target.id] = " ".join(beside or above)
    return found


def _comments_by_line(source: str) -> dict[int, str]:
    """{number of a line: the comment in it}, without its sign."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _above(number: int, lines: list[str], by_line: dict[int, str]) -> list[str]:
    """The comments that fill the lines right above the line with this number."""
    found: list[str] = []
    number -= 1
    while number >= 1 and lines[number - 1].lstrip().startswith("#"):
        found.insert(0, by_line[number])
        number -= 1
    return found
