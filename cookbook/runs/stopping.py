"""Stopping: SIGINT, SIGTERM and SIGHUP end a program at once, or as soon as it is safe.

Slurm, Kubernetes and machines that can be reclaimed send SIGTERM before they kill, a
terminal that closes sends SIGHUP, Ctrl-C sends SIGINT. `listen` makes each of them
raise `Stopped` in the main thread, wherever that is. Python drops an exception that
is raised at an unlucky place, such as a destructor, and a library may turn it into
another one. So the signal is also remembered, and `stop_if_asked` raises it again.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP


class Stopped(KeyboardInterrupt):
    """The exception that a signal raises; libraries treat it as Ctrl-C."""


class _State:
    """What this process knows of signals."""

    def __init__(self) -> None:
        self.signal = 0  # the first one that came; 0 for none
        self.raised = False  # whether Stopped has been raised for it
        self.shields = 0  # `uninterrupted` blocks that are open
        self.is_postponed = False  # whether the main thread calls `stop_if_asked` soon
        self.is_over = False  # whether nothing is left to be interrupted
        self.is_listening = False  # whether `listen` was called


STATE = _State()


def listen() -> None:
    """Lets the signals raise Stopped; those that the parent ignores stay ignored."""
    for name in NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _on_signal)
    STATE.is_listening = True
    sys.excepthook = _on_uncaught
    sys.unraisablehook = _on_unraisable


def _on_signal(number: int, frame: Any) -> None:
    is_second_ctrl_c = STATE.signal and number == signal.SIGINT
    STATE.signal = STATE.signal or number
    if STATE.is_over or STATE.shields:
        return
    # A closing terminal sends SIGHUP twice. Only a person who presses Ctrl-C again
    # wants to interrupt what the first signal began.
    if is_second_ctrl_c or not (STATE.is_postponed or STATE.raised):
        _raise()


def _raise() -> NoReturn:
    STATE.raised = True
    raise Stopped


def asked() -> bool:
    """Whether a signal has asked this process to stop."""
    return STATE.signal != 0


def stop_if_asked() -> None:
    """Raises Stopped if a signal has come and nothing must be brought to its end."""
    if STATE.signal and not STATE.shields and not STATE.is_over:
        _raise()


def postpone(is_postponed: bool) -> None:
    """Lets signals wait for the next `stop_if_asked`, as in the middle of a step."""
    STATE.is_postponed = is_postponed


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """A block that a signal does not break off: Stopped is raised at its end.

    A signal breaks off the main thread only, so that other threads need no shield.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    STATE.shields += 1
    try:
        yield
    finally:
        STATE.shields -= 1
    stop_if_asked()


def ignore_signals() -> None:
    """Says that the program has nothing left to do: signals no longer interrupt it."""
    STATE.is_over = True


def status() -> int:
    """The exit status of a stopped program: 128 and the number of the signal."""
    return 128 + (STATE.signal or signal.SIGINT)


def signal_name() -> str:
    """The name of the signal that stopped this process."""
    return signal.Signals(STATE.signal or signal.SIGINT).name


def leave() -> NoReturn:
    """Ends the program with `status`.

    A recipe ends at once: the end of TensorFlow and of threads that still run may take
    longer than the system waits before it kills. In a program that did not `listen`,
    such as a notebook, only SystemExit is raised.
    """
    ignore_signals()
    if STATE.is_listening:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status())
    raise SystemExit(status())


def _on_uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Ends a program that was stopped before `launch` could take care of it."""
    if not (asked() or issubclass(kind, KeyboardInterrupt)):
        sys.__excepthook__(kind, error, trace)
        return
    print(f"stopped by {signal_name()} before the run began", file=sys.stderr)
    leave()  # Python itself would give the status 1


def _on_unraisable(args: Any) -> None:
    """Keeps off the screen a Stopped that Python had to drop; it is raised again."""
    if not isinstance(args.exc_value, Stopped):
        sys.__unraisablehook__(args)
