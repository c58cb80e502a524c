"""Texts of the user without labels: one long text, and sentences in two languages."""

import itertools
import re
from pathlib import Path

from cookbook.data.files.card import Card, plain_counts
from cookbook.data.files.folders import Labelled
from cookbook.data.files.given import BETWEEN, name_of_path, path_given
from cookbook.data.files.parts import completed, repeated_in_training
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
UNNAMED = "source", "target"  # languages that have no name
SHOWN = 300  # characters of a text on the data card
Texts = dict[str, tuple[list[str], list[str]]]  # {part: (sources, targets)}
Columns = tuple[list[str], list[str], tuple[str, str]]  # sources, targets, languages


def read_parts(path: Path) -> dict[str, str]:
    """{part: text}: the file's beginning to learn from, its end to test with."""
    whole = read_text(path).replace("\r\n", "\n")
    text = whole.replace("\0", "")
    if not text.strip():
        found = "is empty"
        if text != whole:
            found = "holds zero bytes in place of a text"
        fail(f"{path} {found}: give a text file")

    length = len(text)
    held_out = round(SHARE * length)
    start_of_test = length - held_out
    start_of_validation = start_of_test - held_out
    return {
        "train": text[:start_of_validation],
        "validation": text[start_of_validation:start_of_test],
        "test": text[start_of_test:],
    }


def text_card(path: Path, texts: dict[str, str]) -> Card:
    """The data card of a text in parts."""
    known = set(texts["train"])
    new = sorted({*texts["validation"], *texts["test"]} - known)
    notes = []
    if new:
        some = "".join(new[:20])
        notes = [f"characters that the training part lacks: {len(new)} ({some})"]

    counts = {part: len(text) for part, text in texts.items()}
    return Card(
        source=name_of_path(path),
        what="characters",
        counts=plain_counts(counts),
        sizes={"different characters": len(known)},
        notes=notes,
        examples={"beginning": [texts["train"][:SHOWN]]},
    )


def read_pairs(name: str) -> tuple[Texts, tuple[str, str], Card]:
    """({part: (sources, targets)}, the names of the languages, data card).

    name: what --data got: two paths with a comma between them, or that of a table whose
        first two columns are a sentence and its translation.
    """
    paths = [path_given(each, (), PAIRS) for each in _paths_in(name)]
    if len(paths) > 2:
        fail(f"--data got {len(paths)} paths, expected {PAIRS}")

    if len(paths) == 2:
        sources, targets, languages = _two_files(*paths)
    else:
        sources, targets, languages = _columns(paths[0])
    if languages[0] == languages[1]:
        languages = UNNAMED

    # A line that is empty on one side is no pair.
    pairs = []
    for source, target in zip(sources, targets):
        pair = source.strip(), target.strip()

        if all(pair):
            pairs.append(pair)

    where = BETWEEN.join(name_of_path(path) for path in paths)
    if len(pairs) < FEWEST:
        fail(f"{where} holds {len(pairs):,} pairs of sentences, expected {FEWEST:,}")

    texts = _cut(pairs)
    left_out = len(sources) - len(pairs)
    return texts, languages, _pairs_card(where, texts, left_out)


def _paths_in(name: str) -> list[str]:
    """The paths that --data got, with a comma between them."""
    try:
        is_one = Path(name).exists()
    except (OSError, ValueError):  # too long, or with a NUL character
        is_one = False
    return [name] if is_one else name.split(BETWEEN)


def _two_files(first: Path, second: Path) -> Columns:
    """(sources, targets, languages) of two files with a sentence per line."""
    sources, targets = _lines(first), _lines(second)
    if len(sources) != len(targets):
        fail(
            f"{first} has {len(sources):,} lines and {second} has {len(targets):,}: a "
            "line of the second must be the translation of the same line in the first"
        )

    *_, source_language = first.name.split(".")
    *_, target_language = second.name.split(".")
    return sources, targets, (source_language, target_language)


def _lines(path: Path) -> list[str]:
    text = read_text(path)
    return text.removesuffix("\n").split("\n")


def _columns(path: Path) -> Columns:
    """(sources, targets, languages): the first two columns of a table."""
    if path.suffix.lower() in TABLES:
        return _tabbed(path)
    if not is_table(path):
        fail(f"--data got {str(path)!r}, expected {PAIRS}, such as de.txt,en.txt")

    table = read_table(path)
    if len(table) < 2:
        fail(f"{path} has one column, expected {PAIRS}")
    first, second, *_ = table
    return table[first], table[second], (first, second)


def _tabbed(path: Path) -> Columns:
    """(sources, targets, languages) of a TSV file, with or without a header."""
    sources, targets = [], []
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        source, *others = line.split("\t")
        if not others:
            fail(f"{path}, line {number}: no tab, expected {PAIRS}")
        sources.append(source)
        targets.append(others[0])

    if not sources:
        fail(f"{path} is empty: expected {PAIRS}")
    first = sources[0].strip(), targets[0].strip()
    if all(LANGUAGE.fullmatch(field) for field in first):
        return sources[1:], targets[1:], first
    return sources, targets, UNNAMED


def _cut(pairs: list[tuple[str, str]]) -> Texts:
    """The pairs in three parts, always the same; those of one source stay together."""
    whole = {"train": Labelled(pairs, ["pair"] * len(pairs))}
    sources = {"train": [source for source, _ in pairs]}
    of_the_rest = SHARE / (1 - SHARE)
    shares = {"test": SHARE, "validation": of_the_rest}
    parts, _ = completed(whole, sources, shares, seed=0)

    texts: Texts = {}
    for part in PARTS:
        found_sources, found_targets = zip(*parts[part].items)
        texts[part] = [*found_sources], [*found_targets]
    return texts


def _pairs_card(where: str, texts: Texts, left_out: int) -> Card:
    """The data card of pairs of sentences."""
    notes = []

    if left_out:
        notes.append(f"pairs with an empty side are left out: {left_out:,}")

    targets = {part: columns[1] for part, columns in texts.items()}
    for part, count in repeated_in_training(targets).items():
        notes.append(
            f"translations of the {part} part that training has for another sentence: "
            f"{count:,}"
        )

    beginning = []
    for source, target in itertools.islice(zip(*texts["train"]), 3):
        beginning.append(f"{source} = {target}")
    counts = {part: len(found) for part, found in targets.items()}
    return Card(
        source=where,
        what="pairs of sentences",
        counts=plain_counts(counts),
        sizes={},
        notes=notes,
        examples={"beginning": beginning},
    )
