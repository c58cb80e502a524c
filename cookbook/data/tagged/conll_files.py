"""Tagged sentences of the user: a word and its tag per line, as at CoNLL."""

import re
from collections import Counter
from collections.abc import Sequence
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
        files = _files_of_parts(path)
    whole = {}
    texts = {}
    for part, file in files.items():
        found = _sentences_in(file)
        if part == "train":
            _refuse_few(file, found)
        labels = ["sentence"] * len(found)
        whole[part] = Labelled(found, labels)
        texts[part] = [" ".join(words) for words, _ in found]
    shares = {"test": SHARE, "validation": SHARE / (1 - SHARE)}
    cut, keys = completed(whole, texts, shares, seed=0)
    sentences = {part: cut[part].items for part in PARTS}
    if not all(sentences.values()):
        fail(f"{path} has too few different sentences to cut it into three parts")
    return sentences, _card(path, sentences, repeated_in_training(keys))


def _files_of_parts(folder: Path) -> dict[str, Path]:
    """{part: its file} in a folder; the ending of their names does not matter."""
    names = {}
    for file in sorted(folder.iterdir()):
        if not is_hidden(file.name):
            stem, *_ = file.name.split(".")
            names[file] = stem

    files = paths_by_part(names)
    if "train" not in files:
        fail(f"{folder} holds no file named train, such as train.conll: add one")
    return files


def _sentences_in(path: Path) -> list[Sentence]:
    """The sentences in one file."""
    rows = read_text(path).split("\n")
    kind = _kind_of(rows)
    sentences: list[Sentence] = []
    words: list[str] = []
    tags: list[str] = []
    for number, row in enumerate([*rows, ""], 1):
        if not row.strip() or row.startswith("-DOCSTART-"):
            if words:
                sentences.append((words, tags))
            words, tags = [], []
            continue

        where = f"{path}, line {number}"
        pair = _pair(row, kind, where)
        if pair:
            word, tag = pair
            words.append(word)
            tags.append(tag)
        if len(words) > LONGEST:
            fail(
                f"{where}: a sentence of more than {LONGEST} words: put an empty line "
                "after each sentence"
            )
    return sentences


def _kind_of(rows: Sequence[str]) -> str:
    """What the rows of a file are: "universal" for CoNLL-U, or "tabs", or "spaces"."""
    has_tabs = False
    for row in rows:
        tabs = row.strip().count("\t")
        has_tabs |= tabs > 0
        if tabs == COLUMNS - 1 and ROW_OF_UNIVERSAL.match(row):
            return "universal"
    return "tabs" if has_tabs else "spaces"


def _pair(row: str, kind: str, where: str) -> tuple[str, str] | None:
    """The word and the tag in a row; None if the row holds no word."""
    separator = None if kind == "spaces" else "\t"
    fields = [field.strip() for field in row.split(separator)]
    if kind == "universal":
        if row.startswith("#") or not fields[0].isdigit():
            return None  # a comment, or a row for several words or for none
        if len(fields) != COLUMNS:
            fail(f"{where}: {len(fields)} columns, expected {COLUMNS}")
        return fields[FORM], fields[UPOS]

    word, tag = fields[0], fields[-1]
    if len(fields) < 2 or not word or not tag:
        fail(f"{where}: got {row[:40]!r}, expected a word and its tag")
    return word, tag


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


def _tags_in(sentences: list[Sentence]) -> Counter:
    """How often each tag occurs."""
    counts: Counter = Counter()
    for _, tags in sentences:
        counts.update(tags)
    return counts


def _card(
    path: Path, sentences: dict[str, list[Sentence]], repeated: dict[str, int]
) -> Card:
    """The data card of tagged sentences."""
    counts = {part: len(found) for part, found in sentences.items()}
    notes = []
    for part, count in repeated.items():
        known = f"sentences of the {part} part that are also in the training part"
        notes.append(f"{known}: {count:,}")

    of_training = _tags_in(sentences["train"])
    for part, found in sentences.items():
        new = {*_tags_in(found)} - {*of_training}
        listed = ", ".join(sorted(new))
        if new:
            notes.append(f"tags of the {part} part that training lacks: {listed}")

    beginning = []
    for words, tags in sentences["train"][:3]:
        some = words[:SHOWN]
        pairs = [f"{word}/{tag}" for word, tag in zip(some, tags)]
        beginning.append(" ".join(pairs))

    return Card(
        source=name_of_path(path),
        what="tagged sentences",
        counts=plain_counts(counts),
        sizes={
            "different tags": len(of_training),
            "words in the training part": of_training.total(),
            "most frequent tags": dict(of_training.most_common(SHOWN)),
        },
        notes=notes,
        examples={"beginning": beginning},
    )
