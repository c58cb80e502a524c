"""The page docs/speed.md, written from the results that docs/speed.json keeps."""

import json
import re
import typing
from pathlib import Path

import numpy as np

from benchmarks.results import Row, ratio_text
from benchmarks.table import cells

DOCS = Path(__file__).parent.parent / "docs"
KEPT = DOCS / "speed.json"
PAGE = DOCS / "speed.md"

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


def _on_gpu(kept: dict[str, typing.Any]) -> list[str]:
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
    machine, *versions = [
        value if name == "machine" else f"{name} {value}"
        for name, value in described.items()
    ]
    return f"Measured on: {machine}; {', '.join(versions)}.\n"


def _bounds(rows: dict[str, Row]) -> list[str]:
    """The table of the rows that have a bound."""
    lines = [cells(what, {"bounds": {}, **row}) for what, row in rows.items()]
    return _table(["what", "ours / Keras", "ours / PyTorch", "at most", "met"], lines)


def _recipes(rows: dict[str, Row]) -> list[str]:
    """The table of recipes, and the median of all."""
    lines = []
    for name, row in rows.items():
        ours, theirs = row["ours"], row["keras"]
        lines.append(
            [
                f"[{name}](../recipes/{name}.py)",
                ratio_text(row, "keras"),
                f"{ours['milliseconds']:.1f} ms",
                _pair(ours, theirs, "megabytes", "{:.0f}"),
                _pair(ours, theirs, "compile_seconds", "{:.1f}"),
                ", ".join(row["without counterpart"]),
            ]
        )
    heads = ["recipe", "ours / Keras", "ours", "MB", "first step, s", "no counterpart"]
    ratios = [row["keras"]["ratio"][1] for row in rows.values()]
    middle = f"\nThe median of the {len(ratios)} ratios is {np.median(ratios):.2f}."
    return [*_table(heads, lines), middle]


def _components(rows: dict[str, Row]) -> list[str]:
    """The table of components, and a sentence about the ratios to Keras."""
    lines = []
    for row in rows.values():
        ours, theirs = row["ours"], row.get("keras")
        lines.append(
            [
                row["component"],
                row["what"],
                ratio_text(row, "keras"),
                ratio_text(row, "torch"),
                f"{ours['milliseconds']:.3f} ms",
                _pair(ours, theirs, "megabytes", "{:.1f}"),
                _pair(ours, theirs, "compile_seconds", "{:.2f}"),
            ]
        )
    heads = ["component", "step", "ours / Keras", "ours / PyTorch", "ours", "MB"]
    ratios = [row["keras"]["ratio"][1] for row in rows.values() if "keras" in row]
    above = sum(ratio > 1.05 for ratio in ratios)
    summary = (
        f"\nOf {len(ratios)} ratios to Keras, the median is {np.median(ratios):.2f}; "
        f"{above} are above 1.05."
    )
    return [*_table([*heads, "compiling, s"], lines), summary]


def _pair(ours: Row, theirs: Row | None, name: str, form: str) -> str:
    """ "0.12, 0.15": the figure of ours, then that of Keras."""
    sides = [side for side in (ours, theirs) if side is not None]
    figures = [side[name] for side in sides]
    return ", ".join("?" if value is None else form.format(value) for value in figures)


def _table(heads: list[str], lines: typing.Iterable[list[str]]) -> list[str]:
    rows = [heads, ["---"] * len(heads), *lines]
    return [f"| {' | '.join(cells)} |" for cells in rows]
