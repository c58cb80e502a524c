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
from cookbook.reproduce.plan import Clock, Planned, runs_to_repeat, written
from cookbook.reproduce.running import NO_ROOM, repeat_all
from cookbook.reproduce.verdicts import summary, table
from cookbook.runs.stopping import listen, signal_name, status

LARGEST_SEED = 2**31 - 1


def reproduce(arguments: argparse.Namespace) -> int:
    """Does what a command line of `reproduce` asks; returns the exit status.

    It is 1 if a figure lies outside its tolerance, or if a run failed.
    """
    checkout()
    seeds = _seeds(arguments.seeds)
    hours = arguments.hours
    if hours is not None and not 0 < hours < math.inf:
        fail(f"--hours got {hours:g}, expected a number above 0, such as 0.5 or 8")
    runs = runs_to_repeat(arguments.recipes, seeds)
    clock = Clock(time.time(), hours)
    if arguments.plan:
        print(plan(runs, arguments.run_dir, hours))
        return 0
    listen()
    try:
        outcomes = repeat_all(runs, arguments.run_dir, clock)
    except KeyboardInterrupt:
        print(f"\nstopped by {signal_name()}: the same command goes on", flush=True)
        return status()
    print(f"\n{table(outcomes)}\n\n{summary(outcomes)}")
    return int(any(each.is_bad for each in outcomes))


def _seeds(words: Sequence[str]) -> list[int]:
    """The random seeds that were given."""
    for word in words:
        if not word.isdecimal() or int(word) > LARGEST_SEED:
            fail(
                f"--seeds got {word!r}, expected whole numbers from 0 to "
                f"{LARGEST_SEED}; names of recipes stand before --seeds"
            )
    return [int(word) for word in words]


def plan(runs: Sequence[Planned], run_dir: Path, hours: float | None) -> str:
    """The runs in their order, with the stated time of each and that of all so far."""
    total = 0.0
    lines = []
    left_out = 0
    for run in runs:
        if finished_run(run, run_dir):
            lines.append(f"{'':>9}{'':>10}  {run.name}: finished")
            continue
        if hours is not None and total + run.seconds > 3600 * hours:
            lines.append(f"{written(run.seconds):>9}{'':>10}  {run.name}: {NO_ROOM}")
            left_out += 1
            continue
        total += run.seconds
        lines.append(f"{written(run.seconds):>9}{written(total):>10}  {run.name}")
    counted = f"{len(runs)} runs, {written(total)} to go"
    if left_out:
        counted += f", {left_out} left out, which --hours {hours:g} has no room for"
    return "\n".join([f"{'time':>9}{'in all':>10}  run", *lines, counted])
