"""The settings of a script as the arguments of its Config, for one cell."""

import ast
import textwrap
from collections.abc import Mapping

from cookbook.field_comments import comments_in

WIDTH = 88  # of a line


def config_lines(classes: Mapping[str, str]) -> list[str]:
    """The lines of arguments: quick=True, Config's own fields, those of its bases.

    classes: {name of a class of the script: its text}.
    """
    values: dict[str, str] = {}
    comments: dict[str, str] = {}
    waiting = ["Config"]
    while waiting:
        text = classes.get(waiting.pop(0))
        if text is None:
            continue  # a class from elsewhere
        config = _class(text)
        waiting += map(ast.unparse, config.bases)
        for field, value in _defaults(config, text).items():
            values.setdefault(field, value)
        comments = comments_in(text) | comments

    if "quick" in values:
        values = {"quick": "", **values}  # the first of them
        values["quick"] = "True"
    lines = []
    for field, value in values.items():
        lines += _argument(f"{field}={value},", comments.get(field, ""))
    return lines


def in_quick_of(classes: Mapping[str, str]) -> dict[str, str]:
    """{field of Config: the text of its value with quick=True}, where it says so."""
    found = {}
    for node in _class(classes["Config"]).body:
        if not isinstance(node, ast.Assign):
            continue
        (target,) = node.targets
        if ast.unparse(target) == "in_quick":
            assert isinstance(node.value, ast.Dict)
            for field, value in zip(node.value.keys, node.value.values):
                if field is not None:  # not **others
                    found[ast.literal_eval(field)] = ast.unparse(value)
    return found


def _class(text: str) -> ast.ClassDef:
    (node,) = ast.parse(text).body
    assert isinstance(node, ast.ClassDef)
    return node


def _defaults(config: ast.ClassDef, source: str) -> dict[str, str]:
    """{field: the text of its default} of a dataclass."""
    found = {}
    for node in config.body:
        if not isinstance(node, ast.AnnAssign) or node.value is None:
            continue
        text = ast.get_source_segment(source, node.value) or ""
        annotation = ast.unparse(node.annotation)
        if "ClassVar" in annotation:
            continue
        # What `field(...)` makes anew for each Config can stay as it is.
        if not text.startswith(("field(", "dataclasses.field(")):
            name = ast.unparse(node.target)
            found[name] = text
    return found


def _argument(argument: str, comment: str) -> list[str]:
    """The argument and its comment, beside it or, where it is long, above it."""
    beside = f"    {argument}  # {comment}" if comment else f"    {argument}"
    if len(beside) <= WIDTH:
        return [beside]
    above = textwrap.wrap(f"# {comment}", WIDTH - 6, subsequent_indent="# ")
    return [f"    {line}" for line in [*above, argument]]
