"""The reference: a page per component, with its speed, source and uses."""

import ast
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cookbook.pages.catalogue import ROOT, Entry, components, recipe_uses
from cookbook.pages.tables import markdown_table
from cookbook.site.docstrings.parts import as_markdown, as_typed, docstring_parts
from cookbook.site.links import Page, relative, with_title

ABOUT = {
    "activations": "Functions that bend what a layer computes",
    "callbacks": "Objects that watch a training and steer it",
    "constraints": "Conditions that weights must meet after each step",
    "explanation": "Methods that show why a network answers as it does",
    "generation": "Decoding: from probabilities to a text or a picture",
    "initializers": "Rules by which start weights are drawn",
    "layers": "Layers, from Dense to transformers",
    "losses": "Functions that a training minimizes",
    "metrics": "Measures of how good answers are",
    "models": "Models with a training step of their own",
    "optimizers": "Rules by which weights change",
    "optimizers.schedules": "Learning rates that change over time",
    "regularizers": "Penalties on weights and outputs",
}
SPEED = ROOT / "docs" / "speed.json"
RATIO = "{1:.2f} ({0:.2f} to {2:.2f})"  # the median, and its quartiles


def reference_pages() -> list[Page]:
    """The pages of all components, of each namespace, and of all namespaces."""
    together: dict[str, list[Entry]] = {}
    for entry in components():
        together.setdefault(place_of(entry), []).append(entry)
    pages = [_page(path, entries) for path, entries in sorted(together.items())]
    return [_first_page(), *_namespace_pages(), *pages]


@functools.cache
def places() -> dict[tuple[str, str], str]:
    """{(namespace, component): its page}; a function shares the page of its class."""
    entries = components()
    classes = {
        (entry.namespace, entry.name.lower()): entry
        for entry in entries
        if entry.name[0].isupper()
    }

    found = {}
    for entry in entries:
        key = entry.namespace, entry.name.replace("_", "").lower()
        owner = classes.get(key, entry)
        folder = short_name(owner).replace(".", "/")
        found[entry.namespace, entry.name] = f"reference/{folder}/{owner.name}.md"
    return found


def place_of(entry: Entry) -> str:
    """The page of a component."""
    return places()[entry.namespace, entry.name]


def short_name(entry: Entry) -> str:
    """The namespace below custom_layers, such as optimizers.schedules."""
    return entry.namespace.partition(".")[2]


def by_namespace() -> dict[str, list[Entry]]:
    """{short name of a namespace: its components}, both by name."""
    found: dict[str, list[Entry]] = {}
    for entry in sorted(components(), key=lambda entry: entry.name.lower()):
        found.setdefault(short_name(entry), []).append(entry)
    return dict(sorted(found.items()))


def _first_page() -> Page:
    path = "reference/index.md"
    head = ["import from custom_layers", "what it holds", "components"]
    rows = [
        [
            f"[{name}]({name.replace('.', '/')}/index.md)",
            ABOUT.get(name, ""),
            f"{len(e)}",
        ]
        for name, e in by_namespace().items()
    ]
    text = (
        "# Reference\n\nEvery component takes the arguments, the names of weights and "
        "the configuration of Keras's own class, where Keras has one, and works on "
        "TensorFlow, JAX and PyTorch.\n\n"
        f"{markdown_table(head, rows)}\n"
    )
    return Page(path, "Reference", text, summary="All components by namespace")


def _namespace_pages() -> Iterator[Page]:
    used = recipe_uses()
    for name, entries in by_namespace().items():
        path = f"reference/{name.replace('.', '/')}/index.md"
        rows = []
        for entry in entries:
            link = f"[{entry.name}]({relative(place_of(entry), path)})"
            count = len(used.get(entry.name, ()))
            summary = as_typed(entry.summary.rstrip("."))
            rows.append([link, summary, str(count or "")])

        head = ["name", "what it is", "recipes"]
        text = f"# {name}\n\n{ABOUT.get(name, '')}.\n\n{markdown_table(head, rows)}\n"
        summary = f"The components of custom_layers.{name}"
        yield Page(path, name, with_title(name, text), text, summary)


def _page(path: str, entries: list[Entry]) -> Page:
    """A component, or a class with the function of the same name below it."""
    entries = sorted(entries, key=lambda entry: entry.name)  # capital letters first
    name = entries[0].name
    texts, plain = [], []
    for level, entry in enumerate(entries, 1):
        texts.append(_asked_for(entry, level))
        plain.append(_plain(entry, level))

    after = "\n\n".join([*_speed(name), *_recipes(name, path), *_source(entries)])
    text = "\n\n".join([*texts, after]) + "\n"
    plain_text = "\n\n".join([*plain, *_speed(name), *_recipes(name, path)]) + "\n"
    return Page(path, name, with_title(name, text), plain_text, entries[0].summary)


def _asked_for(entry: Entry, level: int) -> str:
    """What tells mkdocstrings to put a component here, under a heading."""
    return f"::: {entry.defined}\n    options:\n      heading_level: {level}"


def _plain(entry: Entry, level: int) -> str:
    """A component as Markdown that needs nothing else."""
    node = _node(entry)
    parts = docstring_parts(ast.get_docstring(node) or "")
    return "\n\n".join(
        [
            f"{'#' * level} {entry.name}",
            f"```python\n{entry.import_line}\n\n{_signature(node)}\n```",
            *[as_markdown(part, plain=True) for part in parts],
        ]
    )


@functools.cache
def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def _node(entry: Entry) -> ast.ClassDef | ast.FunctionDef:
    for node in _tree(entry.file).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == entry.name:
            return node
    raise LookupError(entry.defined)


def _signature(node: ast.ClassDef | ast.FunctionDef) -> str:
    """The call with types and defaults, a line per argument."""
    call: Any = node

    if isinstance(node, ast.ClassDef):
        own = [n for n in node.body if isinstance(n, ast.FunctionDef)]
        call = next((n for n in own if n.name == "__init__"), None)
    if call is None:
        return f"{node.name}(...)"

    lines = []
    plain = [*call.args.posonlyargs, *call.args.args]
    without = len(plain) - len(call.args.defaults)
    defaults = [None] * without + call.args.defaults

    for argument, default in zip(plain, defaults, strict=True):
        if argument.arg != "self":
            lines.append(_argument(argument, default))

    if call.args.vararg:
        lines.append(f"*{_argument(call.args.vararg)}")
    elif call.args.kwonlyargs:
        lines.append("*")
    for argument, default in zip(call.args.kwonlyargs, call.args.kw_defaults):
        lines.append(_argument(argument, default))
    if call.args.kwarg:
        lines.append(f"**{_argument(call.args.kwarg)}")

    inside = "".join(f"    {line},\n" for line in lines)
    return f"{node.name}(\n{inside})"


def _argument(argument: ast.arg, default: ast.expr | None = None) -> str:
    text = argument.arg
    if argument.annotation:
        text += f": {ast.unparse(argument.annotation)}"
    return f"{text} = {ast.unparse(default)}" if default else text


@functools.cache
def _measured() -> dict[str, Any]:
    return json.loads(SPEED.read_text(encoding="utf-8")) if SPEED.exists() else {}


def _speed(name: str) -> list[str]:
    """The ratios of a component's times to Keras's and PyTorch's."""

    rows = []
    machines: dict[str, None] = {}
    for part in ("table", "components"):
        section = _measured().get(part, {})
        for label, row in section.get("rows", {}).items():
            if not re.match(rf"{re.escape(name)}[ ,(]", label):
                continue
            sides = [row.get(side, {}).get("ratio") for side in ("keras", "torch")]
            if any(sides):
                rows.append([label, *[_ratio(side) for side in sides]])
                machines[section.get("machine", {}).get("machine", "")] = None

    if not rows:
        return []

    machine = "; ".join(filter(None, machines))
    what = (
        "Our time divided by theirs: below 1, ours is faster. In brackets, the "
        f"quartiles of the rounds. Machine: {machine}."
    )
    head = ["what", "ours / Keras", "ours / PyTorch"]
    return ["## Speed", what, markdown_table(head, rows)]


def _ratio(quartiles: list[float] | None) -> str:
    return RATIO.format(*quartiles) if quartiles else ""


def _recipes(name: str, page: str) -> list[str]:
    used = recipes_using(name)
    if not used:
        return []
    links = [f"[{n}]({relative(f'recipes/{n}.md', page)})" for n in used]
    return ["## Recipes that use it", ", ".join(links)]


@functools.cache
def _uses() -> dict[str, list[str]]:
    return recipe_uses()


def recipes_using(name: str) -> list[str]:
    """Names of the recipes that import a component."""
    return _uses().get(name, [])


def _source(entries: list[Entry]) -> list[str]:
    """The source of the components, folded."""
    parts = ["## Source"]
    for entry in entries:
        node = _node(entry)
        lines = Path(ROOT, entry.file).read_text(encoding="utf-8").splitlines()
        decorated = [decorator.lineno for decorator in node.decorator_list]
        first = min([node.lineno, *decorated])

        code = "\n".join(
            f"    {line}".rstrip() for line in lines[first - 1 : node.end_lineno]
        )
        parts.append(
            f'??? quote "{entry.name} in {entry.file}, line {node.lineno}"\n\n'
            f"    ```python\n{code}\n    ```"
        )
    return parts
