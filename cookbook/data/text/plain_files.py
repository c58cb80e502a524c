"""Texts of the user without labels: one long text, and sentences in two languages."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cookbook.data.files.card import Card, plain_counts
from cookbook.data.files.given import BETWEEN, name_of, path_given
from cookbook.data.files.parts import repeated_in_training
from cookbook.data.files.tables import is_table, read_table, read_text
from cookbook.errors import fail

PARTS = ("train", "validation", "test")
SHARE = 0.05  # of a text or of pairs for validation, and as much for the test
FEWEST = 100  # pairs of sentences
PAIRS = "one table with a sentence and its translation per row, or two text files"
TABLES = (".tsv", ".tab")  # these may lack a header
# What the header of a table of sentences holds, such as de, en-GB or source.
LANGUAGE = re.compile(
    r"[a-z]{2,3}([-_]\w+)?|source|target|src|trg|tgt|english|german|french|spanish",
    re.IGNORECASE,
)
Texts = dict[str, tuple[list[str], list[str]]]  # {part: (sources, targets)}


def read_parts(path: Path) -> dict[str, str]:
    """{part: text}: the file's beginning to learn from, its end to test with."""
    text = read_text(path).replace("\r\n", "\n").replace("\0", "")
    if not text.strip():
        fail(f"{path} is empty: give a text file")
    held_out = round(SHARE * len(text))
    cuts = len(text) - 2 * held_out, len(text) - held_out
    return {
        "train": text[: cuts[0]],
        "validation": text[cuts[0] : cuts[1]],
        "test": text[cuts[1] :],
    }


def text_card(path: Path, texts: dict[str, str]) -> Card:
    """The data card of a text in parts."""
    known = set(texts["train"])
    new = sorted({*texts["validation"], *texts["test"]} - known)
    note = f"characters that the training part lacks: {len(new)} ({''.join(new[:20])})"
    return Card(
        source=name_of(path),
        what="characters",
        counts=plain_counts({part: len(text) for part, text in texts.items()}),
        sizes={"different characters": len(known)},
        notes=[note] if new else [],
        examples={"beginning": [texts["train"][:300]]},
    )


def read_pairs(name: str) -> tuple[Texts, tuple[str, str], Card]:
    """({part: (sources, targets)}, the names of the languages, data card).

    name: what --data got: two paths with a comma between them, or that of a table whose
        first two columns are a sentence and its translation.
    """
    try:
        is_one = Path(name).exists() or BETWEEN not in name
    except (OSError, ValueError):
        is_one = False
    paths = [name] if is_one else name.split(BETWEEN)
    found = [path_given(each, (), PAIRS) for each in paths]
    if len(found) > 2:
        fail(f"--data got {len(found)} paths, expected {PAIRS}")
    if len(found) == 2:
        sources, targets = (_lines(path) for path in found)
        languages = tuple(path.name.split(".")[-1] for path in found)
        _check_lines(found, sources, targets)
    else:
        sources, targets, languages = _columns(found[0])
    if languages[0] == languages[1]:
        languages = "source", "target"
    pairs = [
        (source.strip(), target.strip())
        for source, target in zip(sources, targets)
        if source.strip() and target.strip()
    ]
    where = BETWEEN.join(name_of(path) for path in found)
    if len(pairs) < FEWEST:
        fail(f"{where} holds {len(pairs):,} pairs of sentences, expected {FEWEST:,}")
    texts = _cut(pairs)
    card = _card(where, texts, len(sources) - len(pairs))
    return texts, (languages[0], languages[1]), card


def _lines(path: Path) -> list[str]:
    return read_text(path).removesuffix("\n").split("\n")


def _check_lines(
    paths: Sequence[Path], sources: Sequence[str], targets: Sequence[str]
) -> None:
    """Ends the program if the files can't be translations of each other."""
    if len(sources) != len(targets):
        fail(
            f"{paths[0]} has {len(sources):,} lines and {paths[1]} has {len(targets):,}"
            ": a line of the second one must be the translation of the same line in the "
            "first one"
        )


def _columns(path: Path) -> tuple[list[str], list[str], tuple[str, ...]]:
    """(sources, targets, languages): the first two columns of a table."""
    if path.suffix.lower() not in TABLES:
        if not is_table(path):
            fail(f"--data got {str(path)!r}, expected {PAIRS}, such as de.txt,en.txt")
        table = read_table(path)
        if len(table) < 2:
            fail(f"{path} has one column, expected {PAIRS}")
        languages = tuple(table)[:2]
        return table[languages[0]], table[languages[1]], languages
    rows = []
    for number, line in enumerate(_lines(path), 1):
        fields = line.rstrip("\r").split("\t")
        if len(fields) < 2 and line.strip():
            fail(f"{path}, line {number}: no tab, expected {PAIRS}")
        if line.strip():
            rows.append(fields)
    languages = ("source", "target")
    if rows and all(LANGUAGE.fullmatch(field.strip()) for field in rows[0][:2]):
        languages = tuple(field.strip() for field in rows.pop(0)[:2])
    return [row[0] for row in rows], [row[1] for row in rows], languages


def _cut(pairs: Sequence[tuple[str, str]]) -> Texts:
    """The pairs in parts, always the same; those of one source stay in one part."""
    sources = list(dict.fromkeys(source for source, _ in pairs))
    order = np.random.default_rng(0).permutation(len(sources))
    held_out = max(5, round(SHARE * len(sources)))
    names = np.full(len(sources), "train", object)
    names[order[:held_out]] = "test"
    names[order[held_out : 2 * held_out]] = "validation"
    part_of = dict(zip(sources, names.tolist()))
    texts: Texts = {part: ([], []) for part in PARTS}
    for source, target in pairs:
        for column, sentence in zip(texts[part_of[source]], (source, target)):
            column.append(sentence)
    return texts


def _card(where: str, texts: Texts, left_out: int) -> Card:
    notes = [f"pairs with an empty side are left out: {left_out:,}"] if left_out else []
    targets = {part: list(columns[1]) for part, columns in texts.items()}
    for part, count in repeated_in_training(targets).items():
        notes.append(
            f"translations of the {part} part that training has for another sentence: "
            f"{count:,}"
        )
    beginning = [" = ".join(pair) for pair in zip(*texts["train"])][:3]
    return Card(
        source=where,
        what="pairs of sentences",
        counts=plain_counts({part: len(pair[0]) for part, pair in texts.items()}),
        sizes={},
        notes=notes,
        examples={"beginning": beginning},
    )
