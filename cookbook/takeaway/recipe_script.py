"""A recipe's own source as a script: without search, resuming and trained models."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cookbook.one_file.rewrite import Edit, applied
from cookbook.takeaway.trimming import cut, tidy

# Fields of a Config that a script lacks, and the branches that depend on them.
ABSENT = {
    "ask",
    "chaos",
    "predict",
    "resume",
    "run",
    "strategy",
    "tensorboard",
    "translate",
    "tune",
    "tuner",
    "write",
}
FUNCTIONS = {"space"}  # what the search calls
ONEDNN = 'os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")'
ENDING = """\
if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))"""


@dataclass(frozen=True)
class Script:
    """What a bundle takes from a recipe."""

    docstring: str
    text: str  # the definitions that stay, and the imports
    uses_onednn: bool


def as_script(recipe: str) -> Script:
    """The recipe as a script.

    recipe: the text of the recipe's file.
    """
    tree = ast.parse(recipe)
    lines = recipe.splitlines()
    edits: list[Edit] = []
    uses_onednn = False
    for statement in tree.body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            uses_onednn = any(k.arg == "onednn" for k in statement.value.keywords)
        if isinstance(statement, ast.FunctionDef) and statement.name in FUNCTIONS:
            edits.append(cut(statement, lines))
    for node in ast.walk(tree):
        if _depends_on_absent(node):
            assert isinstance(node, ast.stmt)
            edits.append(cut(node, lines))
        elif isinstance(node, ast.Call):
            edits += _without_absent(node, recipe)
        elif isinstance(node, ast.AnnAssign):
            edits += _without_range(node, recipe)
    text = tidy(applied(edits, recipe))
    docstring = ast.get_docstring(tree, clean=False) or ""
    return Script(_without_commands(docstring), text, uses_onednn)


def _depends_on_absent(node: ast.AST) -> bool:
    """Whether it is a field that is absent, or a branch that depends on one."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id in ABSENT
    if isinstance(node, ast.If) and not node.orelse:
        return any(
            isinstance(part, ast.Attribute)
            and part.attr in ABSENT
            and isinstance(part.value, ast.Name)
            and part.value.id == "config"
            for part in ast.walk(node.test)
        )
    return False


def _without_absent(call: ast.Call, text: str) -> Iterator[Edit]:
    """Takes `resume=False` and the like out of a call such as replace(config, ...)."""
    function = call.func
    if not (isinstance(function, ast.Name) and function.id == "replace"):
        return
    kept = [k for k in call.keywords if k.arg not in ABSENT]
    if len(kept) < len(call.keywords):
        arguments = [*call.args, *kept]
        parts = [ast.get_source_segment(text, part) or "" for part in arguments]
        end = call.end_lineno or 0, call.end_col_offset or 0
        yield Edit(
            (call.lineno, call.col_offset), end, f"replace({', '.join(parts)})"
        )


def _without_range(field: ast.AnnAssign, text: str) -> Iterator[Edit]:
    """`Annotated[int, Between(1, 64)]` becomes `int`."""
    hint = field.annotation
    for part in ast.walk(hint):
        if not isinstance(part, ast.Subscript):
            continue
        if isinstance(part.value, ast.Name) and part.value.id == "Annotated":
            assert isinstance(part.slice, ast.Tuple)
            kind = ast.get_source_segment(text, part.slice.elts[0]) or ""
            end = part.end_lineno or 0, part.end_col_offset or 0
            yield Edit((part.lineno, part.col_offset), end, kind)


def _without_commands(docstring: str) -> str:
    """The docstring without the recipe's command lines, which are not the script's."""
    text = re.sub(r"^    python recipes/.*\n", "", docstring, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text)
