"""Workers: one search is done by several processes, or by several machines.

    python -m cookbook tune recipes/mnist_cnn.py --workers 4 --tune 20

starts the recipe five times: once as keras-tuner's chief, which proposes the trials and
at last trains the best Config, and four times as a worker, which trains trials. A
worker that is killed is started again, gets the same trial and goes on from its last
save. When the process that started them ends, even by a kill, all of them end.

On several machines start the recipe by hand on each, with the same flags, with a
--run-dir that all of them can write to, and with three environment variables:
KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT, the address of the chief, and
KERASTUNER_TUNER_ID, which is chief on one machine and worker_0, worker_1, ... on the
others.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cookbook.errors import fail
from cookbook.processes import GRACE, ID, IP, PORT, launched, listens
from cookbook.runs.stopping import (
    NAMES,
    ignore_signals,
    listen,
    signal_name,
    status,
    stop_if_asked,
)

Process = subprocess.Popen
RECIPES = Path(__file__).parents[3] / "recipes"
# The statuses of a process that a signal has ended, and that has saved its state.
STOPPED = {128 + getattr(signal, name) for name in NAMES if hasattr(signal, name)}


def tune(
    paths: Sequence[str],
    workers: int,
    words: Sequence[str],
) -> int:
    """Runs the search of a recipe with several workers; returns the exit status.

    paths: one path, that of the recipe.
    words: the flags of the recipe, such as --tune 20.
    """
    _refuse_mistakes(paths, workers, words)
    listen()
    port = _free_port()
    address = {IP: "127.0.0.1", PORT: str(port)}
    threads_each = str(max(1, (os.cpu_count() or 1) // workers))
    processes: dict[str, Process] = {}

    def start(name: str) -> None:
        threads = {} if name == "chief" else {"TF_NUM_INTRAOP_THREADS": threads_each}
        environment = {**threads, **os.environ, **address, ID: name}
        processes[name] = launched([sys.executable, *paths, *words], environment)

    try:
        start("chief")
        while not listens("127.0.0.1", port):  # so the chief alone reports a mistake
            if processes["chief"].poll() is not None:
                return _status_of(processes["chief"])
            time.sleep(0.2)
        for i in range(workers):
            start(f"worker_{i}")
        return _watch(processes, start)
    except KeyboardInterrupt:
        ignore_signals()
        _end(list(processes.values()))
        command = ["python", "-m", "cookbook", "tune", *paths, *words]
        command += ["--workers", str(workers)]
        if "--resume" not in words:
            command += ["--resume"]
        print(f"\nstopped by {signal_name()}; go on with: {shlex.join(command)}")
        return status()
    finally:
        ignore_signals()
        _end(list(processes.values()))


def _end(processes: Sequence[Process]) -> None:
    """Ends processes; each may save its state first."""
    for process in processes:
        process.terminate()
    until = time.time() + GRACE
    for process in processes:
        try:
            process.wait(max(0, until - time.time()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _refuse_mistakes(
    paths: Sequence[str],
    workers: int,
    words: Sequence[str],
) -> None:
    if not paths or paths[0].isdecimal():  # the number is that of --tune
        fail("tune got no recipe, expected one, as in tune recipes/mnist_cnn.py")
    if len(paths) > 1:
        fail(f"tune got {len(paths)} recipes, expected one: {', '.join(paths)}")
    _refuse_other_files(paths[0])
    if workers < 1:
        fail(f"--workers got {workers}, expected at least 1")
    if not any(word.split("=")[0] == "--tune" for word in words):
        fail(f"tune got no --tune: say how many trials, as in --tune {5 * workers}")


def _refuse_other_files(path: str) -> None:
    """Ends the program unless the file is a recipe that has something to search."""
    near = RECIPES / f"{Path(path).stem or path}.py"
    found = Path(path) if Path(path).is_file() else near
    reason = ""
    if found.is_file():
        source = found.read_text(encoding="utf-8", errors="replace")
        if "\ndef space(" not in source:
            reason = f"{found.name} has no function space, so nothing to search"
        elif found == near and not Path(path).is_file():
            reason = f"did you mean {os.path.relpath(near)}?"
    if not Path(path).is_file():
        hint = f": {reason}" if reason else ""
        fail(f"tune got {path!r}, and there is no such file{hint}")

    if reason:
        fail(f"tune got {path!r}, which can't be tuned: {reason}")


def _watch(processes: dict[str, Process], start: Callable[[str], None]) -> int:
    """Starts killed workers again until the chief ends; returns the exit status."""
    chief = processes["chief"]
    while chief.poll() is None:
        stop_if_asked()
        for name, process in list(processes.items()):
            if name != "chief" and process.poll():
                is_mistake = process.returncode > 0  # the worker has reported it
                if is_mistake and process.returncode not in STOPPED:
                    return process.returncode
                print(f"{name} was killed: started again", flush=True)
                start(name)
        time.sleep(0.2)
    return _status_of(chief)


def _status_of(chief: Process) -> int:
    """The exit status of the chief; a kill is a negative number, as on POSIX."""
    if chief.returncode < 0 or chief.returncode in STOPPED:
        print("the chief was killed; the same command with --resume goes on")
    return abs(chief.returncode)


def _free_port() -> int:
    """The number of a port on which no process listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
