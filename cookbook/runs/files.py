"""Files that are always whole: how they are written, and how damaged ones are read."""

import contextlib
import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cookbook.runs.stopping import uninterrupted

# {number of an error that the disk or the folder causes: the error in words}
STORAGE = {
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "the quota of the disk is used up",
    errno.EFBIG: "the file is too large for this disk or this process",
    errno.EROFS: "the disk is read-only",
    errno.EIO: "the disk has an error",
}


class Damaged(Exception):
    """The error of a file that does not hold what was written."""


def write_whole(target: Path, save: Callable[[Path], Any]) -> None:
    """Writes a file by calling save(path); it appears once all of it is on the disk.

    `save` writes to a temporary name in the same folder. So a kill at any moment, or a
    disk that is full, leaves the earlier file whole. Whatever stands at either name is
    replaced; of a symbolic link only the link is, not the file that it leads to.
    """
    partial = target.with_name(f"partial_{target.name}")
    with uninterrupted():
        try:
            partial.unlink(missing_ok=True)
            save(partial)
            _flush(partial)
            os.replace(partial, target)
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        _flush_folder(target.parent)


def _flush(path: Path) -> None:
    """Returns once the content of a file is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(path: Path) -> None:
    """Returns once the names in a folder are on the disk, where a system can do that.

    Windows can't open a folder, and some network disks can't flush one.
    """
    with contextlib.suppress(OSError):
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_json(path: Path) -> dict:
    """The JSON object in a file; raises Damaged if the file does not hold one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Damaged(error.strerror or str(error)) from None
    except (ValueError, RecursionError, MemoryError):
        raise Damaged("it is not JSON, or only a part of it") from None
    if not isinstance(content, dict):
        raise Damaged("it does not hold a JSON object")
    return content


def storage_problem(error: BaseException) -> str | None:
    """What is wrong with the disk, in words, if that is why an error was raised.

    Libraries turn errors of the system into others, so that the errors before it and
    its text are looked at too.
    """
    for each in _chain(error):
        if isinstance(each, OSError) and each.errno in STORAGE:
            return STORAGE[each.errno]
    text = str(error)
    for number, words in STORAGE.items():
        if f"errno = {number}," in text or os.strerror(number) in text:
            return words
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, the error during whose handling it was raised, and so on."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
