"""The table of a search: printed, written to tuning.csv, and drawn in two pictures."""

import dataclasses
import os
import sys
from collections.abc import Sequence
from typing import Any

from cookbook.config import flags
from cookbook.training.run_folder import write_table
from cookbook.training.train import RecipeConfig
from cookbook.tuning.insight.pictures import draw_parallel, draw_scores
from cookbook.tuning.progress import cell
from cookbook.tuning.results import TrialResult


def show_search(trials: Any, confirmed: Sequence[Any], best: RecipeConfig) -> None:
    """Prints the trials, best first; writes tuning.csv and two pictures.

    best: the Config whose flags are printed as the last line.
    """
    ranked, score, run = trials.ranked(), trials.score, trials.run
    names = _hyperparameters(ranked)
    rows = [_row(result, score, names) for result in ranked]
    run.write("tuning.csv", lambda path: write_table(path, rows))
    _print_columns(rows)

    measured = [row for row in rows if row[score] != ""]
    draw_parallel(measured, names, score, run)
    draw_scores(measured, names, score, run)

    again = dataclasses.replace(best, tune=0, resume=False)
    recipe = os.path.relpath(str(sys.modules[type(best).__module__].__file__))
    print(f"best: python {recipe} {flags(again)}")


def _hyperparameters(results: Sequence[TrialResult]) -> list[str]:
    """The names of the hyperparameters of all trials: not every trial has all."""
    names: list[str] = []
    for result in results:
        for name in result.values:
            if name not in names:
                names.append(name)
    return names


def _row(
    result: TrialResult,
    score: str,
    names: Sequence[str],
) -> dict:
    """A row of the table; what a trial does not have is empty."""
    row: dict = {score: "" if result.score is None else result.score}
    for name in names:
        row[name] = result.values.get(name, "")
    row["epochs_done"] = result.epochs
    row["trial"] = result.number
    row["problem"] = result.problem or ""
    return row


def _print_columns(rows: Sequence[dict]) -> None:
    """Prints dicts with the same keys as columns, aligned at the right."""
    header = list(rows[0])
    lines = [header]
    for row in rows:
        lines.append([cell(value) for value in row.values()])
    widths = [max(map(len, column)) for column in zip(*lines)]

    for line in lines:
        cells = [text.rjust(width) for text, width in zip(line, widths)]
        print("  ".join(cells).rstrip())
