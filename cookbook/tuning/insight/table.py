"""What a search found: printed, written to tuning.csv and tuning.json, and drawn."""

import dataclasses
import os
import shutil
import sys
from collections.abc import Sequence

from cookbook.config import SearchOptions, flags
from cookbook.training.run_folder import RunFolder, write_table
from cookbook.training.train import RecipeConfig
from cookbook.tuning.confirm import Confirmed
from cookbook.tuning.insight.best_so_far import draw_progress
from cookbook.tuning.insight.importance import (
    Importance,
    draw_importance,
    importance_of,
)
from cookbook.tuning.insight.outcome import Outcome, in_two_lines, written
from cookbook.tuning.insight.pareto import draw_front, front_lines, front_of
from cookbook.tuning.insight.pictures import draw_parallel, draw_scores
from cookbook.tuning.insight.verdict import Gain, confirmed_rows, gain_of
from cookbook.tuning.results import TrialResult
from cookbook.tuning.trials import Trials

MOST = 40  # trials that are printed; of more, the best FIRST and the defaults
FIRST = 20
LEADERS = 10  # trials in the report
REASONS = 5  # for which trials failed or were stopped
WIDTH = 120  # columns, where the output is no terminal


def show_search(
    trials: Trials, confirmed: Sequence[Confirmed], best: RecipeConfig
) -> None:
    """Prints what a search found; writes tuning.csv, tuning.json and pictures.

    trials: the Trials of the search.
    confirmed: the settings that were trained with several seeds, the best first.
    best: the Config whose flags are printed as the last line.
    """
    run = trials.run
    outcome = Outcome.of(trials, confirmed)
    rows = [_row(result, outcome) for result in outcome.ranked]
    run.write("tuning.csv", lambda path: write_table(path, rows))
    _print_leaders(rows, run)
    _print_reasons(outcome)

    importance = importance_of(outcome)
    front = front_of(outcome)
    gain = gain_of(outcome, confirmed)
    _draw(outcome, importance, front, run)
    run.write_json("tuning.json", _summary(outcome, importance, front, gain, confirmed))

    print(importance.text)
    if front:
        print("\n".join(front_lines(outcome, front)))
    if confirmed:
        print_columns(confirmed_rows(confirmed, outcome.score))
    print(gain.text)
    off = {field.name: field.default for field in dataclasses.fields(SearchOptions)}
    again = dataclasses.replace(best, resume=False, run=None, **off)
    recipe = os.path.relpath(str(sys.modules[type(best).__module__].__file__))
    print(f"best: python {recipe} {flags(again)}".rstrip())


def _row(result: TrialResult, outcome: Outcome) -> dict:
    """A row of tuning.csv; what a trial does not have is empty."""
    row: dict = {outcome.score: result.score}
    if outcome.second:
        row[outcome.second] = getattr(result, outcome.second)
    for dimension in outcome.dimensions:
        row[dimension.name] = result.values.get(dimension.name)
    row["epochs_done"] = result.epochs
    row.setdefault("seconds", result.seconds)
    row["trial"] = result.number
    row["problem"] = result.problem
    row["stopped"] = result.stopped
    return row


def _print_leaders(rows: Sequence[dict], run: RunFolder) -> None:
    """Prints the table; of a long one the best rows and the defaults."""
    shown = list(rows)
    if len(rows) > MOST:
        shown = [*rows[:FIRST], *(row for row in rows[FIRST:] if not row["trial"])]
    print_columns([in_words(row) for row in shown])
    if len(rows) > len(shown):
        left = len(rows) - len(shown)
        print(f"{left} other trials are in {run.path / 'tuning.csv'}")


def _print_reasons(outcome: Outcome) -> None:
    """Prints why trials failed or were stopped, the commonest reasons first."""
    reasons: dict[str, list[str]] = {}
    for result in outcome.ranked:
        reason = f"failed ({result.problem})" if result.problem else result.stopped
        if reason:
            reasons.setdefault(reason, []).append(str(result.number))
    ordered = sorted(reasons.items(), key=lambda item: -len(item[1]))
    for reason, numbers in ordered[:REASONS]:
        more = f" and {len(numbers) - FIRST} others" if len(numbers) > FIRST else ""
        print(f"{reason}: trial {', '.join(numbers[:FIRST])}{more}")


def in_words(row: dict) -> dict[str, str]:
    """A row of tuning.csv as it is shown: beside its trial stands how that ended."""
    words = {name: written(value) for name, value in row.items()}
    number, problem, stopped = (
        words.pop(name) for name in ("trial", "problem", "stopped")
    )
    end = " failed" if problem else " stopped" if stopped else ""
    name = number if row["trial"] else "defaults"
    return {"trial": name + end, **words}


def print_columns(rows: Sequence[dict[str, str]]) -> None:
    """Prints dicts with the same keys as columns.

    Where the terminal is too narrow, long names take two lines; columns that have no
    room even then follow below, again beside the first one.
    """
    room = shutil.get_terminal_size((WIDTH, 0)).columns
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    filled = {name: texts for name, texts in columns.items() if any(texts)}
    widths = [max(map(len, [name, *texts])) + 2 for name, texts in filled.items()]
    is_narrow = sum(widths) > room
    first, *others = (_column(*item, is_narrow) for item in filled.items())
    block = first
    for column in others:
        if block is not first and len(block[0]) + 2 + len(column[0]) > room:
            _print_block(block)
            print()
            block = first
        block = [f"{line}  {cell}" for line, cell in zip(block, column)]
    _print_block(block)


def _print_block(block: Sequence[str]) -> None:
    print("\n".join(line.rstrip() for line in block if line.strip()))


def _column(name: str, texts: Sequence[str], is_narrow: bool) -> list[str]:
    """A column below its name of one or two lines, aligned at the right."""
    upper, lower = in_two_lines(name) if is_narrow else ("", name)
    lines = [upper, lower, *texts]
    width = max(map(len, lines))
    return [line.rjust(width) for line in lines]


def _draw(
    outcome: Outcome,
    importance: Importance,
    front: list[TrialResult],
    run: RunFolder,
) -> None:
    """Draws the pictures tuning_*.png."""
    draw_parallel(outcome, run)
    draw_scores(outcome, run)
    draw_progress(outcome, run)
    draw_importance(importance, outcome, run)
    if front:
        draw_front(outcome, front, run)


def _summary(
    outcome: Outcome,
    importance: Importance,
    front: list[TrialResult],
    gain: Gain,
    confirmed: Sequence[Confirmed],
) -> dict:
    """The content of tuning.json: all that the report says about the search."""
    leaders = [*outcome.ranked[:LEADERS]]
    leaders += [one for one in outcome.ranked[LEADERS:] if one.number == 0]
    return {
        "tuner": outcome.tuner,
        "score": outcome.score,
        "goal": "largest" if outcome.better is max else "smallest",
        "trials": len([one for one in outcome.ranked if one.number]),
        "failed": len(outcome.ranked) - len(outcome.measured),
        "stopped": len([one for one in outcome.ranked if one.stopped]),
        "seconds": round(sum(one.seconds for one in outcome.ranked), 1),
        "best": {"trial": outcome.best.number, **dataclasses.asdict(outcome.best)},
        "gain": dataclasses.asdict(gain),
        "confirmed": confirmed_rows(confirmed, outcome.score),
        "importance": dataclasses.asdict(importance),
        "front": front_lines(outcome, front) if front else [],
        "leaders": [in_words(_row(one, outcome)) for one in leaders],
    }
