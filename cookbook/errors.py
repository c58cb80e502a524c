"""Errors that a user can cause: one line on stderr, exit status 2."""

import sys
from typing import NoReturn


def fail(message: str) -> NoReturn:
    """Ends the program for a user's mistake: one line on stderr, exit status 2.

    The line says what was got, what is expected and what to do.
    """
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(2)
