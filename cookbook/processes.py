"""Part of this process in a search of several processes: chief, worker, or alone."""

import contextlib
import os
import socket
import time

from cookbook.errors import fail

# Environment variables of keras-tuner, which it reads as well.
ID = "KERASTUNER_TUNER_ID"  # "chief", or the name of a worker
IP = "KERASTUNER_ORACLE_IP"  # where the chief is
PORT = "KERASTUNER_ORACLE_PORT"
PATIENCE = 600  # seconds that a worker waits for its chief


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
