"""The source of a recipe in sections: settings, network, run, each explained."""

import ast
from collections.abc import Iterator

from cookbook.field_comments import comments_in
from cookbook.pages.tables import markdown_table
from cookbook.site.docstrings.parts import as_typed
from cookbook.site.recipe_parts.networks import drawings

EXPLAINED = {
    "Config": "The settings. Each field is a flag of the command line, and the comment "
    "beside it is the help of that flag.",
    "space": "What `--tune N` varies: it tries N settings of this space beside the "
    "defaults, which are trial 0.",
    "build": "The network, compiled with its optimizer, loss and metrics.",
    "main": "The run from start to end. It returns a `Run` with the model, the history "
    "and the figures.",
}
TITLES = {
    "Config": "Settings",
    "space": "What a search varies",
    "build": "The network",
    "main": "The run",
}


def code_sections(source: str, tree: ast.Module) -> Iterator[str]:
    """The source in sections, each with what it does."""
    lines = source.splitlines()
    start = tree.body[0].end_lineno or 0  # behind the docstring
    pending = []
    for node in tree.body[1:]:
        end = node.end_lineno or start
        pending.append("\n".join(lines[start:end]))
        start = end
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            code = "\n".join(pending)
            yield from _section(node, code.strip("\n"))
            pending = []

    pending += lines[start:]
    rest = "\n".join(pending).strip("\n")
    if rest:
        yield _block(rest)


def _section(node: ast.ClassDef | ast.FunctionDef, code: str) -> Iterator[str]:
    head, own = _split_imports(code)
    if head:
        yield "### What it imports"
        yield (
            "What comes from `custom_layers` stands in the "
            "[reference](../reference/index.md); `cookbook` holds what recipes share. "
            "The prefix `keras.` marks what is Keras's own."
        )
        yield _block(head)

    yield f"### {TITLES.get(node.name, f'`{node.name}`')}"
    explained = EXPLAINED.get(node.name)
    if node.name == "main" and "conclude" in code:
        explained = "The run from start to end: it measures, draws and concludes."
    docstring = ast.get_docstring(node) or "A part of the recipe."
    summary, _, _ = docstring.partition("\n\n")
    yield explained or as_typed(" ".join(summary.split()))

    if isinstance(node, ast.ClassDef) and node.name == "Config":
        yield from _flags(node, own)
    yield _block(own)
    yield from drawings(own)


def _split_imports(code: str) -> tuple[str, str]:
    """(the imports, what follows) of the first piece of a recipe."""
    body = ast.parse(code).body
    imports = [n for n in body if isinstance(n, ast.Import | ast.ImportFrom)]
    if not imports:
        return "", code

    lines = code.splitlines()
    end = max(node.end_lineno or 0 for node in imports)
    rest = "\n".join(lines[end:])
    return "\n".join(lines[:end]), rest.strip("\n")


def _flags(node: ast.ClassDef, code: str) -> Iterator[str]:
    """The recipe's own flags in a table."""
    comments = comments_in(code)
    rows = []
    for field in node.body:
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            name = field.target.id
            flag = f"`--{name.replace('_', '-')}`"
            default = f"`{ast.unparse(field.value)}`" if field.value else ""
            rows.append([flag, default, as_typed(comments.get(name, ""))])
    if rows:
        yield markdown_table(["flag", "default", "what it is"], rows)


def _block(code: str) -> str:
    return f"```python\n{code}\n```"
