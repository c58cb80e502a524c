"""Words as numbers: splits text, learns a vocabulary, pads, keeps it on disk."""

import contextlib
import hashlib
import json
import os
import re
import zipfile
from collections import Counter

import numpy as np

from cookbook.data.sources import cache_folder

TAG = re.compile(r"<[^<>]*>")  # reviews from the web hold <br />
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[!?.,]")
PADDING, UNKNOWN = 0, 1  # ids; words follow, the most frequent first


def split_words(text):
    """The words and the marks ! ? . , of a text, in lower case.

    Tags, control characters, emoji and other symbols only separate words.
    """
    return WORD.findall(TAG.sub(" ", text).replace("\u2019", "'").lower())


class Vocabulary:
    """Words and their ids: 0 is padding, 1 any unknown word.

    words: the known words, whose ids are 2, 3, ...
    """

    def __init__(self, words):
        self.words = list(words)
        self._ids = {word: i for i, word in enumerate(self.words, start=2)}

    @classmethod
    def learn(cls, texts, size=None):
        """The most frequent words of split texts, so many that there are `size` ids."""
        counts = Counter(word for words in texts for word in words)
        return cls(w for w, _ in counts.most_common(size and max(0, size - 2)))

    def __len__(self):
        return len(self.words) + 2

    def ids(self, words):
        """The id of each word."""
        return [self._ids.get(word, UNKNOWN) for word in words]

    def spell(self, ids):
        """The word of each id."""
        return [["", "[unknown]", *self.words][i] for i in ids]

    def encode(self, text, length):
        """(1, length) ids of one text, as `cut_and_pad` cuts and pads them."""
        return cut_and_pad([self.ids(split_words(text))], length)


def cut_and_pad(rows, length):
    """int32 (len(rows), length): each row of ids, cut or with zeros behind it.

    A row too long keeps its first quarter and its last three quarters of `length`: a
    review gives its verdict at the end. An empty row becomes one unknown word.
    """
    ids = np.zeros((len(rows), length), "int32")
    head = length // 4
    for row, taken in zip(ids, rows):
        if len(taken) > length:
            taken = np.concatenate([taken[:head], taken[len(taken) - length + head :]])
        row[: len(taken)] = taken
    ids[~ids.any(1), 0] = UNKNOWN
    return ids


def numbered(texts, learn_from):
    """(vocabulary of all words in texts[i] for i in learn_from, ids of each text).

    Since ids go by frequency, a smaller vocabulary is the beginning of this one. The
    result is kept in Keras's home where that can be written.
    """
    key = hashlib.sha256(f"{TAG} {WORD} {list(learn_from)}".encode())
    for text in texts:
        key.update(text.encode() + b"\0")
    file = cache_folder() / f"words_{key.hexdigest()[:32]}.npz"
    found = _read_cache(file)
    if found is None:
        split = [split_words(text) for text in texts]
        vocabulary = Vocabulary.learn(split[i] for i in learn_from)
        found = vocabulary, [np.array(vocabulary.ids(row), "int32") for row in split]
        _write_cache(file, *found)
    return found


def _read_cache(file):
    """What _write_cache wrote, or None."""
    try:
        with file.open("rb") as source, np.load(source) as kept:
            words = json.loads(kept["words"].tobytes())
            return Vocabulary(words), np.split(kept["ids"], kept["ends"][:-1])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # not there, or damaged: it is made anew


def _write_cache(file, vocabulary, rows):
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as target:
            np.savez(
                target,
                words=np.frombuffer(json.dumps(vocabulary.words).encode(), "uint8"),
                ids=np.concatenate(rows),
                ends=np.cumsum([len(row) for row in rows]),
            )
        os.replace(partial, file)
    except OSError:  # a full or read-only disk: the next run splits the texts again
        with contextlib.suppress(OSError):
            partial.unlink()
