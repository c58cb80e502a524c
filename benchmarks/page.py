"""The page docs/speed.md, written from the results that docs/speed.json keeps."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import quick
from benchmarks.results import Kept, ratio_text
from benchmarks.table import cells

DOCS = Path(__file__).parent.parent / "docs"
KEPT = DOCS / "speed.json"
PAGE = DOCS / "speed.md"

HIGHEST = 1.05  # what a component may take of the time of Keras's
NOT_ON_GPU = "`benchmarks/gpu.py` has not been run: no machine with a GPU was at hand."
PLACE = "(<!-- {0} -->\n).*?(<!-- end of {0} -->)"  # what of the page is written anew


def page() -> str:
    """docs/speed.md as it should be: its text with the tables of docs/speed.json."""
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (
        ("table", _bounds),
        ("recipes", _recipes),
        ("components", _components),
        ("quick", _quick),
    ):
        part = kept.get(name)
        lines = [_machine(part["machine"]), *table(part["rows"])] if part else []
        text = _replaced(text, name, lines)
    return _replaced(text, "gpu", _on_gpu(kept))


def write_page() -> None:
    """Writes the tables into docs/speed.md."""
    PAGE.write_text(page(), encoding="utf-8")


def _replaced(text: str, name: str, lines: list[str]) -> str:
    """The text with these lines between the marks of that name."""
    inside = "".join(f"{line}\n" for line in lines)
    place = re.compile(PLACE.format(name), re.DOTALL)
    return place.sub(lambda marks: marks[1] + inside + marks[2], text)


def _on_gpu(kept: dict[str, Any]) -> list[str]:
    """The table of each backend."""
    lines = []
    for kind, part in kept.items():
        if kind.startswith("gpu"):
            _, backend = kind.split(", ")
            lines += [f"Backend {backend}. {_machine(part['machine'])}"]
            lines += [*_bounds(part["rows"]), ""]
    return lines or [NOT_ON_GPU]


def _machine(described: dict[str, str]) -> str:
    """A sentence: the processor with its cores, and the versions."""
    described = dict(described)
    machine = described.pop("machine")
    versions = ", ".join(
        f"{package} {version}"  # such as keras 3.15.1
        for package, version in described.items()
    )
    return f"Measured on: {machine}; {versions}.\n"


def _bounds(rows: dict[str, Kept]) -> list[str]:
    """The table of the rows that have a bound."""
    heads = ["what", "ours / Keras", "ours / PyTorch", "at most", "met"]
    lines = []
    for what, row in rows.items():
        row = {"bounds": {}, **row}  # on a GPU there are none
        lines.append(cells(what, row))
    return _table(heads, lines)


def _recipes(rows: dict[str, Kept]) -> list[str]:
    """The table of recipes, and the median of all."""
    lines = []
    for name, row in rows.items():
        lines.append(
            [
                f"[{name}](../recipes/{name}.py)",
                ratio_text(row, "keras"),
                _ours(row, "{:.1f} ms"),
                _pair(row, "megabytes", "{:.0f}"),
                _pair(row, "compile_seconds", "{:.1f}"),
                ", ".join(row["without counterpart"]),
            ]
        )
    heads = ["recipe", "ours / Keras", "ours", "MB", "first step, s", "no counterpart"]
    ratios = _ratios_to_keras(rows)
    middle = np.median(ratios)
    summary = f"\nThe median of the {len(ratios)} ratios is {middle:.2f}."
    return [*_table(heads, lines), summary]


def _ratios_to_keras(rows: dict[str, Kept]) -> list[float]:
    """The medians of the rows whose component Keras has too."""
    sides = [row["keras"] for row in rows.values() if "keras" in row]
    return [median for _, median, _ in (side["ratio"] for side in sides)]


def _components(rows: dict[str, Kept]) -> list[str]:
    """The table of components, and a sentence about the ratios to Keras."""
    lines = []
    for row in rows.values():
        lines.append(
            [
                row["component"],
                row["what"],
                ratio_text(row, "keras"),
                ratio_text(row, "torch"),
                _ours(row, "{:.3f} ms"),
                _pair(row, "megabytes", "{:.1f}"),
                _pair(row, "compile_seconds", "{:.2f}"),
            ]
        )
    heads = [
        "component",
        "step",
        "ours / Keras",
        "ours / PyTorch",
        "ours",
        "MB",
        "compiling, s",
    ]
    ratios = _ratios_to_keras(rows)
    middle = np.median(ratios)
    summary = f"\nOf {len(ratios)} ratios to Keras, the median is {middle:.2f}; "
    return [*_table(heads, lines), summary + _above(rows)]


def _quick(rows: dict[str, Kept]) -> list[str]:
    """The table of `--quick` on each backend, a summary, and what went wrong."""
    heads = [
        "recipe",
        *quick.BACKENDS.values(),
        "JAX / TensorFlow",
    ]
    lines, failures = [], []
    for name, row in rows.items():
        link = f"[{name}](../recipes/{name}.py)"
        lines.append([link, *quick.cells(row)])
        for problem in quick.problems(row):
            failures.append(f"- {name}, {problem}")
    return [
        *_table(heads, lines),
        "",
        quick.summary(rows),
        *failures,
    ]


def _above(rows: dict[str, Kept]) -> str:
    """The end of a sentence: how many ratios are too high, and which surely are."""
    sides = {name: row["keras"] for name, row in rows.items() if "keras" in row}
    above = {name: side for name, side in sides.items() if side["ratio"][1] > HIGHEST}
    differing = {
        name: side for name, side in above.items() if not side.get("same_operations")
    }
    clearly = [name for name, side in differing.items() if side["ratio"][0] > HIGHEST]
    return (
        f"{len(above)} are above {HIGHEST}. {len(above) - len(differing)} of these "
        "belong to graphs of the same operations as Keras's, so they show how far two "
        "measurements of the same thing lie apart; of "
        f"{len(differing) - len(clearly)} others, the lower quartile is not above "
        f"{HIGHEST}. The rest: {'; '.join(clearly) or 'none'}."
    )


def _ours(row: Kept, form: str) -> str:
    return form.format(row["ours"]["milliseconds"])


def _pair(row: Kept, name: str, form: str) -> str:
    """ "0.12, 0.15": the figure of ours, then that of Keras."""
    words = []
    for side in ("ours", "keras"):
        if side in row:
            value = row[side][name]
            words.append("?" if value is None else form.format(value))
    return ", ".join(words)


def _table(heads: list[str], lines: Iterable[list[str]]) -> list[str]:
    rows = [heads, ["---"] * len(heads), *lines]
    return [f"| {' | '.join(cells)} |" for cells in rows]
