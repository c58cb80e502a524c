"""Inputs of `predict`: files, folders, tables, texts, and what stdin brings."""

import contextlib
import dataclasses
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cookbook.config import FILE_NAME
from cookbook.data.files.pictures import picture_files
from cookbook.data.files.tables import (
    check_column,
    is_table,
    read_table,
    read_text,
    text_column,
)
from cookbook.data.series_files import read_series
from cookbook.errors import harmless, note
from cookbook.trained.trained_run import TrainedRun

STDIN = "-"
MOST_SAMPLES = 100_000  # that a generator makes at once


@dataclasses.dataclass(frozen=True)
class Item:
    """One input: what it is called in the output, and its value or what is wrong."""

    name: str
    value: Any = None
    error: str | None = None


def read_inputs(
    run: TrainedRun, words: list[str], column: str | None
) -> Iterator[Item]:
    """Yields the inputs that the words of a command line stand for, one by one.

    column: the column of tables that holds the inputs; None guesses it.
    """
    read_word = READERS[run.takes]
    for word in words:
        if not word:  # as a path, it would be the current folder
            yield Item(word, error="it is empty")
        elif word == STDIN:
            yield from _from_stdin(run, column)
        else:
            yield from read_word(run, word, column)


def _from_stdin(run: TrainedRun, column: str | None) -> Iterator[Item]:
    """An item for each line of stdin: a text, or for pictures the path of a file."""
    stream = sys.stdin
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="replace")
    for line in stream:
        text = line.rstrip("\r\n")
        if not text:
            continue
        if run.takes == "texts":
            yield Item(text, text)
        else:
            yield from READERS[run.takes](run, text, column)


def _pictures(run: TrainedRun, word: str, column: str | None) -> Iterator[Item]:
    """A picture file, or all those in a folder; they are read later, in batches."""
    return _files(word, picture_files, "pictures")


def _sounds(run: TrainedRun, word: str, column: str | None) -> Iterator[Item]:
    """A sound file, or all those in a folder; they are read later, in batches."""
    return _files(word, _sound_files, "files whose names end in .wav")


def _sound_files(folder: Path) -> list[Path]:
    files = sorted(folder.rglob("*"))
    return [p for p in files if p.suffix.lower() == ".wav" and p.is_file()]


def _files(word: str, find: Callable[[Path], list[Path]], what: str) -> Iterator[Item]:
    """A file, or those that `find` finds in a folder."""
    path = Path(word)
    if path.is_dir():
        files = find(path)
        if not files:
            yield Item(word, error=f"the folder holds no {what}")
        for file in files:
            yield Item(str(file), file)
    elif path.exists():
        yield Item(word, path)
    else:
        yield Item(word, error="there is no such file or folder")


def _texts(run: TrainedRun, word: str, column: str | None) -> Iterator[Item]:
    """A text, a text file, a column of a table, or the text files in a folder."""
    path = Path(word)
    if _is_dir(path):
        files = _text_files(path)
        if not files:
            yield Item(word, error="the folder holds no file whose name ends in .txt")
        for file in files:
            yield from _text_file(run, file)
    elif not _is_file(path):
        error = None
        if FILE_NAME.fullmatch(word):
            error = "there is no such file"
        yield Item(word, word, error)
    elif is_table(path):
        yield from _column_of(path, column)
    else:
        yield from _text_file(run, path)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a text may be longer than names are, or hold \0
        return False


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _text_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.txt") if path.is_file())


def _text_file(run: TrainedRun, path: Path) -> Iterator[Item]:
    """The text in a file, or each of its lines if the run reads lines."""
    text, error = attempt(lambda: read_text(path))
    if error:
        yield Item(str(path), error=error)
    elif run.reads_lines and not text.strip():
        yield Item(str(path), error="it holds no line of text")
    elif not run.reads_lines:
        yield Item(str(path), text)
    else:
        for line in text.splitlines():
            if line.strip():
                yield Item(line, line)


def _column_of(path: Path, column: str | None) -> Iterator[Item]:
    """An item for each row of a table."""

    def read() -> list[str]:
        table = read_table(path)
        if column is not None:
            check_column(table, path, column, "--column")
        return table[column or text_column(table, path)]

    texts, error = attempt(read)
    if not error and not texts:
        error = "the table has no row below its header"
    if error:
        yield Item(str(path), error=error)
    else:
        for text in texts:
            yield Item(text, text)


def attempt(read: Callable[[], Any]) -> tuple[Any, str | None]:
    """(result, None) of a function, or (None, why it failed).

    Where it ends the program with one line, that line says why.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return read(), None
    except SystemExit:
        return None, said.getvalue().removeprefix("error: ").strip()
    except Exception as error:  # whatever a strange file can raise
        text = str(error) or type(error).__name__
        return None, harmless(text.splitlines()[0][:300])


def _series(run: TrainedRun, word: str, column: str | None) -> Iterator[Item]:
    """The series in a table: the columns that the model knows, or the one asked for."""
    names = run.description.settings["columns"]
    if column and len(names) > 1:
        needed = _listed(names)
        reason = f"--column got {column!r}, but the model needs {needed}: leave it out"
        yield Item(word, error=reason)
        return
    series, error = attempt(lambda: read_series(Path(word)))
    if error:
        yield Item(word, error=error)
        return
    for sentence in series.notes:
        note(f"{word}: {sentence}")
    if column:
        names = [column]
    if set(names) <= set(series.columns):
        places = [series.columns.index(name) for name in names]
        yield Item(word, series.values[:, places])
    elif column:
        yield Item(word, error=f"it has no column {column!r} of numbers")
    else:
        found, known = _listed(series.columns), _listed(names)
        error = f"its columns of numbers are {found}, but the model has learned {known}"
        if len(names) == 1:
            error += ": --column NAME takes another column all the same"
        yield Item(word, error=error)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))[:200]


def _classes(run: TrainedRun, word: str, column: str | None) -> Iterator[Item]:
    """The name of a class; of a model without classes, a number of samples."""
    if run.classes:
        yield Item(word, word)
    elif word.isdecimal() and 0 < int(word) <= MOST_SAMPLES:
        for i in range(1, int(word) + 1):
            yield Item(str(i), "any")
    else:
        yield Item(word, error=f"expected a number of samples, 1 to {MOST_SAMPLES}")


READERS: dict[str, Callable[[TrainedRun, str, str | None], Iterator[Item]]] = {
    "pictures": _pictures,
    "sounds": _sounds,
    "texts": _texts,
    "series": _series,
    "classes": _classes,
}
