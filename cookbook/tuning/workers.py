"""Workers: one search in several processes, or on several machines.

    python -m cookbook tune recipes/mnist_cnn.py --workers 4 --tune 20

starts the recipe once as keras-tuner's chief, which proposes the trials and trains the
answer, and 4 times as a worker, which trains trials. A worker that is killed is started
again, gets the same trial and goes on from its last save. On several machines start the
recipe by hand on each, with the same flags, --run-dir a folder that all of them see,
and three environment variables: KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT, where
the chief is to be found, and KERASTUNER_TUNER_ID, which is chief on one of them and
worker_0, worker_1, ... on the others.
"""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from cookbook.errors import fail
from cookbook.processes import ID, IP, PORT, listens


def tune(paths, workers, words):
    """Runs a recipe's search with `workers` workers; returns the exit status."""
    if len(paths) != 1 or not Path(paths[0]).is_file():
        fail(f"tune got {paths or 'no file'}, expected one, as recipes/mnist_cnn.py")
    if workers < 1:
        fail(f"--workers got {workers}, expected at least 1")
    if not any(word.split("=")[0] == "--tune" for word in words):
        fail(f"tune got no --tune: say how many trials, as in --tune {5 * workers}")
    address = {IP: "127.0.0.1", PORT: str(_free_port())}
    share = str(max(1, (os.cpu_count() or 1) // workers))
    processes = {}

    def start(name):
        threads = {} if name == "chief" else {"TF_NUM_INTRAOP_THREADS": share}
        environment = {**threads, **os.environ, **address, ID: name}
        processes[name] = subprocess.Popen(
            [sys.executable, *paths, *words], env=environment
        )

    try:
        start("chief")
        while not listens(*address.values()):  # a mistake is told by the chief alone
            if processes["chief"].poll() is not None:
                return _status_of(processes["chief"])
            time.sleep(0.2)
        for i in range(workers):
            start(f"worker_{i}")
        return _watch(processes, start)
    except KeyboardInterrupt:
        processes["chief"].wait()  # the terminal has told it, too
        return 130
    finally:
        for process in processes.values():
            process.terminate()
            process.wait()


def _watch(processes, start):
    """Starts killed workers again until the chief ends; the exit status."""
    chief = processes["chief"]
    while chief.poll() is None:
        for name, process in list(processes.items()):
            if name != "chief" and process.poll():
                if process.returncode > 0:  # its own mistake, which it has told
                    return process.returncode
                print(f"{name} was killed: started again", flush=True)
                start(name)
        time.sleep(0.2)
    return _status_of(chief)


def _status_of(chief):
    if chief.returncode < 0:
        print("the chief was killed; the same command with --resume goes on")
    return abs(chief.returncode)


def _free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
