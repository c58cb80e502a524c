"""The claims of a lab recipe: what it measured, and the bounds in its source."""

import ast
import re
from collections.abc import Iterator

from cookbook.pages.lessons import claims_of_lab
from cookbook.pages.tables import markdown_table
from cookbook.site.docstrings.parts import as_typed

WHAT = (
    "The recipe measured these numbers with seed 0. Each run measures them anew, and "
    "says whether each of them keeps the bound that the recipe states."
)
SIDES = {"at_least": "at least", "at_most": "at most"}
FIELD = re.compile(r"\{\w*\}|…")  # where a sentence has its number


def claims_section(recipe: str, tree: ast.Module) -> list[str]:
    """The claims of a recipe with their measured numbers and their bounds."""
    bounds: dict[str, str] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "id", "")
        if called == "Claim":
            texts = _texts_above(node, tree)
            bounds |= _claim(node, texts)
    measured = claims_of_lab().get(recipe, [])
    rows = []
    for sentence in measured:
        text = _source_of(sentence, bounds)
        bound = bounds.pop(text, "see the code")
        rows.append([as_typed(sentence), bound])
    for text, bound in bounds.items():
        open_text = FIELD.sub("…", text)
        rows.append([as_typed(open_text), bound])

    if not rows:
        return []

    return ["## Claims", WHAT, markdown_table(["claim", "bound"], rows)]


def _source_of(sentence: str, texts: dict[str, str]) -> str:
    """The text of the source that became a sentence; the one that leaves least open."""
    fitting = []
    for text in texts:
        pieces = FIELD.split(text)
        escaped = map(re.escape, pieces)
        pattern = "(.+?)".join(escaped)
        if re.fullmatch(pattern, sentence):
            fitting.append(text)

    return max(fitting, key=lambda text: len(FIELD.sub("", text)), default="")


def _texts_above(node: ast.Call, tree: ast.Module) -> dict[str, str]:
    """{variable: its text} at a call, whose sentence may be put together of them."""
    texts: dict[int, tuple[str, str]] = {}  # {line: (variable, its text)}
    for other in ast.walk(tree):
        if not isinstance(other, ast.Assign) or other.lineno > node.lineno:
            continue
        if isinstance(other.value, ast.Constant | ast.JoinedStr):
            name = ast.unparse(other.targets[0])
            texts[other.lineno] = name, _sentence(other.value, {})

    return dict(texts[line] for line in sorted(texts))


def _claim(node: ast.Call, texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The sentence of a claim, and its bound in words, if the source shows both."""
    text = _sentence(node.args[0], texts) if node.args else ""
    for keyword in node.keywords:
        if text and keyword.arg in SIDES:
            number = _bound(keyword.value, text)
            yield text, f"{SIDES[keyword.arg]} {number}"


def _bound(value: ast.expr, text: str) -> str:
    """A bound as the claim's sentence writes its number."""
    try:
        number = float(ast.literal_eval(value))
    except ValueError:
        return f"`{ast.unparse(value)}`"
    hundredfold = 100 * number
    if "{percent}" in text:
        return f"{hundredfold:.3g} %"
    if "{points}" in text:
        return f"{hundredfold:.3g} points"

    return f"{number:.3g}"


def _sentence(node: ast.expr, texts: dict[str, str]) -> str:
    """The text of a claim; fields of an f-string become dots."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.JoinedStr):
        return ""

    pieces = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            pieces.append(str(part.value))
        else:
            name = ast.unparse(part)[1:-1]
            pieces.append(texts.get(name, "…"))

    return "".join(pieces)
