"""The edits that take arguments out of a function and of all its calls."""

import ast
import re
from ast import Attribute, Call, ClassDef, FunctionDef, Name, get_docstring
from collections.abc import Iterator

from cookbook.one_file.rewrite import Edit
from cookbook.slimming.closed_world.bindings import Bindings, stores, uses
from cookbook.slimming.closed_world.callees import Callee
from cookbook.slimming.closed_world.contexts import may_stand_there
from cookbook.slimming.closed_world.program import Program, begin, end
from cookbook.slimming.edits.changes import (
    Change,
    Span,
    lines_replaced,
    replaced,
    whole_lines,
    without_item,
)


class Removal:
    """The edits that take arguments out of one function."""

    def __init__(
        self, callee: Callee, bindings: Bindings, known: dict[str, str], is_empty: bool
    ) -> None:
        self.callee = callee
        self.bindings = bindings
        self.program = bindings.program
        self.known = known
        self.is_empty = is_empty  # whether **kwargs is always {}

    def change(self) -> Change | None:
        """All edits; None if one of them is not possible."""
        edits = [*self._signature(), *self._calls()]

        # The function gets the value where it reads the argument, or in a first line.

        for name, value in self.known.items():
            if value and not is_replaceable(self.callee, name, value, self.program):
                edits.append(self._first_statement(f"{name} = {value}"))
                continue

            for use in uses(self.callee.node, name):
                edits.append(replaced(use, value))
        if self.is_empty:
            edits += self._empty_keywords()

        edits += _docstring_entries(self.callee.node, self.program, self.known)

        found = [edit for edit in edits if edit is not None]
        return found if len(found) == len(edits) else None

    def _signature(self) -> Iterator[Edit | None]:
        a = self.callee.node.args

        for argument in self.callee.named:
            if argument.arg in self.known:
                default = self.callee.default(argument.arg)
                yield without_item(self.program, span(argument, default or argument))
        if a.kwarg and self.is_empty:
            yield without_item(self.program, starred(a.kwarg, self.program))
        if a.kwonlyargs and all(k.arg in self.known for k in a.kwonlyargs):
            yield self._bare_star()

    def _bare_star(self) -> Edit | None:
        """Takes out the `*` before arguments of which none is left."""
        node = self.callee.node
        first = node.args.kwonlyargs[0]

        # It stands before the first of them, perhaps lines above.
        line, column = first.lineno, first.col_offset

        while line >= node.lineno:
            before = self.program.lines[line - 1].encode()[:column].decode()
            match = re.search(r"\*,\s*$", before)
            if match:
                left = len(before[: match.start()].encode())
                return Edit((line, left), (line, column), "")
            if before.strip():
                return None

            line -= 1
            column = len(self.program.lines[line - 1].encode())

        return None

    def _first_statement(self, text: str) -> Edit:
        """Puts a statement before all others, behind the docstring."""
        node = self.callee.node
        is_documented = get_docstring(node) is not None
        first = node.body[1 if is_documented and len(node.body) > 1 else 0]
        line, _ = whole_lines(self.program, first)
        return Edit((line, 0), (line, 0), " " * first.col_offset + text + "\n")

    def _calls(self) -> Iterator[Edit | None]:
        for site in self.callee.sites:
            passed = self.bindings.passed(self.callee, site)
            if passed is None or not site.is_certain:
                continue

            for name in self.known:
                value = passed.get(name)
                if value is None:
                    continue

                item = self.program.parents[value]
                if not isinstance(item, ast.keyword):
                    item = value

                yield without_item(self.program, span(item, item))

    def _empty_keywords(self) -> Iterator[Edit | None]:
        kwarg = self.callee.node.args.kwarg
        assert kwarg is not None
        for use in uses(self.callee.node, kwarg.arg):
            keyword = self.program.parents[use]
            if isinstance(keyword, ast.keyword) and keyword.arg is None:
                yield without_item(self.program, span(keyword, keyword))
            else:
                yield absent(use, self.program) or replaced(use, "{}")


def span(first: ast.AST, last: ast.AST) -> Span:
    """From the beginning of one node to the end of another."""
    return begin(first), end(last)


def starred(argument: ast.arg, program: Program) -> Span:
    """The place of `**kwargs` in a signature."""
    line, left = begin(argument)
    before = program.lines[line - 1].encode()[:left].decode()
    stars = len(before) - len(before.rstrip("* "))
    return (line, left - stars if "*" in before[-stars:] else left), end(argument)


def absent(use: Name, program: Program) -> Edit | None:
    """`kwargs.pop("name", default)` becomes the default."""
    attribute = program.parents[use]
    call = program.parents.get(attribute)
    if not (isinstance(attribute, Attribute) and isinstance(call, Call)):
        return None
    if attribute.attr not in ("get", "pop") or call.func is not attribute:
        return None

    default = call.args[1] if len(call.args) > 1 else None
    if default is None and attribute.attr == "pop":
        return None

    return replaced(call, program.segment(default) if default else "None")


def _docstring_entries(
    function: FunctionDef, program: Program, known: dict[str, str]
) -> Iterator[Edit]:
    """Takes the entries of arguments out of the docstring of a function or class."""
    owner = program.parents[function] if function.name == "__init__" else function
    if not isinstance(owner, FunctionDef | ClassDef):
        return
    if get_docstring(owner) is None:
        return

    # An entry is `name: text`, and lines below that are further to the right.
    docstring = owner.body[0]
    first, last = docstring.lineno, docstring.end_lineno or 0
    number = first + 1

    while number < last:
        line = program.lines[number - 1]
        match = re.match(r"(\s*)(\w+): \S", line)
        after = number + 1

        while match and after < last:
            following = program.lines[after - 1]
            if not following.startswith(match[1] + " "):
                break

            after += 1
        if match and match[2] in known:
            yield lines_replaced(number, after - 1)

        number = after


def _fits(value: str, function: ast.AST, name: str, program: Program) -> bool:
    """Whether the value reads well wherever the function uses the argument."""
    node = ast.parse(value, mode="eval").body
    return all(may_stand_there(node, use, program) for use in uses(function, name))


def is_replaceable(callee: Callee, name: str, value: str, program: Program) -> bool:
    """Whether the value may stand wherever the function uses the argument."""
    if stores(callee.node, name):
        return False

    return _fits(value, callee.node, name, program)
