"""Part of this process among several: chief or worker of a search, or alone."""

import _thread
import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import Any

from cookbook.errors import fail

# Environment variables of keras-tuner, which it reads as well.
ID = "KERASTUNER_TUNER_ID"  # "chief", or the name of a worker
IP = "KERASTUNER_ORACLE_IP"  # where the chief is
PORT = "KERASTUNER_ORACLE_PORT"
PATIENCE = 600  # seconds that a worker waits for its chief
LAUNCHED = "COOKBOOK_LAUNCHED"  # set for a process that `launched` started
# {number of a process that `launched` started: the pipe to it}
PIPES: dict[int, Any] = {}
GRACE = 30  # seconds that a process has to save its state before it is killed


def role() -> str | None:
    """ "chief", a worker's name, or None if this process searches alone."""
    missing = [name for name in (ID, IP, PORT) if name not in os.environ]
    if missing and IP in os.environ:
        fail(f"{IP} is set, but not {' and '.join(missing)}: set all three, or none")
    return None if missing else os.environ[ID]


def is_worker() -> bool:
    """Whether this process is a worker of a search."""
    return "chief" not in (role() or "chief")


def wait_for_chief() -> None:
    """Returns once the chief listens; then its run folder is there as well."""
    ip, port = os.environ[IP], os.environ[PORT]
    until = time.time() + PATIENCE
    while not listens(ip, port):
        if time.time() > until:
            fail(
                f"{role()} found no chief at {ip}:{port} in {PATIENCE} s: start the "
                f"recipe there with {ID}=chief"
            )
        time.sleep(0.2)


def listens(ip: str, port: str | int) -> bool:
    """Whether a process accepts connections at this address."""
    with (
        contextlib.suppress(OSError),
        socket.create_connection((ip, int(port)), timeout=1),
    ):
        return True
    return False


def launched(
    command: Sequence[str], environment: dict[str, str], **settings: Any
) -> subprocess.Popen:
    """Starts a recipe that ends when this process ends, however that happens.

    The pipe to its stdin carries no data: the system closes it when this process dies,
    even by a kill.
    """
    environment = {**environment, LAUNCHED: "1"}
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, **settings
    )
    PIPES[process.pid] = process.stdin
    process.stdin = None  # `communicate` would close it
    return process


def end_processes(processes: Sequence[subprocess.Popen]) -> None:
    """Ends processes that `launched` started; each may save its state first."""
    for process in processes:
        process.terminate()
    until = time.time() + GRACE
    for process in processes:
        try:
            process.wait(max(0, until - time.time()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        PIPES.pop(process.pid).close()


def is_launched() -> bool:
    """Whether another process of the cookbook started this one, and speaks for it."""
    return LAUNCHED in os.environ


def end_with_launcher() -> None:
    """Stops this process, as SIGTERM does, when the one that started it has died."""
    if is_launched():
        threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1024):  # until the pipe to stdin is closed
            pass
    if hasattr(signal, "pthread_kill"):  # it also wakes a main thread that sleeps
        main = threading.main_thread().ident
        signal.pthread_kill(main or 0, signal.SIGTERM)
    else:
        _thread.interrupt_main(signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(128 + signal.SIGTERM)
