"""The parts of a script: its docstring, imports, sections of definitions, and main."""

import ast
import dataclasses
from collections.abc import Container, Iterator, Sequence

from cookbook.notebooks.settings import config_lines, in_quick_of

IDLE = "tyro"  # reads the command line, which a notebook lacks


@dataclasses.dataclass(frozen=True)
class Passage:
    """A statement of a script and the comment right above it."""

    node: ast.stmt
    space: int  # empty lines above it
    comment: Sequence[str]  # the lines of the comment, without their signs
    lines: Sequence[str]  # of the statement alone


@dataclasses.dataclass
class Section:
    """Statements below a comment that is their title."""

    title: str
    pieces: list[Passage]


@dataclasses.dataclass(frozen=True)
class Parts:
    """A script, taken apart."""

    docstring: str
    header: str  # the comment above the imports, without its signs
    imports: str  # and the statements among them
    sections: list[Section]
    config: list[str]  # lines of arguments: quick=True and the fields of Config
    in_quick: dict[str, str]  # {field of Config: its value with quick=True}
    main: ast.FunctionDef
    main_text: str
    body: Sequence[str]  # the lines of main, below its head and docstring
    names: frozenset[str]  # what the script defines and imports


def parts_of(script: str, titles: Container[str]) -> Parts:
    """Takes a script apart that ends in `main(config)` and a command line.

    titles: comments that begin a section, also right above a statement.
    """
    tree = ast.parse(script)
    lines = script.splitlines()
    docstring = ast.get_docstring(tree) or ""
    body = tree.body[1:] if docstring else tree.body
    body = [node for node in body if not _reads_command_line(node)]

    number = max(i for i, node in enumerate(body) if _is_import(node)) + 1
    imports = body[:number]
    rest = body[number:]
    (main,) = (node for node in rest if getattr(node, "name", "") == "main")
    assert isinstance(main, ast.FunctionDef)
    others = [node for node in rest if node is not main]

    classes = {
        node.name: _slice([node], lines)
        for node in rest
        if isinstance(node, ast.ClassDef)
    }
    return Parts(
        docstring=docstring,
        header=_header(tree.body[0], imports[0], lines),
        imports=_slice(imports, lines),
        sections=_sections(others, lines, titles),
        config=config_lines(classes),
        in_quick=in_quick_of(classes),
        main=main,
        main_text=_slice([main], lines),
        body=_body_lines(main, lines),
        names=frozenset(_names(body)),
    )


def first_line_of(node: ast.stmt) -> int:
    """The number of a statement's first line, which may be a decorator's."""
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def last_line(node: ast.AST) -> int:
    """The number of a statement's last line."""
    return getattr(node, "end_lineno", None) or 0


def _reads_command_line(node: ast.stmt) -> bool:
    """Whether it is `import tyro`, or `if __name__ == "__main__": ...`."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names] == [IDLE]
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _header(docstring: ast.stmt, first: ast.stmt, lines: Sequence[str]) -> str:
    """The comment between the docstring and the first import."""
    between = lines[last_line(docstring) : first_line_of(first) - 1]
    return "\n".join(line[2:] for line in between if line.startswith("#"))


def _slice(nodes: Sequence[ast.stmt], lines: Sequence[str]) -> str:
    """The text from the first to the last statement, without the command line."""
    first, last = first_line_of(nodes[0]), last_line(nodes[-1])
    chosen = lines[first - 1 : last]
    return "\n".join(line for line in chosen if line != f"import {IDLE}")


def _sections(
    nodes: Sequence[ast.stmt], lines: Sequence[str], titles: Container[str]
) -> list[Section]:
    """The statements in sections, which begin with a comment that stands alone.

    In a plain script the title of a section stands right above its first statement.
    """
    sections = [Section("", [])]
    for node in nodes:
        alone, attached = _comments_above(node, lines)
        if attached and attached[0] in titles:
            alone, attached = [*alone, attached[0]], attached[1:]
        sections += [Section(title, []) for title in alone]
        start = first_line_of(node) - 1
        space = _empty_lines_before(start - len(attached), lines)
        piece = Passage(node, space, attached, lines[start : last_line(node)])
        sections[-1].pieces.append(piece)
    return [section for section in sections if section.pieces]


def _empty_lines_before(position: int, lines: Sequence[str]) -> int:
    count = 0
    while count < position and not lines[position - 1 - count]:
        count += 1
    return count


def _comments_above(
    node: ast.stmt, lines: Sequence[str]
) -> tuple[list[str], list[str]]:
    """(comments that stand alone, the comment that touches the statement)."""
    number = first_line_of(node) - 2
    attached: list[str] = []
    while number >= 0 and lines[number].startswith("#"):
        attached.insert(0, lines[number].lstrip("# "))
        number -= 1
    alone: list[str] = []
    while number >= 0 and (lines[number].startswith("#") or not lines[number]):
        if lines[number]:
            alone.insert(0, lines[number].lstrip("# "))
        number -= 1
    return alone, attached


def _body_lines(function: ast.FunctionDef, lines: Sequence[str]) -> list[str]:
    """The lines below the function's head and docstring."""
    if ast.get_docstring(function):
        start = last_line(function.body[0])
    else:
        start = first_line_of(function.body[0]) - 1
        while lines[start - 1].strip().startswith("#"):
            start -= 1
    return list(lines[start : last_line(function)])


def _names(body: Sequence[ast.stmt]) -> Iterator[str]:
    """The names that statements at top level define or import."""
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield (alias.asname or alias.name).split(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        else:
            yield from stored_names(node)


def stored_names(node: ast.AST) -> Iterator[str]:
    """The names that a statement assigns to."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id
