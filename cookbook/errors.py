"""Errors that a user can cause: one line on stderr and exit status 2, or Mistake."""

import contextlib
import sys
from collections.abc import Iterator
from typing import NoReturn

LONGEST = 500  # characters of a message


class Mistake(Exception):
    """A user's mistake where the program goes on: in a notebook, or in load_run."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows: the message, without the calls that led to it."""
        return [f"{type(self).__name__}: {self}"]


def fail(message: str) -> NoReturn:
    """Ends the program for a user's mistake: one line on stderr, exit status 2.

    The line says what was got, what is expected and what to do. At Python's prompt and
    in a notebook, where SystemExit would end more than a run, Mistake says it instead.
    """
    if is_interactive():
        raise Mistake(one_line(message))
    complain(message)
    raise SystemExit(2)


def is_interactive() -> bool:
    """Whether somebody types into this process: at Python's prompt, or in IPython."""
    return hasattr(sys, "ps1")


def complain(message: str) -> None:
    """Prints the line of a mistake, for a command that goes on to its next file."""
    print(f"error: {one_line(message)}", file=sys.stderr)


def note(message: str) -> None:
    """Tells the user, in one line on stderr, what the program makes of a command."""
    print(f"note: {one_line(message)}", file=sys.stderr)


def one_line(message: str) -> str:
    """The message without control characters; the middle of a long one is cut."""
    if len(message) > LONGEST:
        half = LONGEST // 2
        message = f"{message[:half]} ... {message[-half:]}"
    return harmless(message)


def harmless(text: str) -> str:
    r"""The text on one line, with control characters spelled out, as in \x1b.

    Names that a user or a file from a stranger gives may hold line breaks, or codes
    that a terminal obeys.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@contextlib.contextmanager
def explained_out_of_memory() -> Iterator[None]:
    """Ends the program with one line if what runs inside needs too much memory."""
    try:
        yield
    except Exception as error:
        if not _lacked_memory(error):
            raise
        fail(
            "there is not enough memory for these settings: give a smaller "
            "--batch-size, or smaller layers, or less data"
        )


def _lacked_memory(error: Exception) -> bool:
    """Whether Python, NumPy or the backend failed to get memory."""
    text = str(error)
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ in ("ResourceExhaustedError", "OutOfMemoryError")
        or "RESOURCE_EXHAUSTED" in text
        or "OOM when allocating" in text
        or "not enough memory" in text
    )
