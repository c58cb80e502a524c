"""Things to try with a recipe, each with what came of it and what was before."""

import re

from cookbook.pages.results import Run, headline_figure, recipe_rows
from cookbook.pages.tables import markdown_table
from cookbook.pages.tries import Tries, tries_of
from cookbook.site.docstrings.parts import as_typed

WHAT = (
    "What came of it, with the values of several seeds where there are several. A "
    "difference that is smaller than that between the seeds says nothing."
)
HEAD = ["add to the command", "what changes", "measured", "without it"]
WHAT_IN_THE_LAB = (
    "What became of the claims, with seed 0. A number that leaves its bound is no "
    "mistake: it shows what the claim depends on."
)
MOST = 5  # broken claims that are shown
HEAD_IN_THE_LAB = ["add to the command", "what changes", "what became of the claims"]


def tries_section(recipe: str) -> list[str]:
    """A table of changes to a recipe with their outcomes; nothing if there are none."""
    before: dict[str, str] = {}  # {what is measured: its figure with the defaults}
    rows = []
    for label, row, runs in recipe_rows(recipe):
        _, _, flags = label.partition(" ")
        if not runs:
            continue
        measure = next(iter(runs[0]))
        figure = as_typed(headline_figure(runs))
        if flags:
            compared = before.get(measure, "")
            rows.append([_as_code(flags), as_typed(row["task"]), figure, compared])
        else:
            before[measure] = figure

    tried = tries_of(recipe)
    if any("claims" in row["runs"][0] for row in tried.values()):
        return _tries_in_the_lab(tried)

    for flags, row in tried.items():
        measure = next(iter(row["runs"][0]))
        figure = as_typed(headline_figure(row["runs"]))
        compared = as_typed(row.get("without", "")) or before.get(measure, "")
        rows.append([_as_code(flags), as_typed(row["try"]), figure, compared])
    if not rows:
        return []
    table = markdown_table(HEAD, rows)
    return ["## Things to try", WHAT, table]


def _tries_in_the_lab(tried: Tries) -> list[str]:
    """A table of changes to a recipe of the lab, and which of its claims they break."""
    rows = []
    for flags, row in tried.items():
        outcome = _outcome(row["runs"][0])
        rows.append([_as_code(flags), as_typed(row["try"]), outcome])
    table = markdown_table(HEAD_IN_THE_LAB, rows)
    return ["## Things to try", WHAT_IN_THE_LAB, table]


def _as_code(flags: str) -> str:
    """Each flag with its values as a piece of code, which a page keeps on one line."""
    return re.sub(r"--\S+( [^-\s]\S*)*", r"`\g<0>`", flags)


def _outcome(run: Run) -> str:
    """How many claims keep their bounds, and those that do not, a line each."""
    claims = run["claims"]
    broken = [as_typed(each["text"]) for each in claims if not each["holds"]]
    if not broken:
        return f"All {len(claims)} claims hold."

    kept = len(claims) - len(broken)
    shown = [f"{kept} of {len(claims)} claims hold. Out of bounds:", *broken[:MOST]]
    more = len(broken) - MOST
    if more > 0:
        shown.append(f"and {more} more")
    return "<br>".join(shown)
