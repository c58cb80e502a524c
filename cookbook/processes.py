"""Which part this process plays in a search of several: chief, worker, or alone."""

import contextlib
import os
import socket
import time

from cookbook.errors import fail

ID, IP, PORT = (
    f"KERASTUNER_{name}" for name in ("TUNER_ID", "ORACLE_IP", "ORACLE_PORT")
)
PATIENCE = 600  # seconds that a worker waits for its chief


def role():
    """chief, a worker's name, or None if this process searches alone."""
    missing = [name for name in (ID, IP, PORT) if name not in os.environ]
    if missing and IP in os.environ:
        fail(f"{IP} is set, but not {' and '.join(missing)}: set all three, or none")
    return None if missing else os.environ[ID]


def is_worker():
    return "chief" not in (role() or "chief")


def wait_for_chief():
    """Returns once the chief listens, and so has its run folder."""
    until = time.time() + PATIENCE
    while not listens(os.environ[IP], os.environ[PORT]):
        if time.time() > until:
            fail(
                f"{role()} found no chief at {os.environ[IP]}:{os.environ[PORT]} in "
                f"{PATIENCE} s: start the recipe there with {ID}=chief"
            )
        time.sleep(0.2)


def listens(ip, port):
    with contextlib.suppress(OSError), socket.create_connection((ip, int(port)), 1):
        return True
    return False
