"""Chaos: a run is killed at random moments, resumed, and compared with an unbroken one.

The process that starts the runs tells each one, by an environment variable, after how
many executions of steps it is to get which signal. Some get it while a save is written.
"""

import csv
import dataclasses
import json
import os
import random
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing
from pathlib import Path

from cookbook.config import TrainingConfig, flags
from cookbook.processes import launched
from cookbook.runs.finished import runs_in
from cookbook.runs.stopping import NAMES
from cookbook.training.checkpoint import fingerprint, unpack_save
from cookbook.training.run_folder import KEEP, RunFolder

# "7 SIGTERM" lets a process send itself this signal after 7 executions of steps; after
# "7 SIGTERM save" it comes while the next save is being written.
KILL = "COOKBOOK_KILL_AFTER"
COUNT = "COOKBOOK_COUNT_STEPS"  # file into which a process writes its executions
CLOCK = {"done": 0, "last": 0.0}  # executions of this process, time of the last one
# Windows lacks some; its SIGTERM ends a process as abruptly as SIGKILL.
SIGNALS = [name for name in (*NAMES, "SIGKILL") if hasattr(signal, name)]
# Exit statuses after these signals: a process that handles one ends with 128 and its
# number. For a process that does not, POSIX gives minus the number, Windows SIGTERM.
NUMBERS = [int(getattr(signal, name)) for name in SIGNALS]
ON_WINDOWS = {int(signal.SIGTERM)} if os.name == "nt" else set()
STATUSES = {s for n in NUMBERS for s in (-n, 128 + n)} | ON_WINDOWS


def count_step() -> None:
    """Counts an execution of steps; the training calls this after each one.

    In a process that is to be killed, the kill comes a random part of an execution's
    time later: in the middle of a step, of a save or of a validation.
    """
    if KILL not in os.environ and COUNT not in os.environ:
        return
    now = time.time()
    duration = now - CLOCK["last"]
    CLOCK["last"] = now
    CLOCK["done"] += 1
    if COUNT in os.environ:
        Path(os.environ[COUNT]).write_text(str(CLOCK["done"]))
        return
    after, name, *save = os.environ[KILL].split()
    if CLOCK["done"] == int(after):
        number = getattr(signal, name)
        if save:
            threading.Thread(target=_kill_during_save, args=(number,)).start()
        else:
            wait = random.Random(now).random() * min(duration, 1.0)
            threading.Timer(wait, os.kill, (os.getpid(), number)).start()


def _kill_during_save(number: int) -> None:
    """Sends this process a signal while the temporary file of a save is there."""
    run = RunFolder.opened
    while run and not list(run.path.rglob("partial_step_*")):
        if run.is_finished:
            return
        time.sleep(1e-4)
    os.kill(os.getpid(), number)


def prove_survival(config: TrainingConfig) -> int:
    """Runs the recipe once unbroken and once with config.chaos kills, and compares.

    Returns the exit status: 0 if both runs end the same, bit for bit, in the weights,
    the optimizer's state and everything else that a save holds, in the history, the
    figures, and the table of a search; otherwise 1.
    """
    recipe = _recipe_file(config)
    plain = dataclasses.replace(config, chaos=0, resume=False)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole")
        broken = Path(folder, "broken")
        count = Path(folder, "count")
        total = _run_unbroken(recipe, plain, whole, count)
        if total is None:
            return 1
        points = sorted(random.randint(1, total) for _ in range(config.chaos))
        killed = _run_with_kills(recipe, plain, broken, points)
        if killed is None:
            return 1
        differ = differences(whole, broken)
    verdict = f"DIFFERENT: {', '.join(differ)}" if differ else "the same bit for bit"
    print(f"killed {killed} times, {verdict} | {recipe}")
    return 1 if differ else 0


def _recipe_file(config: TrainingConfig) -> str:
    """The recipe that the Config belongs to, as a path from the working directory."""
    module = sys.modules[type(config).__module__]
    return os.path.relpath(str(module.__file__))


def _run_unbroken(
    recipe: str,
    config: TrainingConfig,
    folder: Path,
    count: Path,
) -> int | None:
    """The number of executions that a whole run takes; None if it fails."""
    print(f"the run without a kill: python {recipe} {flags(config)}")
    start = time.time()
    done = _start(recipe, config, folder, {COUNT: str(count)})
    if done.returncode:
        return None
    total = int(count.read_text())
    seconds = time.time() - start
    print(f"{total} executions of steps, {seconds:.0f} s", flush=True)
    return total


def _run_with_kills(
    recipe: str,
    config: TrainingConfig,
    folder: Path,
    points: list[int],
) -> int | None:
    """The number of kills in a run that ends all the same; None if it fails.

    points: executions after which to kill, counted from the start. A run that reaches
    its end before its kill is finished.
    """
    before = 0
    for killed, point in enumerate(points):
        attempt = dataclasses.replace(config, resume=killed > 0)
        after = max(1, point - before)
        kill = f"{after} {random.choice(_heard())}"
        if random.random() < 1 / 3:
            kill += " save"
        done = _start(recipe, attempt, folder, {KILL: kill})
        if not _was_killed(done):
            return None if done.returncode else killed
        before = point
        how = kill.partition(" ")[2].replace(" save", " during a save")
        print(
            f"kill {killed + 1} of {len(points)}, {how}: {_newest_save(folder)}",
            flush=True,
        )
    last = dataclasses.replace(config, resume=True)
    done = _start(recipe, last, folder, {})
    return None if done.returncode else len(points)


def _heard() -> list[str]:
    """The signals that are not ignored: a job in the background ignores SIGINT."""
    return [
        name
        for name in SIGNALS
        if signal.getsignal(getattr(signal, name)) != signal.SIG_IGN
    ]


def _start(
    recipe: str,
    config: TrainingConfig,
    folder: Path,
    environment: dict[str, str],
) -> subprocess.CompletedProcess:
    """Runs the recipe in a process of its own; its run folders are in `folder`."""
    config = dataclasses.replace(config, run_dir=folder)
    words = shlex.split(flags(config))
    process = launched(
        [sys.executable, recipe, *words],
        {**os.environ, **environment, KEEP: "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        out, errors = process.communicate()
    except KeyboardInterrupt:
        process.kill()
        raise
    done = subprocess.CompletedProcess(words, process.returncode, out, errors)
    if done.returncode and not _was_killed(done):
        print(done.stderr[-2000:], file=sys.stderr)
    return done


def _was_killed(done: subprocess.CompletedProcess) -> bool:
    """Whether one of SIGNALS ended the process."""
    return done.returncode in STATUSES


def _newest_save(folder: Path) -> str:
    """What a killed run has saved, in words."""
    names = [path.stem for path in folder.rglob("step_*.save")]
    steps = max((_step(name) for name in names), default=0)
    if not steps:
        return "nothing is saved yet"
    return f"its newest save is after step {steps}"


def _step(name: str) -> int:
    """The number in the name of a save: "step_120" is 120."""
    return int(name.removeprefix("step_"))


def differences(whole: Path, broken: Path) -> list[str]:
    """Names of what differs between the newest runs in two folders, except times."""
    first, second = (
        _outcome(runs_in(parent)[-1])
        for folder in (whole, broken)
        for parent in sorted(folder.glob("*/"))[:1]
    )
    return [name for name in first if first[name] != second[name]]


def _outcome(path: Path) -> dict[str, typing.Any]:
    """{what: value} of a run folder, without the times in it."""
    found: dict[str, typing.Any] = {}
    saves = sorted(path.glob("step_*.save"), key=lambda save: _step(save.stem))
    if saves:
        found["last save"] = _content(saves[-1])
    metrics = json.loads((path / "metrics.json").read_text())
    found["metrics.json"] = {
        name: value
        for name, value in metrics.items()
        if "second" not in name and name != "date"
    }
    for name in ("history.csv", "tuning.csv"):
        if (path / name).exists():
            found[name] = _rows(path / name)
    return found


def _content(save: Path) -> tuple:
    """What a save holds, in a form that can be compared."""
    header, arrays = unpack_save(save.read_bytes())
    return save.name, fingerprint(arrays), header["callbacks"]


def _rows(table: Path) -> list[dict]:
    """The rows of a CSV file, without their times."""
    with table.open() as file:
        return [{**row, "seconds": None} for row in csv.DictReader(file)]
