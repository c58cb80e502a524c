"""Words as token ids: a vocabulary, how text is split, and how rows are padded."""

import contextlib
import hashlib
import json
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from cookbook.data.sources import cache_folder

TAG = re.compile(r"<[^<>]*>")  # reviews from the web contain <br />
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[!?.,]")
PADDING, UNKNOWN = 0, 1  # the first two ids; words follow, the most frequent first


def split_words(text: str) -> list[str]:
    """The words and the marks ! ? . , of a text, in lower case.

    Tags, control characters, emoji and other symbols only separate words.
    """
    text = TAG.sub(" ", text)
    text = text.replace("\u2019", "'")  # a curly apostrophe
    return WORD.findall(text.lower())


class Vocabulary:
    """Words and their ids: 0 is padding, and 1 is any unknown word.

    words: the known words, whose ids are 2, 3, ...
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = list(words)
        self._ids = {word: i for i, word in enumerate(self.words, start=2)}

    @classmethod
    def learn(
        cls,
        texts: Iterable[Iterable[str]],
        size: int | None = None,
    ) -> "Vocabulary":
        """The most frequent words of texts that are lists of words.

        size: number of ids, with those of padding and unknown words; None takes all.
        """
        counts = Counter(word for words in texts for word in words)
        most = max(0, size - 2) if size else None
        ranking = counts.most_common(most)
        return cls(word for word, _ in ranking)

    def __len__(self) -> int:
        return len(self.words) + 2

    def split(self, text: str) -> list[str]:
        """The words of a text, known or not."""
        return split_words(text)

    def ids(self, words: Iterable[str]) -> list[int]:
        """The id of each word."""
        return [self._ids.get(word, UNKNOWN) for word in words]

    def spell(self, ids) -> list[str]:
        """The word of each id."""
        words = ["", "[unknown]", *self.words]
        return [words[i] for i in ids]

    def encode(self, text: str, length: int) -> np.ndarray:
        """(1, length) ids of one text, as `cut_and_pad` cuts and pads them."""
        ids = self.ids(self.split(text))
        return cut_and_pad([ids], length)


def cut_and_pad(rows: Sequence, length: int) -> np.ndarray:
    """int32 (len(rows), length): each row of ids, cut, or padded with zeros at its end.

    Of a longer row, the beginning fills a quarter of `length` and the end the rest,
    because a review gives its verdict at the end. An empty row becomes an unknown word.
    """
    ids = np.zeros((len(rows), length), "int32")
    head = length // 4
    for target, row in zip(ids, rows):
        if len(row) > length:
            tail = len(row) - (length - head)
            kept = row[:head], row[tail:]
            row = np.concatenate(kept)
        target[: len(row)] = row
    is_empty = ~ids.any(1)
    ids[is_empty, 0] = UNKNOWN
    return ids


def numbered(
    texts: Sequence[str],
    learn_from: Iterable[int],
) -> tuple[Vocabulary, list[np.ndarray]]:
    """(vocabulary of all words in texts[i] for i in learn_from, ids of each text).

    A more frequent word has a smaller id, so a smaller vocabulary is the beginning of
    this one. The result is kept in Keras's home, where that can be written.
    """
    file = _kept_in(f"{TAG} {WORD} {list(learn_from)}", texts)
    found = _read_cache(file)
    if found is None:
        split = [split_words(text) for text in texts]
        vocabulary = Vocabulary.learn(split[i] for i in learn_from)
        rows = [np.array(vocabulary.ids(words), "int32") for words in split]
        found = vocabulary, rows
        _write_cache(file, *found)
    return found


def numbered_by(vocabulary: Vocabulary, texts: Sequence[str]) -> list[np.ndarray]:
    """The ids of each text in a vocabulary that there is already; they are kept too."""
    words = "\0".join(vocabulary.words)
    file = _kept_in(f"{type(vocabulary).__name__} {TAG} {words}", texts)

    found = _read_cache(file)
    if found is not None:
        _, rows = found
        return rows

    rows = []
    for text in texts:
        words_of_text = vocabulary.split(text)
        ids = vocabulary.ids(words_of_text)
        rows.append(np.array(ids, "int32"))

    _write_cache(file, vocabulary, rows)
    return rows


def _kept_in(rules: str, texts: Sequence[str]) -> Path:
    """The file for the ids of texts that are split by some rules."""
    key = hashlib.sha256(rules.encode())
    for text in texts:
        key.update(text.encode() + b"\0")
    digest = key.hexdigest()[:32]
    return cache_folder() / f"words_{digest}.npz"


def _read_cache(file: Path) -> tuple[Vocabulary, list[np.ndarray]] | None:
    """What _write_cache wrote, or None if it can't be read."""
    try:
        with file.open("rb") as source, np.load(source) as kept:
            words = json.loads(kept["words"].tobytes())
            ids = kept["ids"]
            ends = kept["ends"]
            return Vocabulary(words), np.split(ids, ends[:-1])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write_cache(file: Path, vocabulary: Vocabulary, rows: list[np.ndarray]) -> None:
    """Keeps the result; on a full or read-only disk the next run splits texts again."""
    words = json.dumps(vocabulary.words).encode()
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as target:
            np.savez(
                target,
                words=np.frombuffer(words, "uint8"),
                ids=np.concatenate(rows),
                ends=np.cumsum([len(row) for row in rows]),
            )
        os.replace(partial, file)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
