"""Docstrings on pages: formulas become TeX, arguments and examples what they are."""

import ast
import json
import re
import shutil
import subprocess

import pytest

from cookbook.pages.catalogue import ROOT, components
from cookbook.site.docstrings.formulas import typeset
from cookbook.site.docstrings.parts import (
    as_markdown,
    as_typed,
    docstring_parts,
    explained,
)
from sources import tree

MODULES = ROOT / "docs" / "site" / "node_modules"
# {as docstrings write it: the row of TeX}
FORMULAS = {
    "m = beta_1 * m + (1 - beta_1) * g": r"m &= \beta_{1} \cdot m + (1 - \beta_{1}) "
    r"\cdot g",
    "c = f * c_tm1 + i * activation(z_g)": r"c &= f \cdot c_{t-1} + i \cdot "
    r"\operatorname{activation} (z_{g})",
    "z = x W + h_tm1 U + b": r"z &= x \, W + h_{t-1} \, U + b",
    "w = w - alpha * m / (sqrt(v_hat) + epsilon)": r"w &= w - \alpha \cdot m / "
    r"(\sqrt{\hat{v}} + \epsilon)",
    "y = e^(x - 1)   if x > 0": r"y &= e ^{x - 1}\qquad \text{ if } x > 0",
    "p_t = probability of the true answer": r"p_{t} &= \text{probability of the true "
    r"answer}",
    "y_i = sum_j exp(x_j)": r"y_{i} &= \sum_{j} \, \exp (x_{j})",
}
DOCSTRING = """Adds and keeps.

    c = f * c + i * g    the carry
    Nothing else changes it.

    Args:
        units: size U of c.
        kernel_*, bias_*: options
            of the weights.
        beta_1, beta_2: decay rates.
        kwargs: as everywhere.

    Input: x (B, D). Output: c (B, U).
    Raises: ValueError for units
        below 1.

    >>> 1 + 1
    2

    Paper: Somebody, "Carries", 1999. https://example.org/a
"""
PARAMETERS = ["units", "kernel_a", "kernel_b", "bias_a", "beta_1", "beta_2", "kwargs"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_tex(text):
    tex = typeset([text])
    assert tex.splitlines()[1] == FORMULAS[text]


@pytest.mark.parametrize("text", ["y = f(x", "y = x)", "y = 3 ? 4"])
def test_what_is_no_formula_stays_as_it_is(text):
    assert typeset([text]) is None


def test_a_docstring_falls_into_its_parts():
    parts = docstring_parts(DOCSTRING)
    kinds = [part.kind for part in parts]
    assert kinds == [
        *("text", "formula", "text", "arguments", "section", "section"),
        *("example", "section"),
    ]
    assert parts[1].text == "c = f * c + i * g    the carry"
    assert parts[3].arguments[1] == (
        ("kernel_*", "bias_*"),
        "options of the weights.",
    )
    assert parts[5].title == "Raises"
    assert as_markdown(parts[6]) == "```pycon\n>>> 1 + 1\n2\n```"
    assert as_markdown(parts[7]).endswith("1999. <https://example.org/a>")


def test_the_lines_of_a_table_stay_apart():
    table = "    images   5     50\n    error    9.5 %  4.5 %"
    story, found, end = docstring_parts(f"What came of it:\n\n{table}\n\nSo it is.")
    lines = ["images   5     50", "error    9.5 %  4.5 %"]
    assert found.text.splitlines() == lines
    assert as_markdown(found) == "```text\n" + "\n".join(lines) + "\n```"
    assert (story.kind, end.kind) == ("text", "text")


def test_grouped_arguments_are_dealt_out_to_parameters():
    (arguments,) = [p for p in docstring_parts(DOCSTRING) if p.kind == "arguments"]
    known, left = explained(arguments.arguments, PARAMETERS)
    assert list(known) == PARAMETERS
    assert known["beta_1"] == known["beta_2"] == "decay rates."
    assert known["kernel_b"] == "options of the weights."
    assert not left


def test_three_dots_stand_for_the_parameters_between():
    known, left = explained([(("kernel_a", "...", "beta_1"), "sizes")], PARAMETERS)
    assert list(known) == PARAMETERS[1:5]
    assert not left


def test_an_argument_that_the_signature_lacks_is_left_over():
    known, left = explained([(("units", "strange"), "sizes")], PARAMETERS)
    assert known == {"units": "sizes"}
    assert left == [(("strange",), "sizes")]


def test_signs_of_markdown_mean_themselves():
    assert as_typed("a * b, x_i <c> `d_e*`") == r"a \* b, x\_i &lt;c> `d_e*`"


def definition(entry):
    nodes = tree(ROOT / entry.file).body
    return next(node for node in nodes if getattr(node, "name", "") == entry.name)


def call_of(node):
    """The function that is called, if its signature stands in the same class."""
    if isinstance(node, ast.FunctionDef):
        return node
    own = [n for n in node.body if isinstance(n, ast.FunctionDef)]
    return next((n for n in own if n.name == "__init__"), None)


def test_docstrings_explain_no_argument_that_is_not_there():
    """The names in front of a colon below Args are arguments."""
    wrong = []
    for entry in components():
        node = definition(entry)
        call = call_of(node)
        if call is None:
            continue
        arguments = call.args
        names = [a.arg for a in [*arguments.args, *arguments.kwonlyargs]]
        names += [a.arg for a in [arguments.vararg, arguments.kwarg] if a]
        for part in docstring_parts(ast.get_docstring(node) or ""):
            _, left = explained(part.arguments, names)
            strange = [n for group, _ in left for n in group if n.isidentifier()]
            if strange and not arguments.kwarg:
                wrong.append(f"{entry.defined}: {', '.join(strange)}")
    assert not wrong, "\n".join(wrong)


def formulas():
    """TeX of every formula in the docstrings."""
    for entry in components():
        for part in docstring_parts(ast.get_docstring(definition(entry)) or ""):
            if part.kind == "formula":
                yield entry.defined, typeset(part.text.splitlines())


def test_most_formulas_are_typeset():
    found = [tex for _, tex in formulas()]
    assert len(found) > 200
    assert sum(tex is not None for tex in found) >= 0.8 * len(found)


@pytest.mark.slow
def test_katex_accepts_every_formula():
    node = shutil.which("node")
    if node is None or not (MODULES / "katex").is_dir():
        pytest.skip("this needs node, and npm ci in docs/site")
    program = (
        "const katex = require('katex');"
        "const rows = JSON.parse(require('fs').readFileSync(0));"
        "for (const [name, tex] of rows)"
        "  try { katex.renderToString(tex, {displayMode: true, strict: 'error'}); }"
        "  catch (error) { console.log(name, error.message); }"
    )
    rows = [[name, tex] for name, tex in formulas() if tex]
    done = subprocess.run(
        [node, "-e", program],
        cwd=MODULES.parent,
        input=json.dumps(rows),
        capture_output=True,
        text=True,
        check=True,
    )
    assert not done.stdout


def test_the_lock_file_names_no_host():
    """So that npm asks the registry that its user has chosen."""
    text = (MODULES.parent / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert not re.search(r"https?://[^\"]*registry", text)
