"""The table of what must be fast: each row with its bound, and whether it is met."""

import typing
from collections.abc import Sequence

import keras

from benchmarks.measure import ROUNDS, Step, warn_if_busy
from benchmarks.results import NAMES, Kept, Results, ratio_text, row_of_pairs
from benchmarks.table_networks import figures, networks
from benchmarks.table_rows import Figure, Row, component_rows
from cookbook.errors import fail


def run_table(
    names: Sequence[str] = (),
    rounds: int = ROUNDS,
    results: Results | None = None,
    is_rest: bool = False,
) -> None:
    """Prints every row with its bound.

    Args:
        names: words; rows whose name has one of them are measured. None: all rows.
        rounds, results, is_rest: as in `benchmarks.components.run`.
    """
    results = results or Results(None, "table")
    all_rows: list[Row | Figure] = [*component_rows(), *networks(), *figures()]
    rows = [row for row in all_rows if is_asked(row.what, names)]
    if not rows:
        fail(f"no row of the table has {' or '.join(names)} in its name")
    warn_if_busy()
    print(table_line("what", "ours/Keras", "ours/PyTorch", "at most", "met"))
    for row in rows:
        if is_rest and results.holds(row.what):
            continue
        try:
            content = measured(row, rounds)
        except LookupError as problem:
            print(f"{row.what}: {problem.args[0]}")
            continue
        results.keep(row.what, content)
        print(table_line(*cells(row.what, content)), flush=True)


def is_asked(what: str, names: Sequence[str]) -> bool:
    """Whether a row of that name has one of the words, or there are none."""
    if not names:
        return True
    what = what.lower()
    return any(name.lower() in what for name in names)


def measured(row: Row | Figure, rounds: int = ROUNDS) -> Kept:
    """What a file of results keeps of a row: figures and bounds."""
    keras.backend.clear_session()
    if isinstance(row, Figure):
        figure = round(row.measure(), 2)
        return {
            "figure": figure,
            "unit": row.unit,
            "at most": row.at_most,
        }
    timed = row_of_pairs(steps_of(row), rounds)
    return {**timed, "bounds": dict(row.bounds)}


def steps_of(row: Row) -> dict[str, Step]:
    """{side: step} of the sides that exist on this machine."""
    made = {side: make() for side, make in row.sides.items()}
    return {side: step for side, step in made.items() if step is not None}


def cells(what: str, content: Kept) -> list[str]:
    """The cells of a row: what, both ratios, the bounds, whether they are met."""
    if "figure" in content:
        return [what, *_cells_of_figure(**content)]
    ratios = [ratio_text(content, side) for side in NAMES]
    bounds = [
        f"{bound:.2f} of {NAMES[side]}" for side, bound in content["bounds"].items()
    ]
    return [what, *ratios, ", ".join(bounds), verdict(content)]


def _cells_of_figure(**content: typing.Any) -> list[str]:
    unit = content["unit"]
    figure = content["figure"]
    bound = content["at most"]
    return [
        f"{figure:.3g} {unit}",
        "",  # there is no ratio to PyTorch
        f"{bound:g} {unit}",
        "yes" if figure <= bound else "no",
    ]


def verdict(content: Kept) -> str:
    """ "yes", or the sides whose bound a row misses; unmeasured ones are not missed."""
    missed = []
    for side, bound in content["bounds"].items():
        if side not in content:
            continue
        _, median, _ = content[side]["ratio"]
        if round(median, 2) > bound:
            missed.append(NAMES[side])
    return f"not {', '.join(missed)}" if missed else "yes"


def table_line(*columns: str) -> str:
    """A line of the table on the screen."""
    widths = [54, 21, 21, 30]
    *padded, last = columns
    cells = [
        text.ljust(width)  # so that all lines have the same columns
        for text, width in zip(padded, widths)
    ]
    return "  ".join([*cells, last])
