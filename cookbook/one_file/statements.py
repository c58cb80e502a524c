"""Statements at the top level of a module: which names each defines, and in what text.

A definition that is moved to another file must mean the same there. So each name gets
its value from one statement; where others change it later, the name cannot be copied.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class CannotCopy(ValueError):
    """The error of code that would mean something else, or nothing, in another file."""


class Piece(NamedTuple):
    """What defines a name: the statement, and its text from `first_line` on."""

    name: str
    node: ast.stmt
    text: str  # with its decorators, the comment above it and one at its end
    first_line: int


def bindings(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """(name, what binds it) for the names that code binds in the scope it stands in."""
    if isinstance(node, Function | ast.ClassDef):
        yield node.name, node
    elif isinstance(node, Comprehension):
        for part in ast.walk(node):
            if isinstance(part, ast.NamedExpr):
                yield part.target.id, part  # `:=` binds in the function around
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.split(".")[0], node
    elif not isinstance(node, ast.Lambda):
        name = _bound_name(node)
        if name:
            yield name, node
        for child in ast.iter_child_nodes(node):
            yield from bindings(child)


def _bound_name(node: ast.AST) -> str | None:
    """The name that this node alone binds, without those inside it."""
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Load):
            return None
        return node.id
    if isinstance(node, ast.MatchMapping):
        return node.rest
    if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        return node.name
    return None


def pieces(node: ast.stmt, lines: list[str]) -> Iterator[Piece]:
    """The definitions in a statement; none if it is of another kind.

    lines: of the file that the statement stands in.
    """
    if not _is_alone(node, lines):
        return
    first = _first_line(node, lines)
    last = _last_line(node, lines)
    whole = lines[first - 1 : last]
    text = "\n".join(whole)
    if isinstance(node, Function | ast.ClassDef):
        yield Piece(node.name, node, text, first)
        return
    target = _target(node)
    if isinstance(target, ast.Name):
        yield Piece(target.id, node, text, first)
    elif isinstance(target, ast.Tuple):
        assert isinstance(node, ast.Assign)
        yield from _one_by_one(target, node.value, lines)


def _target(node: ast.stmt) -> ast.expr | None:
    """What a statement such as `target = value` gives its value to, if it is one."""
    if isinstance(node, ast.AnnAssign):
        return node.target if node.value else None
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        return node.targets[0]
    return None


def _is_alone(node: ast.stmt, lines: list[str]) -> bool:
    """Whether no other statement stands on the lines of this one."""
    last = node.end_lineno or node.lineno
    line = lines[last - 1].encode()
    rest = line[node.end_col_offset :].lstrip(b"; \t")
    is_last = not rest or rest.startswith(b"#")
    return is_last and node.col_offset == 0


def _one_by_one(
    target: ast.Tuple, value: ast.expr, lines: list[str]
) -> Iterator[Piece]:
    """The definitions in `a, b = 1, 2`, each as an assignment of its own."""
    values = value.elts if isinstance(value, ast.Tuple) else []
    if len(values) != len(target.elts):
        return
    for name, one in zip(target.elts, values):
        is_on_one_line = one.lineno == one.end_lineno
        if isinstance(name, ast.Name) and is_on_one_line:
            line = lines[one.lineno - 1].encode()
            code = line[one.col_offset : one.end_col_offset]
            text = f"{name.id} = {code.decode()}"
            (statement,) = ast.parse(text).body
            ast.increment_lineno(statement, one.lineno - 1)
            yield Piece(name.id, statement, text, one.lineno)


def _first_line(node: ast.stmt, lines: list[str]) -> int:
    """The first line of a statement, its decorators and the comment right above it."""
    first = node.lineno
    for decorator in getattr(node, "decorator_list", []):
        first = min(first, decorator.lineno)
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    return first


def _last_line(node: ast.stmt, lines: list[str]) -> int:
    """The last line of a statement and of the comment that ends its body."""
    end = node.end_lineno or node.lineno
    last = end
    for number, line in enumerate(lines[end:], start=end + 1):
        is_inside = line.startswith((" ", "\t"))
        is_comment = line.lstrip().startswith("#")
        if is_inside and is_comment:
            last = number
        elif line.strip():
            break
    return last


def changed_names(node: ast.stmt) -> set[str]:
    """The names that a statement binds, or whose objects it changes.

    A call of a method, as in `TABLE.append(1)`, may change its object.
    """
    names = {name for name, _ in bindings(node)}
    if isinstance(node, Function | ast.ClassDef):
        return names
    for part in ast.walk(node):
        changed = _changed(part)
        if changed:
            names.add(_root(changed))
    return names - {""}


def _changed(node: ast.AST) -> ast.expr | None:
    """The expression whose object this node alone may change."""
    if isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node.ctx, ast.Load):
            return None
        return node
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = node.value.func
        if isinstance(called, ast.Attribute):
            return called
    return None


def _root(node: ast.expr) -> str:
    """The name that an expression such as `name.a[0].b` begins with, or ""."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        return node.id
    return ""
