"""Workers: one search is done by several processes, or by several machines.

    python -m cookbook tune recipes/mnist_cnn.py --workers 4 --tune 20

starts the recipe five times: once as the chief, which makes the run folder and at last
trains the best Config, and four times as a worker, which trains trials. With
keras-tuner's strategies the chief also proposes the trials; with --tuner tpe each
worker proposes its own, and all of them share a study of Optuna's. A worker that is
killed is started again, gets the same trial and goes on from its last save. When the
process that started them ends, even by a kill, all of them end.

docs/search_at_scale.md has the commands for several machines and for Ray.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from cookbook.processes import ID, IP, PORT, end_processes, launched, listens
from cookbook.runs.stopping import (
    NAMES,
    ignore_signals,
    listen,
    signal_name,
    status,
    stop_if_asked,
)
from cookbook.tuning.scale.devices import shares
from cookbook.tuning.scale.order import Order, check_order

Process = subprocess.Popen
# The statuses of a process that a signal has ended, and that has saved its state.
STOPPED = {128 + getattr(signal, name) for name in NAMES if hasattr(signal, name)}


def tune(order: Order) -> int:
    """Runs the search of a recipe in several processes; returns the exit status."""
    check_order(order)
    listen()
    processes: dict[str, Process] = {}
    try:
        if order.ray:
            environment = {**os.environ, **order.ray.environment}
            processes["chief"] = launched(order.recipe, environment)
            return _watch(processes, lambda name: None)
        return _run_workers(order, processes)
    except KeyboardInterrupt:
        ignore_signals()
        end_processes(list(processes.values()))
        print(f"\nstopped by {signal_name()}; go on with: {_command_to_resume()}")
        return status()
    finally:
        ignore_signals()
        end_processes(list(processes.values()))


def _run_workers(order: Order, processes: dict[str, Process]) -> int:
    """Runs the recipe as a chief and as workers, which `processes` then holds."""
    port = _free_port()
    environments = _environments(order, port)

    def start(name: str) -> None:
        processes[name] = launched(order.recipe, environments[name])

    start("chief")
    while not listens("127.0.0.1", port):  # so the chief alone reports a mistake
        if processes["chief"].poll() is not None:
            return _status_of(processes["chief"])
        time.sleep(0.2)
    for name in environments:
        if name != "chief":
            start(name)
    return _watch(processes, start)


def _environments(order: Order, port: int) -> dict[str, dict[str, str]]:
    """{name: environment variables} of the chief and of the workers."""
    threads = str(max(1, (os.cpu_count() or 1) // order.workers))
    common = {IP: "127.0.0.1", PORT: str(port)}
    if order.gpus:  # the chief sees all GPUs, and may not take their memory
        common["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    environments = {"chief": {**os.environ, **common, ID: "chief"}}
    for i, devices in enumerate(shares(order.workers, order.gpus)):
        name = f"worker_{i}"
        own = {**common, **devices, ID: name}
        environments[name] = {"TF_NUM_INTRAOP_THREADS": threads, **os.environ, **own}
    return environments


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
    """The exit status of the chief: 128 + the number of a signal that killed it."""
    code = chief.returncode
    if code < 0 or code in STOPPED:
        print("the chief was killed; the same command with --resume goes on")
    return 128 - code if code < 0 else code


def _command_to_resume() -> str:
    """The command that was typed, with --resume."""
    words = ["python", "-m", "cookbook", *sys.argv[1:]]
    return shlex.join(words if "--resume" in words else [*words, "--resume"])


def _free_port() -> int:
    """The number of a port on which no process listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
