"""The networks of a recipe, drawn from its source: each layer, and what it takes."""

import ast
import re
from collections.abc import Iterator, Sequence

from cookbook.site.docstrings.parts import as_typed
from cookbook.site.recipe_parts.dataflow import (
    BEGINS,
    ENDS,
    OUTPUT,
    SEQUENTIAL,
    DrawnStep,
    Reader,
    called,
    comment_behind,
)

LONGEST = 88  # signs of a layer that are shown
INDENT = " " * 4  # of a list inside a list


def drawings(code: str) -> Iterator[str]:
    """Each network that a piece of a recipe's source builds, as boxes in columns."""
    tree = ast.parse(code)
    lines = code.splitlines()
    lists = _lists_in(tree)

    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node).endswith(SEQUENTIAL):
            yield from _sequential(node, lists, lines)

    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _builds_a_graph(node):
            steps = Reader(lines).read(node)
            yield from _columns(steps)


def _lists_in(tree: ast.Module) -> dict[str, ast.List]:
    """{name: the list that the code gives it}"""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List):
            name = ast.unparse(node.targets[0])
            found[name] = node.value

    return found


def _sequential(
    call: ast.Call, lists: dict[str, ast.List], lines: Sequence[str]
) -> Iterator[str]:
    """The layers of a Sequential model that the code lists."""
    layers = call.args[0] if call.args else None
    if isinstance(layers, ast.Name):
        layers = lists.get(layers.id)
    if not isinstance(layers, ast.List) or len(layers.elts) < 2:
        return

    boxes = []
    for layer in layers.elts:
        text = ast.unparse(layer).removeprefix("*")
        comment = as_typed(comment_behind(layer, lines))
        box = f"1.  `{_shortened(text)}` {comment}"
        boxes.append(box.rstrip())
    yield _column(boxes)


def _builds_a_graph(function: ast.FunctionDef) -> bool:
    """Whether a function connects layers, or adds them to a model one by one."""
    names = {called(node) for node in ast.walk(function)}
    begins = not names.isdisjoint(BEGINS)
    ends = not names.isdisjoint(ENDS)
    adds = any(name.endswith(".add") for name in names)
    has_row = any(name.endswith(SEQUENTIAL) for name in names)

    return (begins and ends) or (adds and has_row)


def _columns(steps: Sequence[DrawnStep]) -> Iterator[str]:
    """Columns of boxes: another one begins where a step takes no tensor from above."""
    column: list[str] = []
    above = ""
    around: tuple[str, ...] = ()
    for place, step in enumerate(steps):
        is_fed = above in step.inputs
        if column and not is_fed:
            yield _column(column)
            column = []
            around = ()

        for depth, head in enumerate(step.inside):
            until = depth + 1
            if around[:until] != step.inside[:until]:
                column.append(f"{INDENT * depth}1.  `{head}`")

        depth = len(step.inside)

        later = steps[place + 1 :]
        box = _box(step, later, above if is_fed else "")
        column.append(f"{INDENT * depth}1.  {box}")
        above = step.output
        around = step.inside

    if column:
        yield _column(column)


def _box(step: DrawnStep, later: Sequence[DrawnStep], above: str) -> str:
    """A step in words: its layer, what else it takes, and its name where it is used."""
    words = [f"`{_shortened(step.label)}`"]

    others = []
    for name in dict.fromkeys(step.inputs):
        whole_name = rf"(?<!\w){re.escape(name)}(?!\w)"
        if name != above and not re.search(whole_name, step.label):
            others.append(f"`{name}`")
    if others:
        words.append("with" if above else "of")
        words.append(", ".join(others))

    is_last = not later and step.output != OUTPUT
    if is_last or _is_used_below(step.output, later):
        words.append(f"gives `{step.output}`")
    if step.comment:
        words.append(f"({as_typed(step.comment)})")

    return " ".join(words)


def _is_used_below(name: str, later: Sequence[DrawnStep]) -> bool:
    """Whether a step beyond the next one takes a tensor."""
    for place, step in enumerate(later):
        if place and name in step.inputs:
            return True
        if step.output == name:
            return False

    return False


def _column(boxes: Sequence[str]) -> str:
    inside = "\n".join(boxes)

    return f'<div class="network" markdown>\n\n{inside}\n\n</div>'


def _shortened(label: str) -> str:
    label = label.replace("keras.layers.", "")

    return label if len(label) <= LONGEST else f"{label[: LONGEST - 2]} …"
