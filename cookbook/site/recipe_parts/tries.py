"""Things to try with a recipe, each with what came of it and what was before."""

from cookbook.pages.results import headline_figure, recipe_rows
from cookbook.pages.tables import markdown_table
from cookbook.pages.tries import tries_of
from cookbook.site.docstrings.parts import as_typed

WHAT = (
    "What came of it, with the values of several seeds where there are several. A "
    "difference that is smaller than that between the seeds says nothing."
)
HEAD = ["add to the command", "what changes", "measured", "without it"]


def tries_section(recipe: str) -> list[str]:
    """A table of changes to a recipe with their outcomes; nothing if there are none."""
    before = ""
    rows = []
    for label, row, runs in recipe_rows(recipe):
        _, _, flags = label.partition(" ")
        figure = as_typed(headline_figure(runs)) if runs else ""
        if flags and figure:
            rows.append([f"`{flags}`", as_typed(row["task"]), figure, before])
        elif figure:
            before = figure

    for flags, row in tries_of(recipe).items():
        figure = as_typed(headline_figure(row["runs"]))
        compared = as_typed(row.get("without", before))
        rows.append([f"`{flags}`", as_typed(row["try"]), figure, compared])
    if not rows:
        return []
    table = markdown_table(HEAD, rows)
    return ["## Things to try", WHAT, table]
