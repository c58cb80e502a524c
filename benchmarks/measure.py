"""Measurements in which several steps take turns, so that all meet the same machine."""

import contextlib
import ctypes
import dataclasses
import gc
import os
import re
import sys
import time
import typing
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

Step = Callable[[], typing.Any]
ROUNDS = 15
TURN = 0.02  # seconds that a step runs before it is the next one's turn
REST = 0.01  # seconds after which the threads of the last step no longer spin
QUIET = 0.15  # share of the processors' time that others may take
LISTEN = 0.5  # seconds
# Processors that this process may use. PyTorch gets as many threads as TensorFlow has.
THREADS = (
    len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
)
STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a step costs.

    Attributes:
        times: seconds of a call, measured once in each round.
        first: seconds of the first call, which compiles.
        megabytes: memory that a call needs at its peak beyond what is in use before it,
            or None where the system does not tell.
    """

    times: list[float]
    first: float
    megabytes: float | None

    @property
    def median(self) -> float:
        return float(np.median(self.times))

    def as_row(self) -> dict[str, float | None]:
        """The figures under the names that a file of results gives them."""
        megabytes = None if self.megabytes is None else round(self.megabytes, 1)
        return {
            "milliseconds": round(1e3 * self.median, 4),
            "compile_seconds": round(max(0.0, self.first - self.median), 2),
            "megabytes": megabytes,
        }


def compare(steps: Mapping[str, Step], rounds: int = ROUNDS) -> dict[str, Cost]:
    """{name: what the step costs}, from `rounds` rounds in which all take turns."""
    first = {name: _seconds(step, 1) for name, step in steps.items()}
    calls = {name: _calls(step) for name, step in steps.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(rounds):
        for name in _order([*steps], turn):
            time.sleep(REST)
            times[name].append(_seconds(steps[name], calls[name]))
    memory = {name: peak(step) for name, step in steps.items()}
    return {name: Cost(times[name], first[name], memory[name]) for name in steps}


def _order(names: list[str], turn: int) -> list[str]:
    """The names in the order of a round, so that each follows each equally often.

    What a step leaves in the caches slows down the next one. If the names went round in
    one circle, the same step would always pay for it.
    """
    block, first = divmod(turn, len(names))
    circle = names[::-1] if block % 2 else names
    return [*circle[first:], *circle[:first]]


def _calls(step: Step) -> int:
    """How many calls fill a turn."""
    step()
    return max(1, int(TURN / max(_seconds(step, 1), 1e-6)))


def _seconds(step: Step, calls: int) -> float:
    """Mean seconds of a call."""
    start = time.perf_counter()
    for _ in range(calls):
        step()
    return (time.perf_counter() - start) / calls


def warn_if_busy() -> None:
    """Says so if other processes take the processors; the system must be Linux.

    PyTorch's threads wait for each other, busily: they suffer most.
    """
    with contextlib.suppress(OSError):
        before = _ticks()
        time.sleep(LISTEN)
        total, idle = np.subtract(_ticks(), before)
        if total and 1 - idle / total > QUIET:
            print(
                f"other processes take {1 - idle / total:.0%} of the processors: the "
                "ratios are not to be trusted",
                file=sys.stderr,
            )


def _ticks() -> tuple[int, int]:
    """Time of all processors since the start, and how much of it they were idle."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    ticks = [int(field) for field in fields]
    return sum(ticks), ticks[3] + ticks[4]


def ratio(ours: Cost, theirs: Cost) -> list[float]:
    """[lower quartile, median, upper quartile] of ours / theirs, round by round."""
    shares = np.divide(ours.times, theirs.times)
    return [round(float(share), 3) for share in np.percentile(shares, [25, 50, 75])]


def peak(step: Step) -> float | None:
    """Megabytes that a call of the step needs beyond what is in use before it.

    TensorFlow keeps memory that it has freed, so it has an account of its own. What
    others take, the system knows: it notes the largest memory that the process had, and
    forgets it on request.
    """
    if not RESET.exists():
        return None
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)  # what was freed goes back to the system
    in_use = _account("current")
    before = _status("VmRSS")
    RESET.write_text("5")
    result = step()
    largest = _status("VmHWM")
    del result
    return max(0.0, largest - before, _account("peak") - in_use)


def _account(field: str) -> float:
    """TensorFlow's account of its memory in megabytes; "current" resets its peak."""
    tf = sys.modules.get("tensorflow")
    if tf is None:
        return 0.0
    with contextlib.suppress(ValueError):
        account = tf.config.experimental.get_memory_info("CPU:0")
        if field == "current":
            tf.config.experimental.reset_memory_stats("CPU:0")
        return account[field] / 2**20
    return 0.0


def _status(field: str) -> float:
    """A field of the process's status, in megabytes."""
    found = re.search(rf"{field}:\s*(\d+) kB", STATUS.read_text())
    return int(found[1]) / 1024 if found else 0.0
