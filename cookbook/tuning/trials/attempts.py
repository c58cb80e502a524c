"""What surrounds the training of a trial: attempts after kills, and its memory."""

import contextlib
import ctypes
import gc
import logging
from collections.abc import Iterator

from cookbook.runs.files import Damaged, read_json
from cookbook.training.checkpoint import Saves
from cookbook.training.run_folder import RunFolder

ATTEMPTS = 5  # kills at the same step after which a trial counts as failed


def free_memory() -> None:
    """Gives the memory of the last trial back to the system.

    Its model is part of a circle of references, which the garbage collector ends. The C
    library of Linux keeps freed memory, unless it is asked for it.
    """
    gc.collect()
    with contextlib.suppress(AttributeError, OSError, TypeError):  # other systems
        ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def imports_set_aside() -> Iterator[None]:
    """A context in which Python does not look through all imported modules for garbage.

    Doing so after every trial would take longer than a small trial. What exists before
    the context counts as in use for as long as it lasts.
    """
    if gc.get_freeze_count():  # somebody has done so, and ends it
        yield
        return
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def drop_hints_on_retracing() -> None:
    """Keeps TensorFlow from advising against a graph for each trial.

    It warns a program that makes many graphs. A search must: each trial has a network
    of its own.
    """
    logging.getLogger("tensorflow").addFilter(_is_no_hint)


def _is_no_hint(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()


def count_attempt(folder: RunFolder) -> None:
    """Raises RuntimeError once a trial was killed ATTEMPTS times at the same step."""
    saves = Saves(folder).paths()
    at = saves[0].name if saves else "its start"
    count = 0
    with contextlib.suppress(Damaged, TypeError):  # then the count begins anew
        before = read_json(folder.path / "attempts.json")
        if before.get("at") == at:
            count = int(before.get("count", 0))
    if count >= ATTEMPTS:
        raise RuntimeError(
            f"killed {count} times after {at}, perhaps for its use of memory"
        )
    folder.write_json("attempts.json", {"at": at, "count": count + 1})


def take_back_attempt(folder: RunFolder) -> None:
    """Forgets the attempts of a trial that a signal has ended: it did not fail."""
    (folder.path / "attempts.json").unlink(missing_ok=True)
