"""Text as characters: windows of a long text, and the same shifted by one."""

import dataclasses

import numpy as np

from cookbook.data.sources import DataSet, Kind, choose, read
from cookbook.errors import fail

UNKNOWN = "\0"  # stands for every character that the training text lacks
TEXTS = Kind(
    what="long text",
    features=frozenset({"text"}),
    examples=("tiny_shakespeare",),
    stand_in="small_talk",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Characters(DataSet):
    """A text in three parts; each is (x, y), windows (N, T) of characters' numbers.

    y is x one character later. Windows of train overlap, those of the others do not:
    there every character is predicted once.
    """

    alphabet: str  # character of each number; those of the training text alone


def load_characters(name, default, context, quick=False):
    """The text `name`, or for "auto" `default`, or else a small generated one.

    context: characters in a window. Windows of train overlap by half, so that an epoch
    sees each character twice, once late in a window.
    """
    name, asked = choose(name, default, TEXTS, quick)
    parts = _small_talk() if name == TEXTS.stand_in else _prepared(name)
    shortest = min(map(len, parts.values()))
    if context >= shortest:
        fail(
            f"--context got {context}, expected less than {shortest}, the characters "
            f"in the shortest part of {name}: give a smaller one"
        )
    alphabet = UNKNOWN + "".join(sorted(set(parts["train"])))
    strides = {"train": max(1, context // 2), "validation": context, "test": context}
    windows = {
        part: _windows(encode(text, alphabet), context, strides[part])
        for part, text in parts.items()
    }
    return Characters(name=name, asked=asked, alphabet=alphabet, **windows)


def encode(text, alphabet):
    """The numbers of a text's characters; 0 for one that `alphabet` lacks."""
    number = {character: i for i, character in enumerate(alphabet)}
    return np.array([number.get(character, 0) for character in text], "int32")


def decode(numbers, alphabet):
    """The text of the characters' numbers."""
    return "".join(alphabet[i] for i in numbers)


def _windows(numbers, context, stride):
    views = np.lib.stride_tricks.sliding_window_view(numbers, context)
    return views[:-1:stride], views[1::stride]


def _prepared(name):
    """{part: text} of a TFDS set that has these three splits, one text each."""
    splits = "train", "validation", "test"
    texts = {split: read(name, split)["text"] for split in splits}
    return {split: b"\n".join(text).decode("utf-8") for split, text in texts.items()}


def _small_talk():
    """A play of two, written by dice: short enough to learn in seconds."""
    rng = np.random.default_rng(0)
    moods, people = ("good", "old", "merry", "poor"), ("king", "queen", "fool", "lord")
    deeds, things = ("sees", "loves", "seeks", "sings of"), ("rose", "moon", "ship")
    lines = [
        f"{rng.choice(['ROMEO', 'JULIET'])}:\nThe {rng.choice(moods)} "
        f"{rng.choice(people)} {rng.choice(deeds)} the {rng.choice(things)}.\n\n"
        for _ in range(400)
    ]
    return {
        "train": "".join(lines[:320]),
        "validation": "".join(lines[320:360]),
        "test": "".join(lines[360:]),
    }
