"""Running of a reproduction: one recipe after the other, with progress shown."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cookbook.errors import fail
from cookbook.processes import end_processes, launched
from cookbook.reproduce.folders import (
    finished_run,
    unfinished_run,
    wait_until_free,
)
from cookbook.reproduce.plan import Clock, Planned, clock_time
from cookbook.reproduce.verdicts import Repeated
from cookbook.runs.stopping import stop_if_asked

LOGS = "logs"  # the folder in --run-dir for what the recipes print
EPOCH = re.compile(rb"Epoch (\d+/\d+)")
TAIL = 4096  # bytes at the end of a log in which the epoch is looked for
NO_ROOM = "left out: no time is left for it"
TOO_LATE = "stopped when the time was over; the same command goes on"


def repeat_all(runs: Sequence[Planned], run_dir: Path, clock: Clock) -> list[Repeated]:
    """Runs what is not finished yet and fits into the time; returns what became of it.

    A run that fits no longer is left out, and a shorter one may come after it.
    """
    outcomes = []
    for number, run in enumerate(runs, 1):
        stop_if_asked()
        place = f"[{number}/{len(runs)}] {run.name}"
        found = finished_run(run, run_dir)
        now = time.time()

        if found:
            folder, metrics = found
            print(f"{place}: finished in {folder}", flush=True)
            outcome = Repeated(run, metrics, folder)

        elif clock.has_room_for(run, now):
            outcome = _repeat(run, run_dir, clock, place)

        else:
            print(f"{place}: {NO_ROOM}", flush=True)
            outcome = Repeated(run, problem=NO_ROOM)

        outcomes.append(outcome)
    return outcomes


def _repeat(run: Planned, run_dir: Path, clock: Clock, place: str) -> Repeated:
    """Runs one recipe, or goes on with it."""
    folder = unfinished_run(run, run_dir)
    command = [sys.executable, str(run.file), *run.flags, "--run-dir", str(run_dir)]
    goes_on = ""
    if folder:
        wait_until_free(folder)
        command += ["--resume", "--run", str(folder)]
        goes_on = f", which goes on in {folder}"
    about = clock_time(clock.expected(run))
    print(f"{place}: about {about}{goes_on}", flush=True)

    log = _log_of(run, run_dir)
    began = time.time()

    def progress() -> str:
        return f"{place}: {_progress(began, log)}"

    code = _watched(command, log, clock, progress)
    seconds = time.time() - began
    if code is None:
        print(f"{place}: {TOO_LATE}", flush=True)
        return Repeated(run, problem=TOO_LATE)

    found = finished_run(run, run_dir) if code == 0 else None
    if found:
        finished, metrics = found
        outcome = Repeated(run, metrics, finished)
        if not folder:  # the whole run was done now
            clock.note(run, seconds)
    else:
        reason = f"FAILED with exit status {code}: see {log}"
        outcome = Repeated(run, problem=reason, is_failure=True)

    value = outcome.value
    measured = "" if value is None else f"{value:.4f}, "
    took = clock_time(seconds)
    print(f"{place}: {measured}{outcome.verdict} ({took})", flush=True)
    return outcome


def _log_of(run: Planned, run_dir: Path) -> Path:
    """The file for what a recipe prints, whose folder is made."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", run.name)
    try:
        (run_dir / LOGS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(
            f"--run-dir got {run_dir}, where no folder can be made ({error.strerror}): "
            "choose a folder you may write to"
        )
    return run_dir / LOGS / f"{name}.txt"


def _watched(
    command: Sequence[str], log: Path, clock: Clock, progress: Callable[[], str]
) -> int | None:
    """Runs a command; returns its exit status, or None if the time ended before it.

    On a terminal, a line shows how far it is. The output goes into the log.
    """
    is_terminal = sys.stdout.isatty()
    with log.open("ab") as file:
        process = launched(command, dict(os.environ), stdout=file, stderr=file)
        try:
            while process.poll() is None:
                stop_if_asked()
                if clock.is_over(time.time()):
                    return None
                if is_terminal:
                    print(f"\r{progress()}\x1b[K", end="", flush=True)
                _wait(process)
            return process.returncode
        finally:
            end_processes([process])
            if is_terminal:
                print("\r\x1b[K", end="", flush=True)


def _wait(process: subprocess.Popen) -> None:
    """Returns after half a second, or when the process has ended."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.5)


def _progress(began: float, log: Path) -> str:
    """The time that a run has taken, and the epoch that it has come to."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        epochs = EPOCH.findall(file.read())
    epoch = f", epoch {epochs[-1].decode()}" if epochs else ""
    return f"{clock_time(time.time() - began)}{epoch}"
