"""Chaos: kills a run at random moments, resumes it, and compares with an unbroken one.

A run that is to be killed finds in an environment variable after how many executions
of steps, and how much later in seconds; the process that kills it also starts it.
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
from pathlib import Path

from cookbook.config import flags

KILL = "COOKBOOK_KILL_AFTER"  # executions of steps until a process kills itself
COUNT = "COOKBOOK_COUNT_STEPS"  # a file into which a process counts them instead
CLOCK = {"done": 0, "last": 0.0}  # executions of this process, time of the last


def count_step():
    """Training calls this after each execution; it may be the process's last act.

    The kill comes after a random part of an execution's time: in the middle of a step,
    of a save, of a validation.
    """
    if KILL not in os.environ and COUNT not in os.environ:
        return
    now = time.time()
    took, CLOCK["last"] = now - CLOCK["last"], now
    CLOCK["done"] += 1
    if COUNT in os.environ:
        Path(os.environ[COUNT]).write_text(str(CLOCK["done"]))
    elif CLOCK["done"] == int(os.environ[KILL]):
        wait = random.Random(now).random() * min(took, 1.0)
        threading.Timer(wait, os.kill, (os.getpid(), signal.SIGKILL)).start()


def prove_survival(config):
    """Runs the recipe unbroken and killed config.chaos times; 0 if they are the same.

    Compared bit for bit: the weights, the optimizer's state and all that a save holds,
    the history, the figures, and of a search its table.
    """
    recipe = os.path.relpath(sys.modules[type(config).__module__].__file__)
    plain = dataclasses.replace(config, chaos=0, resume=False)
    with tempfile.TemporaryDirectory() as folder:
        whole, broken = Path(folder, "whole"), Path(folder, "broken")
        count = Path(folder, "count")
        print(f"the run without a kill: python {recipe} {flags(plain)}")
        start = time.time()
        if _start(recipe, plain, whole, {COUNT: str(count)}).returncode:
            return 1
        total = int(count.read_text())
        print(f"{total} executions of steps, {time.time() - start:.0f} s", flush=True)
        points = sorted(random.randint(1, total) for _ in range(config.chaos))
        killed = 0
        for after in [b - a for a, b in zip([0, *points], points)]:
            again = dataclasses.replace(plain, resume=killed > 0)
            done = _start(recipe, again, broken, {KILL: str(max(1, after))})
            if done.returncode != -signal.SIGKILL:
                break
            killed += 1
            print(
                f"kill {killed} of {config.chaos}: {_whereabouts(broken)}", flush=True
            )
        else:
            again = dataclasses.replace(plain, resume=True)
            done = _start(recipe, again, broken, {})
        if done.returncode:
            print(done.stderr[-2000:], file=sys.stderr)
            return 1
        differ = differences(whole, broken)
    verdict = f"DIFFERENT: {', '.join(differ)}" if differ else "the same bit for bit"
    print(f"killed {killed} times, {verdict} | {recipe}")
    return 1 if differ else 0


def _start(recipe, config, folder, environment):
    """Runs the recipe in a process of its own, its run folders in `folder`."""
    line = shlex.split(flags(dataclasses.replace(config, run_dir=folder)))
    done = subprocess.run(
        [sys.executable, recipe, *line],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    if done.returncode not in (0, -signal.SIGKILL):
        print(done.stderr[-2000:], file=sys.stderr)
    return done


def _whereabouts(folder):
    """What a killed run has saved, in words."""
    names = [path.stem for path in folder.rglob("step_*.save")]
    steps = max((int(name.split("_")[1]) for name in names), default=0)
    return f"its newest save is after step {steps}" if steps else "nothing saved yet"


def differences(whole, broken):
    """Names of what differs between the newest runs in two folders, but for times."""
    first, second = (_outcome(max(f.glob("*/*/"))) for f in (whole, broken))
    return [name for name in first if first[name] != second[name]]


def _outcome(path):
    """{what: value} of a run folder, without the times in it."""
    from cookbook.training.checkpoint import fingerprint, unpack_save

    found = {}
    for save in sorted(path.glob("step_*.save"), key=lambda p: int(p.stem[5:]))[-1:]:
        header, arrays = unpack_save(save.read_bytes())
        found["last save"] = save.name, fingerprint(arrays), header["callbacks"]
    metrics = json.loads((path / "metrics.json").read_text())
    found["metrics.json"] = {
        name: value
        for name, value in metrics.items()
        if "second" not in name and name != "date"
    }
    for name in ("history.csv", "tuning.csv"):
        if (path / name).exists():
            with (path / name).open() as file:
                rows = list(csv.DictReader(file))
            found[name] = [{**row, "seconds": None} for row in rows]
    return found
