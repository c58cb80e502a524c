"""Slots: threads of one process, each of which waits for one trial at a time."""

import queue
import threading
from collections.abc import Callable, Iterable
from typing import Any

Ends = queue.SimpleQueue  # of None, or of the error, for each thread that has ended


def in_slots(count: int, work: Callable[[str], None]) -> None:
    """Calls work(name) in so many threads, and returns when all have returned.

    name: "slot_0", "slot_1", ...: who asks a strategy for a trial.

    The first error is raised here. The threads that still wait end with the process. A
    single slot needs no thread.
    """
    if count == 1:
        work("slot_0")
        return
    ends: Ends = queue.SimpleQueue()
    for i in range(count):
        start_thread(work, f"slot_{i}", ends)
    for _ in range(count):
        error = ends.get()  # a signal interrupts this, as anything in the main thread
        if error is not None:
            raise error


def map_in_slots(count: int, work: Callable[[Any], Any], items: Iterable) -> list:
    """[work(item) for item in items], where so many threads do the work."""
    waiting = iter(list(enumerate(items)))  # gives each item to one thread
    results = {}

    def take(name: str) -> None:
        for i, item in waiting:
            results[i] = work(item)

    in_slots(count, take)
    return [results[i] for i in sorted(results)]


def start_thread(work: Callable[[str], None], name: str, ends: Ends) -> None:
    """Calls work(name) in a thread; puts None or an error into `ends` when it ends."""

    def run() -> None:
        try:
            work(name)
        except BaseException as error:  # SystemExit too, by which `fail` ends a program
            ends.put(error)
        else:
            ends.put(None)

    threading.Thread(target=run, name=name, daemon=True).start()
