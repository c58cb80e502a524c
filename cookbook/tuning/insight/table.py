"""What a search found: printed, written to tuning.csv and tuning.json, and drawn."""

import dataclasses
import os
import shutil
import sys
from collections.abc import Sequence

from cookbook.config import flags
from cookbook.runs.settings import without_search
from cookbook.training.run_folder import RunFolder, write_table
from cookbook.training.train import RecipeConfig
from cookbook.tuning.insight.best_so_far import draw_progress
from cookbook.tuning.insight.importance import (
    Importance,
    draw_importance,
    importance_of,
)
from cookbook.tuning.insight.outcome import Outcome, in_two_lines, table_text
from cookbook.tuning.insight.pareto import draw_front, front_lines, front_of
from cookbook.tuning.insight.pictures import draw_parallel, draw_scores
from cookbook.tuning.insight.verdict import Gain, confirmed_rows, gain_of
from cookbook.tuning.trials.results import Confirmed, TrialResult
from cookbook.tuning.trials.runner import Trials

MOST = 40  # trials that are printed; of more, the best FIRST and the defaults
FIRST = 20
LEADERS = 10  # trials in the report
REASONS = 5  # for which trials failed or were stopped
WIDTH = 120  # columns, where the output is no terminal


def show_search(
    trials: Trials,
    confirmed: Sequence[Confirmed],
    best: RecipeConfig,
) -> None:
    """Prints what a search found; writes tuning.csv, tuning.json and pictures.

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
    summary = _summary(outcome, importance, front, gain)
    summary["confirmed"] = confirmed_rows(confirmed, outcome.score, trials.config.seed)
    run.write_json("tuning.json", summary)

    print(importance.text)
    for line in summary["front"]:
        print(line)
    if confirmed:
        print_columns(summary["confirmed"])
    print(gain.text)
    print(f"best: {_command(best)}")


def _command(best: RecipeConfig) -> str:
    """The command that trains the best settings."""
    again = dataclasses.replace(without_search(best), resume=False, run=None)
    recipe = str(sys.modules[type(best).__module__].__file__)
    return f"python {os.path.relpath(recipe)} {flags(again)}".rstrip()


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
        defaults = [row for row in rows[FIRST:] if row["trial"] == 0]
        shown = [*rows[:FIRST], *defaults]
    print_columns([in_words(row) for row in shown])
    left = len(rows) - len(shown)
    if left:
        print(f"{left} other trials are in {run.path / 'tuning.csv'}")


def _print_reasons(outcome: Outcome) -> None:
    """Prints why trials failed or were stopped, the commonest reasons first."""
    reasons: dict[str, list[str]] = {}
    for result in outcome.ranked:
        reason = result.stopped
        if result.problem:
            reason = f"failed ({result.problem})"
        if reason:
            reasons.setdefault(reason, []).append(str(result.number))

    ordered = sorted(reasons.items(), key=lambda item: -len(item[1]))
    for reason, numbers in ordered[:REASONS]:
        more = ""
        if len(numbers) > FIRST:
            more = f" and {len(numbers) - FIRST} others"
        print(f"{reason}: trial {', '.join(numbers[:FIRST])}{more}")


def in_words(row: dict) -> dict[str, str]:
    """A row of tuning.csv as it is shown: beside its trial stands how that ended."""
    words = {name: table_text(value) for name, value in row.items()}
    name = words.pop("trial")
    if name == "0":
        name = "defaults"
    if words.pop("problem"):
        name += " failed"
    if words.pop("stopped"):
        name += " stopped"
    return {"trial": name, **words}


def print_columns(rows: Sequence[dict[str, str]]) -> None:
    """Prints dicts with the same keys as columns.

    Where the terminal is too narrow, long names take two lines; columns that have no
    room even then follow below, again beside the first one.
    """
    room = shutil.get_terminal_size((WIDTH, 0)).columns
    filled: dict[str, list[str]] = {}
    total = 0
    for name in rows[0]:
        texts = [row[name] for row in rows]
        if any(texts):
            filled[name] = texts
            total += max(map(len, [name, *texts])) + 2

    is_narrow = total - 2 > room
    first, *others = [_column(*item, is_narrow) for item in filled.items()]
    block = first
    for column in others:
        width = len(block[0]) + 2 + len(column[0])
        if width > room and block is not first:
            _print_block(block)
            print()
            block = first
        block = [f"{line}  {text}" for line, text in zip(block, column)]
    _print_block(block)


def _column(name: str, texts: Sequence[str], is_narrow: bool) -> list[str]:
    """A column below its name of one or two lines, aligned at the right."""
    upper, lower = "", name
    if is_narrow:
        upper, lower = in_two_lines(name)
    lines = [upper, lower, *texts]
    width = max(map(len, lines))
    return [line.rjust(width) for line in lines]


def _print_block(block: Sequence[str]) -> None:
    for line in block:
        if line.strip():
            print(line.rstrip())


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
) -> dict:
    """The content of tuning.json: all that the report says about the search."""
    ranked = outcome.ranked
    leaders = [*ranked[:LEADERS]]
    leaders += [one for one in ranked[LEADERS:] if one.number == 0]
    return {
        "tuner": outcome.tuner,
        "score": outcome.score,
        "goal": "largest" if outcome.better is max else "smallest",
        "trials": len([one for one in ranked if one.number]),
        "failed": len(outcome.failed),
        "stopped": len([one for one in ranked if one.stopped]),
        "seconds": round(sum(one.seconds for one in ranked), 1),
        "best": dataclasses.asdict(outcome.best),
        "gain": dataclasses.asdict(gain),
        "importance": dataclasses.asdict(importance),
        "front": front_lines(outcome, front) if front else [],
        "leaders": [in_words(_row(one, outcome)) for one in leaders],
    }
