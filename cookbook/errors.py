"""Errors that a user can cause: one line on stderr, exit status 2."""

import sys
from typing import NoReturn


def fail(message: str) -> NoReturn:
    """Ends the program for a user's mistake: one line on stderr, exit status 2.

    The line says what was got, what is expected and what to do.
    """
    complain(message)
    raise SystemExit(2)


def complain(message: str) -> None:
    """Prints the line of a mistake, for a command that goes on to its next file."""
    print(f"error: {harmless(message)}", file=sys.stderr)


def harmless(text: str) -> str:
    r"""The text on one line, with characters that steer a terminal written as \x1b.

    Names in a file from a stranger may hold such characters.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
