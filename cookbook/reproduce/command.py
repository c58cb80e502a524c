"""Command `reproduce`: measures the rows of docs/results.json again, and compares.

    python -m cookbook reproduce --plan                 (shows the runs and their times)
    python -m cookbook reproduce mnist_cnn imdb_cnn --seeds 0 1 2
    python -m cookbook reproduce --hours 8              (what fits into a night)

It may be killed at any moment: the same command goes on. Finished runs are found again
by their settings, in the folder --run-dir, and an unfinished one is resumed.
"""

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

from cookbook.errors import fail
from cookbook.pages.catalogue import checkout
from cookbook.reproduce.folders import finished_run
from cookbook.reproduce.plan import Clock, Planned, clock_time, runs_to_repeat
from cookbook.reproduce.running import NO_ROOM, repeat_all
from cookbook.reproduce.verdicts import agreement, outcome_table
from cookbook.runs.stopping import listen, signal_name, status

LARGEST_SEED = 2**31 - 1


def reproduce_command(arguments: argparse.Namespace) -> int:
    """Does what a command line of `reproduce` asks; returns the exit status.

    It is 1 if a figure lies outside its tolerance, or if a run failed.
    """
    checkout()
    seeds = _seeds(arguments.seeds)
    hours = arguments.hours
    if hours is not None and not 0 < hours < math.inf:
        fail(f"--hours got {hours:g}, expected a number above 0, such as 0.5 or 8")

    runs = runs_to_repeat(arguments.recipes, seeds)
    run_dir = arguments.run_dir
    if arguments.plan:
        text = plan_of(runs, run_dir, hours)
        print(text)
        return 0

    listen()
    clock = Clock(time.time(), hours)
    try:
        outcomes = repeat_all(runs, run_dir, clock)
    except KeyboardInterrupt:
        print(f"\nstopped by {signal_name()}: the same command goes on", flush=True)
        return status()

    print()
    print(outcome_table(outcomes))
    print()
    print(agreement(outcomes))
    is_good = not any(each.is_bad for each in outcomes)
    return 0 if is_good else 1


def _seeds(words: Sequence[str]) -> list[int]:
    """The random seeds that were given."""
    for word in words:
        is_seed = word.isdecimal() and int(word) <= LARGEST_SEED
        if not is_seed:
            fail(
                f"--seeds got {word!r}, expected whole numbers from 0 to "
                f"{LARGEST_SEED}; names of recipes stand before --seeds"
            )
    return [int(word) for word in words]


def plan_of(runs: Sequence[Planned], run_dir: Path, hours: float | None) -> str:
    """The runs in their order, with the stated time of each and that of all so far."""
    limit = math.inf if hours is None else 3600 * hours
    rows = [("time", "in all", "run")]
    total = 0.0
    left_out = 0
    for run in runs:
        alone = clock_time(run.seconds)

        if finished_run(run, run_dir):
            row = "", "", f"{run.name}: finished"

        elif total + run.seconds > limit:
            left_out += 1
            row = alone, "", f"{run.name}: {NO_ROOM}"

        else:
            total += run.seconds
            row = alone, clock_time(total), run.name

        rows.append(row)

    counted = f"{len(runs)} runs, {clock_time(total)} to go"
    if left_out:
        counted += f", {left_out} left out, which --hours {hours:g} has no room for"

    lines = [
        f"{alone:>9}{together:>10}  {name}"  # right-aligned times
        for alone, together, name in rows
    ]
    return "\n".join([*lines, counted])
