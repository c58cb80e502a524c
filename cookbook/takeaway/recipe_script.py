"""A recipe's own source as a script: without search, resuming and trained models."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cookbook.one_file.rewrite import Edit, applied
from cookbook.runs.settings import SEARCH
from cookbook.takeaway.trimming import cut, edit_of, tidy

# Fields of a Config that a script lacks, and the branches that depend on them.
ABSENT = {
    *SEARCH,
    "ask",
    "chaos",
    "class_weight",
    "columns",
    "feed_forward",
    "image_size",
    "key_value_heads",
    "label_column",
    "normalization",
    "positions",
    "precision",
    "predict",
    "resume",
    "run",
    "strategy",
    "task",
    "tensorboard",
    "text_column",
    "translate",
    "variants",
    "write",
}
# Bases of a Config that add absent fields only.
BASES = re.compile(r"\b(ImageClassConfig|ImageConfig|TextClassConfig)\b")
# What only matters where other layers compute in 16 bits, which a script lacks.
IN_FLOAT32 = re.compile(
    r'^( .*?)(?:, |(?<=\())dtype="float32"(?=\)|$)|'
    r'^ +(?:reverse_)?dtype="float32",.*\n',
    re.MULTILINE,
)
# What has an effect on other backends only, for which no script is made.
ELSEWHERE = re.compile(r"^ +suit_backend\(.*\)\n", re.MULTILINE)
# What only the search, the cookbook's command line and absent fields need.
UNUSED = {"space", "idle", "variants"}
QUICK = "in_quick"  # a dict in the class, which a linter would take for a slip
# What a script calls the kinds of fields, whose ranges only the cookbook checks.
BUILTIN = {
    **dict.fromkeys(
        ("Count", "Size", "Filters", "Depth", "Repeats", "BatchSize"), "int"
    ),
    **dict.fromkeys(("Share", "Portion", "Rate"), "float"),
}


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
    recipe = ELSEWHERE.sub("", recipe)
    recipe = IN_FLOAT32.sub(r"\1", BASES.sub("TrainingConfig", recipe))
    tree = ast.parse(recipe)
    lines = recipe.split("\n")
    edits: list[Edit] = []
    uses_onednn = False
    modules = _recipes_imported(tree)
    for node in ast.walk(tree):
        if _is_absent(node):
            assert isinstance(node, ast.stmt)
            edits.append(cut(node, lines))
        elif isinstance(node, ast.Call):
            edits += _without_absent(node, recipe)
            edits += _without_modules(node, modules)
            uses_onednn |= any(k.arg == "onednn" for k in node.keywords)
        elif isinstance(node, ast.AnnAssign):
            edits += _without_range(node, recipe)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == QUICK:
            edits.append(edit_of(node.targets[0], f"{QUICK}: ClassVar"))
    text = "from typing import ClassVar\n" + tidy(applied(_outermost(edits), recipe))
    docstring = ast.get_docstring(tree, clean=False) or ""
    return Script(_without_commands(docstring), text, uses_onednn)


def _outermost(edits: list[Edit]) -> list[Edit]:
    """The edits that stand in no other one, such as in a function that goes."""
    return [
        edit
        for edit in edits
        if not any(
            other.start <= edit.start and edit.end <= other.end
            for other in edits
            if other != edit
        )
    ]


def _is_absent(node: ast.AST) -> bool:
    """Whether it is a field or function that is absent, or a branch that needs one."""
    if isinstance(node, ast.FunctionDef):
        return node.name in UNUSED
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id in ABSENT
    if isinstance(node, ast.If) and not node.orelse:
        return any(_is_absent_field(part) for part in ast.walk(node.test))
    return False


def _without_absent(call: ast.Call, text: str) -> Iterator[Edit]:
    """Takes absent fields out of the calls of replace(config, ...) and of load_..."""
    function = call.func
    if not isinstance(function, ast.Name):
        return
    if function.id == "replace":
        kept = [k for k in call.keywords if k.arg not in ABSENT]
        arguments = [*call.args, *kept]
    elif function.id.startswith("load_"):
        kept = [k for k in call.keywords if not _is_absent_field(k.value)]
        arguments = [*(a for a in call.args if not _is_absent_field(a)), *kept]
    else:
        return
    if len(arguments) < len(call.args) + len(call.keywords):
        parts = [ast.get_source_segment(text, part) or "" for part in arguments]
        yield edit_of(call, f"{function.id}({', '.join(parts)})")


def _is_absent_field(node: ast.AST) -> bool:
    """Whether it is `config.tune` or the like, or `self.tune` in a Config."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr in ABSENT
        and isinstance(node.value, ast.Name)
        and node.value.id in ("config", "self")
    )


def _recipes_imported(tree: ast.Module) -> set[str]:
    """The names of the recipes that the file imports as a whole."""
    return {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "recipes"
        for alias in node.names
    }


def _without_modules(call: ast.Call, modules: set[str]) -> Iterator[Edit]:
    """`f(recipe)` becomes `f(recipe.build, recipe.Config)`."""
    for argument in call.args:
        if isinstance(argument, ast.Name) and argument.id in modules:
            yield edit_of(argument, f"{argument.id}.build, {argument.id}.Config")


def _without_range(field: ast.AnnAssign, text: str) -> Iterator[Edit]:
    """`Annotated[int, Between(1, 64)]` and `Count` become `int`."""
    for part in ast.walk(field.annotation):
        if isinstance(part, ast.Name) and part.id in BUILTIN:
            yield edit_of(part, BUILTIN[part.id])
        if not isinstance(part, ast.Subscript):
            continue
        if isinstance(part.value, ast.Name) and part.value.id == "Annotated":
            assert isinstance(part.slice, ast.Tuple)
            yield edit_of(part, ast.get_source_segment(text, part.slice.elts[0]) or "")


def _without_commands(docstring: str) -> str:
    """The docstring without the recipe's command lines, which are not the script's."""
    text = re.sub(r"^    python recipes/.*\n", "", docstring, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text)
