"""Text as characters: windows of a long text, each with the same text one later."""

import dataclasses
import typing

import numpy as np

from cookbook.data.files.given import names_files, path_given
from cookbook.data.kinds import Kind
from cookbook.data.sources import DataSet, Part, choose, read
from cookbook.data.text.plain_files import read_parts, text_card
from cookbook.errors import fail

OPENING = 40  # characters of the user's text that a trained model goes on with
FEWEST = 2  # characters in a part: one to read and one to predict
UNKNOWN = "\0"  # the character of token 0: any that the training text lacks
TEXTS = Kind(
    what="long text",
    features={"text": "Text"},
    parts=("train", "validation", "test"),
    examples=("tiny_shakespeare",),
    stand_in="small_talk",
    files="a text file",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Characters(DataSet):
    """A text in three parts; each is (x, y), windows (N, T) of token ids.

    A token is a character, and y is x one character later. Windows of the training part
    overlap. Those of the other parts do not, so that each character is predicted once.
    """

    alphabet: str  # the character of each token; all are from the training text
    opening: str = "ROMEO:"  # what a trained model is asked to go on with


def load_characters(
    name: str, default: str, context: int, quick: bool = False
) -> Characters:
    """The text `name`; "auto" means `default` or else a small generated play.

    Args:
        name: a set of TensorFlow Datasets, "small_talk", "auto", or the path of a text
            file.
        default: the set that "auto" asks for; `sources.choose` has the rules.
        context: characters in a window. Windows of the training part overlap by half:
            an epoch shows each character twice, once with a long context.
        quick: whether "auto" means the generated play at once.
    """
    if names_files(name):
        path = path_given(name, TEXTS.known, TEXTS.files)
        texts = read_parts(path)
        card = text_card(path, texts)
        card.tell()
        opening = texts["validation"][:OPENING]
        facts = {"asked": card.source, "card": card, "opening": opening}
        return _characters(card.source, texts, context, **facts)
    name, asked = choose(name, default, TEXTS, quick)
    texts = _small_talk() if name == TEXTS.stand_in else _prepared(name)
    TEXTS.check_examples(name, {part: len(text) for part, text in texts.items()})
    return _characters(name, texts, context, asked=asked)


def _characters(
    name: str, texts: dict[str, str], context: int, **facts: typing.Any
) -> Characters:
    """The data set of {part: text}; facts: other fields of it."""
    shortest = min(len(text) for text in texts.values())
    if shortest < FEWEST:
        total = sum(len(text) for text in texts.values())
        fail(
            f"{name} has {total} characters, of which the shortest part gets "
            f"{shortest}, expected at least {FEWEST}: give a longer text"
        )
    if context >= shortest:
        fail(
            f"--context got {context}, expected less than {shortest}, the characters "
            f"in the shortest part of {name}: give a smaller one, or a longer text"
        )
    alphabet = UNKNOWN + "".join(sorted(set(texts["train"])))
    strides = {"train": max(1, context // 2), "validation": context, "test": context}
    windows: dict[str, typing.Any] = {
        part: _windows(encode(text, alphabet), context, strides[part])
        for part, text in texts.items()
    }
    return Characters(name=name, alphabet=alphabet, **windows, **facts)


def encode(text: str, alphabet: str) -> np.ndarray:
    """The token of each character; 0 for a character that `alphabet` lacks."""
    token = {character: i for i, character in enumerate(alphabet)}
    return np.array([token.get(character, 0) for character in text], "int32")


def decode(tokens, alphabet: str) -> str:
    """The text of a sequence of tokens."""
    return "".join(alphabet[token] for token in tokens)


def _windows(tokens: np.ndarray, context: int, stride: int) -> Part:
    """(x, y): windows of `context` tokens, and the same windows one token later."""
    views = np.lib.stride_tricks.sliding_window_view(tokens, context)
    return views[:-1:stride], views[1::stride]


def _prepared(name: str) -> dict[str, str]:
    """{part: text} of a set of TensorFlow Datasets; several texts become one."""
    texts = {}
    for split in TEXTS.parts:
        part = read(name, split)
        rows = part["text"] if isinstance(part, dict) else part[0]
        texts[split] = b"\n".join(rows).decode("utf-8", "replace")
    return texts


def _small_talk() -> dict[str, str]:
    """{part: text} of a random play for two voices, which is learned in seconds."""
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
