"""The body of a script's main as steps of a notebook, where it does the same there."""

import ast
import builtins
import dataclasses
from collections.abc import Iterator

from cookbook.notebooks.script_parts import Parts, last_line, stored_names

TITLES = {  # {what the name of a called function begins with: the title of the step}
    "load": "Load the data",
    "build": "Build the model",
    "train": "Train it",
    "model.fit": "Train it",
}
LAST_TITLE = "Look at the result"
SPECIAL = ast.FunctionDef | ast.Global | ast.Nonlocal | ast.Yield | ast.YieldFrom


@dataclasses.dataclass
class Step:
    """The lines of one cell, and what to call them, if anything."""

    title: str
    lines: list[str]


def can_unroll(parts: Parts) -> bool:
    """Whether the body of main does the same outside of a function.

    It must return at its end only, and its variables must not hide what is used
    elsewhere.
    """
    main = parts.main
    inside = [node for node in ast.walk(main) if node is not main]
    returns = [node for node in inside if isinstance(node, ast.Return)]
    taken = {"config", "result", *parts.names, *dir(builtins)}
    taken.discard("_")  # where an interactive Python keeps its last answer
    return (
        [argument.arg for argument in main.args.args] == ["config"]
        and returns == [main.body[-1]]
        and returns[0].value is not None
        and taken.isdisjoint(stored_names(main))
        and _is_unchanged("\n".join(_dedented(parts)), main)
        and not any(isinstance(node, SPECIAL) for node in inside)
    )


def steps_of(parts: Parts) -> Iterator[Step]:
    """The body of main in steps; the last one keeps what main returns in `result`."""
    above = last_line(parts.main) - len(parts.body)  # lines above the body
    lines = _dedented(parts)
    step = Step("", [])
    begin = 0
    body = parts.main.body[1:] if ast.get_docstring(parts.main) else parts.main.body
    for node in body:
        end = last_line(node) - above
        own = lines[begin:end]
        begin = end
        title = _title(node)
        if step.lines and (title or not own[0]):
            yield step
            step = Step("", [])
        if not step.lines:
            own = own if own[0] else own[1:]
            step.title = title
        step.lines += own
    at = node.lineno - last_line(node) - 1
    step.lines[at] = step.lines[at].replace("return ", "result = ", 1)
    yield step


def _dedented(parts: Parts) -> list[str]:
    return [line.removeprefix("    ") for line in parts.body]


def _is_unchanged(text: str, main: ast.FunctionDef) -> bool:
    """Whether the text is main's body: a string of several lines may have changed."""
    docstring = 1 if ast.get_docstring(main) else 0
    body = [ast.dump(node) for node in main.body[docstring:]]
    return [ast.dump(node) for node in ast.parse(text).body] == body


def _title(node: ast.stmt) -> str:
    """The title of a step that begins with this statement: `model = build(...)`."""
    if isinstance(node, ast.Return):
        return LAST_TITLE
    if isinstance(node, ast.Assign | ast.Expr):
        value = node.value
        while isinstance(value, ast.Attribute):  # model.fit(...).history
            value = value.value
        name = ast.unparse(value.func) if isinstance(value, ast.Call) else ""
        for beginning, title in TITLES.items():
            if name.startswith(beginning):
                return title
    return ""
