"""Labelled texts of the user: a table, or a folder with one sub-folder per class."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from cookbook.data.files.card import Card, counts_of, oddities
from cookbook.data.files.folders import (
    PART_NAMES,
    Labelled,
    Parts,
    check_classes,
    find_parts,
    paths_by_part,
)
from cookbook.data.files.given import name_of_path
from cookbook.data.files.parts import class_names, completed
from cookbook.data.files.pictures import files_ending, is_hidden
from cookbook.data.files.tables import (
    SUFFIXES,
    Table,
    is_table,
    label_column,
    read_table,
    read_text,
    text_column,
)
from cookbook.errors import fail

TEXTS = "texts"
SHOWN = 3  # examples of each class on the data card
CUT = 300  # characters of such an example


def read_labelled_texts(
    path: Path,
    shares: dict[str, float],
    seed: int,
    columns: tuple[str | None, str | None] = (None, None),
) -> tuple[Parts, tuple[str, ...], Card]:
    """(three parts, names of the classes, data card) of the user's texts.

    What is wrong with the files ends the program with one line.

    Args:
        path: a table; a folder with the tables train and test, such as train.csv; or
            a folder with one sub-folder of text files per class.
        shares: {part: its share of the training part}, where the files lack the part.
        seed: random seed of the validation part.
        columns: the columns that hold texts and labels; those that are None are
            guessed.
    """
    said: list[str] = []
    parts, missing = found_parts(path, columns, said)
    texts = {part: found.items for part, found in parts.items()}
    parts, keys = completed(parts, texts, shares, seed)
    counts = {part: len(found) for part, found in parts.items()}
    if not all(counts.values()):
        each = ", ".join(f"{count} for {part}" for part, count in counts.items())
        fail(f"{path} has too few {TEXTS} ({each}): give at least three of each class")
    check_classes(parts, path, TEXTS)

    notes = [*said, *oddities(parts, keys, TEXTS, [])]
    if missing:
        notes.insert(0, f"rows without a text or a label are left out: {missing:,}")
    card = Card(
        source=name_of_path(path),
        what=TEXTS,
        counts=counts_of(parts),
        sizes=_sizes(parts["train"].items),
        notes=notes,
        examples=_examples(parts["train"]),
    )
    card.tell(said)
    return parts, class_names(parts), card


def found_parts(
    path: Path,
    columns: tuple[str | None, str | None],
    said: list[str] | None = None,
) -> tuple[Parts, int]:
    """(the parts that the files hold, the number of rows that were left out).

    said: takes the notes that this prints, as in `find_parts`.
    """
    if not path.is_dir():
        if not is_table(path):
            fail(
                f"{path} is no table: give a file that ends in {', '.join(SUFFIXES)}, "
                "or a folder with one sub-folder of text files per class"
            )
        part, missing = _table(path, columns)
        return {"train": part}, missing

    tables = _tables_in(path)
    if not tables:
        return _folder(path, said), 0
    if "train" not in tables:
        other, *_ = tables.values()
        fail(f"{path} holds {other.name}, but no table named train to learn from")
    columns = _columns(read_table(tables["train"]), tables["train"], columns)
    parts: Parts = {}
    missing = 0
    for name in PART_NAMES:
        if name in tables:
            parts[name], lacking = _table(tables[name], columns)
            missing += lacking
    check_classes(parts, path, TEXTS)
    return parts, missing


def _tables_in(folder: Path) -> dict[str, Path]:
    """{part: its table}, such as train.csv and test.csv; {} if there are none."""
    tables = []
    for file in sorted(folder.iterdir()):
        if is_table(file) and file.is_file() and not is_hidden(file.name):
            tables.append(file)

    found = paths_by_part({file: file.stem for file in tables})
    if tables and not found:
        fail(
            f"{folder} holds tables: give the path of one, such as {tables[0]}, or "
            "name them train and test"
        )
    return found


def _table(path: Path, columns: tuple[str | None, str | None]) -> tuple[Labelled, int]:
    """(texts and labels of a table, the number of rows that lack one of them)."""
    table = read_table(path)
    text, label = _columns(table, path, columns)

    found = Labelled([], [])
    for words, name in zip(table[text], table[label]):
        if words.strip() and name.strip():
            found.items.append(words)
            found.labels.append(name.strip())
    _check_labels(path, label, found.labels)
    return found, len(table[text]) - len(found)


def _columns(
    table: Table, path: Path, asked: tuple[str | None, str | None]
) -> tuple[str, str]:
    """The columns of texts and of labels: those asked for, or else guesses."""
    asked_text, asked_label = asked
    others = {name: table[name] for name in table if name != asked_label}
    searched = others if others and asked_text is None else table
    text = text_column(searched, path, asked_text)
    label = label_column(table, path, asked_label, text)
    if text == label:
        fail(
            f"{path}: the column {text!r} can't hold both the texts and the labels: "
            "give --text-column and --label-column"
        )
    return text, label


def _check_labels(path: Path, column: str, labels: Sequence[str]) -> None:
    """Ends the program if these can't be the names of classes."""
    if not labels:
        fail(f"{path} has no row with both a text and a label: add some")
    different = len(set(labels))
    if len(labels) > 20 and different > len(labels) / 2:
        fail(
            f"{path}: the column {column!r} has {different:,} different values in "
            f"{len(labels):,} rows, which are no classes: name the column of the "
            "labels with --label-column"
        )


def _folder(root: Path, said: list[str] | None) -> Parts:
    """The texts in a folder with one sub-folder per class."""
    parts = find_parts(
        root, lambda folder: files_ending(folder, (".txt",)), ".txt files", said
    )
    for found in parts.values():
        found.items = [read_text(file) for file in found.items]
    return parts


def _sizes(texts: Sequence[str]) -> dict[str, object]:
    lengths = [len(text) for text in texts]

    return {
        "median characters": int(statistics.median(lengths)),
        "most characters": max(lengths),
    }


def _examples(part: Labelled) -> dict[str, list[str]]:
    """{class: the beginnings of its first texts}."""
    found: dict[str, list[str]] = {}
    for text, label in zip(part.items, part.labels):
        some = found.setdefault(label, [])
        if len(some) < SHOWN:
            some.append(text[:CUT])
    return found
