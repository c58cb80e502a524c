"""Things to try with a recipe, each with what came of it and what was before."""

from cookbook.pages.results import headline_figure, recipe_rows
from cookbook.pages.tries import tries_of
from cookbook.site.docstrings.parts import as_typed
from cookbook.site.links import markdown_table

WHAT = (
    "Each row is one run with seed 0. A difference that is smaller than that between "
    "the seeds of the recipe itself says nothing."
)
HEAD = ["add to the command", "what changes", "measured", "without it"]


def tries_section(recipe: str) -> list[str]:
    """A table of changes to a recipe with their outcomes; nothing if there are none."""
    before = ""
    for label, _, runs in recipe_rows(recipe):
        if label == recipe and runs:
            before = as_typed(headline_figure(runs))
    rows = []
    for flags, row in tries_of(recipe).items():
        figure = as_typed(headline_figure([row["run"]]))
        rows.append([f"`{flags}`", as_typed(row["try"]), figure, before])
    if not rows:
        return []
    return ["## Things to try", WHAT, markdown_table(HEAD, rows)]
