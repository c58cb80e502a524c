"""Chief of a search by several processes: what it does until the workers are done."""

import os
import queue
import socketserver
import threading
import time
from collections.abc import Callable
from typing import Any

from cookbook.processes import IP, PORT
from cookbook.tuning.scale.slots import Ends, start_thread

PAUSE = 0.2  # seconds between two looks whether the search is over


def serve_workers(tuner: Any, trials: Any) -> None:
    """Lets keras-tuner's server answer the workers until they are done.

    The server itself looks every 20 seconds whether all workers have left. So it runs
    in a thread of its own, where it also answers a worker that asks late.

    tuner: keras-tuner's tuner in the process of the chief.
    trials: the Trials of the search. The first worker trains trial 0, of which
        keras-tuner knows nothing.
    """
    ends: Ends = queue.SimpleQueue()
    start_thread(lambda name: tuner.search(), "server", ends)
    has_begun = False
    while True:
        oracle = tuner.oracle
        has_begun = has_begun or bool(oracle.tuner_ids)
        # keras-tuner forgets a worker when it has told it that there is no more to do.
        is_idle = not (oracle.tuner_ids or oracle.ongoing_trials)
        if has_begun and is_idle and 0 in trials.done:
            return
        try:
            error = ends.get(timeout=PAUSE)
        except queue.Empty:
            continue
        if error is not None:
            raise error
        return


def wait_for_workers(is_over: Callable[[], bool]) -> None:
    """Waits until the workers of a search that needs no server are done.

    Until then the chief's port is open, by which workers know that its run folder is
    there.
    """
    with _OpenPort((os.environ[IP], int(os.environ[PORT])), _NoAnswer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        while not is_over():
            time.sleep(PAUSE)
        server.shutdown()


class _NoAnswer(socketserver.BaseRequestHandler):
    """Closes a connection at once: that it was accepted is all a worker asks."""


class _OpenPort(socketserver.TCPServer):
    """An open port, which a new chief can open as soon as another one was killed."""

    allow_reuse_address = True
