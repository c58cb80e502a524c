"""Tagged sentences of the user: a word and its tag per line, as at CoNLL."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cookbook.data.files.card import Card, plain_counts
from cookbook.data.files.folders import Labelled, paths_by_part
from cookbook.data.files.given import name_of_path
from cookbook.data.files.parts import completed, repeated_in_training
from cookbook.data.files.pictures import is_hidden
from cookbook.data.files.tables import read_text
from cookbook.errors import fail

PARTS = ("train", "validation", "test")
SHARE = 0.1  # of the sentences for validation, and as many for the test
FEWEST = 30  # sentences
SHOWN = 20  # tags and words on the data card
LONGEST = 300  # words in a sentence; more of them are hardly one
FORM, UPOS, COLUMNS = 1, 3, 10  # of a file in the format CoNLL-U
ROW_OF_UNIVERSAL = re.compile(r"\d+(-\d+|\.\d+)?\t.*")
Sentence = tuple[list[str], list[str]]  # the words, and the tag of each


def read_tagged(path: Path) -> tuple[dict[str, list[Sentence]], Card]:
    """({part: sentences}, data card) of the user's files.

    What is wrong with the files ends the program with one line. Parts that are missing
    are cut from the training part, always the same.

    Args:
        path: a file, or a folder with the files train, dev (or validation) and test. A
            line holds a word, then its tag in the last column, with a tab or spaces
            between them; an empty line ends a sentence. A file in the format CoNLL-U
            gives its parts of speech.
    """
    files = {"train": path}
    if path.is_dir():
        shown = [file for file in sorted(path.iterdir()) if not is_hidden(file.name)]
        files = paths_by_part({file: file.name.split(".")[0] for file in shown})
        if "train" not in files:
            fail(f"{path} holds no file named train, such as train.conll: add one")
    parts = {part: _sentences_in(file) for part, file in files.items()}
    _refuse_few(files["train"], parts["train"])
    whole, texts = {}, {}
    for part, found in parts.items():
        whole[part] = Labelled(found, ["sentence"] * len(found))
        texts[part] = [" ".join(words) for words, _ in found]
    shares = {"test": SHARE, "validation": SHARE / (1 - SHARE)}
    cut, keys = completed(whole, texts, shares, seed=0)
    sentences = {part: cut[part].items for part in PARTS}
    if not all(sentences.values()):
        fail(f"{path} has too few different sentences to cut it into three parts")
    return sentences, _card(path, sentences, repeated_in_training(keys))


def _sentences_in(path: Path) -> list[Sentence]:
    """The sentences in one file."""
    text = read_text(path)
    rows = [line.rstrip("\r") for line in text.split("\n")]
    is_universal = any(
        ROW_OF_UNIVERSAL.match(row) and row.count("\t") == COLUMNS - 1
        for row in rows[:1000]
    )
    separator = "\t" if any("\t" in row.strip() for row in rows) else None
    sentences: list[Sentence] = []
    words: list[str] = []
    tags: list[str] = []
    for number, row in enumerate([*rows, ""], 1):
        if row.strip() and not row.startswith("-DOCSTART-"):
            for word, tag in _pairs(path, number, row, separator, is_universal):
                words.append(word)
                tags.append(tag)
            continue
        if len(words) > LONGEST:
            fail(
                f"{path}, line {number}: a sentence of {len(words):,} words, expected "
                f"at most {LONGEST}: put an empty line after each sentence"
            )
        if words:
            sentences.append((words, tags))
        words, tags = [], []
    return sentences


def _refuse_few(path: Path, sentences: list[Sentence]) -> None:
    """Ends the program if there are too few sentences or tags to learn from."""
    tags = {tag for _, found in sentences for tag in found}
    if len(tags) == 1:
        fail(
            f"{path} has a single tag, {min(tags)!r}: expected a word and its tag on "
            "each line, with a tab or spaces between them"
        )
    if len(sentences) < FEWEST:
        fail(
            f"{path} holds {len(sentences)} sentences, expected at least {FEWEST}, "
            "with an empty line after each of them"
        )


def _pairs(
    path: Path, number: int, row: str, separator: str | None, is_universal: bool
) -> Iterator[tuple[str, str]]:
    """Yields the word and the tag in a row, if the row holds a word."""
    fields = row.split(separator)
    if is_universal:
        if row.startswith("#") or not fields[0].isdigit():
            return  # a comment, or a row for several words or for none
        if len(fields) != COLUMNS:
            fail(f"{path}, line {number}: {len(fields)} columns, expected {COLUMNS}")
        yield fields[FORM], fields[UPOS]
        return
    if len(fields) < 2:
        fail(f"{path}, line {number}: got {row[:40]!r}, expected a word and its tag")
    word, *_, tag = (field.strip() for field in fields)
    if not word or not tag:
        fail(f"{path}, line {number}: got {row[:40]!r}, expected a word and its tag")
    yield word, tag


def _card(
    path: Path, sentences: dict[str, list[Sentence]], repeated: dict[str, int]
) -> Card:
    """The data card of tagged sentences."""
    counts = {part: len(found) for part, found in sentences.items()}
    of_training = Counter(tag for _, tags in sentences["train"] for tag in tags)
    notes = [
        f"sentences of the {part} part that are also in the training part: {count:,}"
        for part, count in repeated.items()
    ]
    for part in ("validation", "test"):
        tags = {tag for _, found in sentences[part] for tag in found}
        new = sorted(tags - {*of_training})
        if new:
            listed = ", ".join(new[:SHOWN])
            notes.append(f"tags of the {part} part that training lacks: {listed}")
    beginning = [
        " ".join(f"{word}/{tag}" for word, tag in zip(words[:SHOWN], tags))
        for words, tags in sentences["train"][:3]
    ]
    return Card(
        source=name_of_path(path),
        what="tagged sentences",
        counts=plain_counts(counts),
        sizes={
            "different tags": len(of_training),
            "words in the training part": sum(of_training.values()),
            "most frequent tags": dict(of_training.most_common(SHOWN)),
        },
        notes=notes,
        examples={"beginning": beginning},
    )
