"""Many pictures read by several threads, into memory or into a file to stream from."""

import itertools
import os
import tempfile
import threading
import typing
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from cookbook.data.files.pictures import (
    Shape,
    Unreadable,
    decoded,
    has_colour,
    opened,
    refusing_bombs,
)
from cookbook.errors import fail

IN_MEMORY = 2**29  # bytes of pictures that are kept in memory; more are streamed
AHEAD = 64  # pictures that wait for their turn, for each thread
Result = tuple[typing.Any, list[int], list[str]]


class Stream:
    """Rows of uint8 in a file that belongs to this process, used like an array.

    `stream[rows]` reads these rows. More than IN_MEMORY bytes at once end the program
    with one line, because a step of a training takes far less. The file has no name any
    more, so that it goes when the process ends, however that happens.

    Args:
        file: an open file that holds the rows one after the other.
        shape: the number of rows, then the shape of one.
    """

    dtype = np.dtype("uint8")

    def __init__(self, file: typing.Any, shape: tuple[int, ...]) -> None:
        self.file = file
        self.shape = shape
        self.ndim = len(shape)
        self._bytes = int(np.prod(shape[1:]))  # of one row
        self._lock = threading.Lock()

    def __del__(self) -> None:
        self.file.close()

    def __reduce__(self) -> tuple:
        """Pickled, for another process, it becomes an array of its rows."""
        rows = np.memmap(self.file, self.dtype, "r", shape=self.shape)
        return np.asarray, (np.asarray(rows),)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: typing.Any) -> np.ndarray:
        chosen = np.arange(len(self))[rows]
        if chosen.ndim == 0:
            return self[[int(chosen)]][0]
        size = len(chosen) * self._bytes
        if size > IN_MEMORY:
            fail(
                f"the pictures need {size:,} bytes, more than the {IN_MEMORY:,} that "
                "this recipe keeps in memory: give a smaller --image-size or fewer "
                "pictures"
            )
        found = np.empty((len(chosen), *self.shape[1:]), self.dtype)
        with self._lock:
            for place, row in zip(found, chosen.tolist()):
                self.file.seek(row * self._bytes)
                self.file.readinto(place.data)
        return found

    def astype(self, dtype: typing.Any) -> np.ndarray:
        """All rows as numbers of another type."""
        return self[:].astype(dtype)

    def __array__(self, dtype: typing.Any = None, copy: bool | None = None):
        return np.asarray(self[:], dtype)


def colours(files: Sequence[Path]) -> int:
    """The channels of these pictures: 3 if any of them has colour, 1 otherwise.

    Broken files count as grey.
    """
    with refusing_bombs():
        for file in files:
            try:
                with opened(file) as picture:
                    if has_colour(picture):
                        return 3
            except Unreadable:
                pass
    return 1


def read_pictures(files: Sequence[Path], shape: Shape, stream: bool) -> Result:
    """(pictures, rows of `files` that could be read, what is wrong with the others).

    The pictures are uint8 (N, H, W, C) in the order of the files: an array or, with
    `stream`, a Stream.
    """
    if stream:
        return _into_file(files, shape)
    pictures = np.empty((len(files), *shape), "uint8")
    good: list[int] = []
    problems: list[str] = []
    for i, found in enumerate(_decoded_in_order(files, shape)):
        if isinstance(found, Unreadable):
            problems.append(str(found))
        else:
            pictures[len(good)] = found
            good.append(i)
    return pictures[: len(good)], good, problems


def _into_file(files: Sequence[Path], shape: Shape) -> Result:
    good: list[int] = []
    problems: list[str] = []
    size = len(files) * int(np.prod(shape))
    try:
        file = tempfile.TemporaryFile(dir=_roomy_folder())  # noqa: SIM115
        for i, found in enumerate(_decoded_in_order(files, shape)):
            if isinstance(found, Unreadable):
                problems.append(str(found))
            else:
                file.write(found.data)
                good.append(i)
        file.flush()
    except OSError as error:
        fail(
            f"the {len(files):,} pictures need {size:,} bytes on disk "
            f"({error.strerror}): make room, set TMPDIR to a larger disk, or give a "
            "smaller --image-size"
        )
    return Stream(file, (len(good), *shape)), good, problems


def _roomy_folder() -> str | None:
    """A folder on a disk; the usual one for temporary files may lie in memory."""
    chosen = os.environ.get("TMPDIR")
    return chosen or ("/var/tmp" if os.path.isdir("/var/tmp") else None)


def _decoded_in_order(files: Sequence[Path], shape: Shape) -> Iterator:
    """Each file's picture or Unreadable, in order; a thread per processor decodes."""

    def one(file: Path) -> np.ndarray | Unreadable:
        try:
            return decoded(file, shape)
        except Unreadable as problem:
            return problem

    threads = os.cpu_count() or 1
    waiting = iter(files)
    with refusing_bombs(), ThreadPoolExecutor(threads) as pool:
        # The results of a whole data set would fill the memory.
        while some := list(itertools.islice(waiting, AHEAD * threads)):
            yield from pool.map(one, some)
