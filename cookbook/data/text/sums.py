"""Sums to learn addition from: generated questions and answers, as characters."""

import dataclasses
import re

import numpy as np

from cookbook.data.sources import DataSet, Part
from cookbook.errors import fail

PAD, START, END = 0, 11, 12  # tokens
ALPHABET = " 0123456789<>+"  # the character of each token; a space is padding


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sums(DataSet):
    """Sums; each part is ((question, answer before), answer), arrays of token ids.

    A question (N, 2 digits + 1) is "12+345". An answer (N, digits + 2) is written from
    the right, as one adds on paper: "753>", where > marks the end. "Answer before" is
    "<753", the same one place later, which starts with <.
    """

    digits: int  # digits of the longest number that is added


def load_sums(
    name: str, digits: int, count: int, quick: bool = False, seed: int = 0
) -> Sums:
    """Different sums to train on, to validate and to test, at random.

    A sum and its mirror image, such as 1+2 and 2+1, never stand in two parts.

    Args:
        name: the value of --data; the sums are always generated.
        digits: digits of the longest number.
        count: sums in the training part.
        quick: whether the other parts are to be small.
        seed: random seed of the sums.
    """
    if name not in ("auto", "sums"):
        fail(f"--data got {name!r}, expected sums: they are generated")
    held_out = 100 if quick else 5_000
    limit = 10**digits
    most = limit * (limit + 1) // 4 - 2 * held_out  # half of the sums that there are
    fewest = 2 if quick else 3
    if digits < fewest:
        fail(
            f"--digits got {digits}, but there are too few sums of so few digits: "
            f"give at least {fewest}"
        )

    if count > most:
        fail(
            f"--examples got {count}, expected at most {most}, as there are not many "
            f"more sums of {digits} digits: give fewer, or more --digits"
        )
    rng = np.random.default_rng(seed)
    pairs = _different_pairs(count + 2 * held_out, digits, rng)
    parts = np.split(pairs, [count, count + held_out])
    train, validation, test = (_tokens(part, digits) for part in parts)
    return Sums(
        name="sums",
        asked="sums",
        digits=digits,
        train=train,
        validation=validation,
        test=test,
    )


def _different_pairs(count: int, digits: int, rng: np.random.Generator) -> np.ndarray:
    """(count, 2) numbers: no row equals another or its mirror image.

    Numbers of each length from 1 to `digits` are equally likely to be drawn.
    """
    found: dict[tuple[int, int], tuple[int, int]] = {}
    while len(found) < count:
        limits = 10 ** rng.integers(1, digits + 1, size=(count, 2))
        for a, b in rng.integers(0, limits):
            key = min(a, b), max(a, b)
            found.setdefault(key, (a, b))
    return np.array([*found.values()])[:count]


def _tokens(pairs: np.ndarray, digits: int) -> Part:
    """((question, answer before), answer) of pairs of numbers."""
    questions = [f"{a}+{b}" for a, b in pairs]
    answers = [f"{a + b}"[::-1] for a, b in pairs]
    question = _encode(questions, 2 * digits + 1)
    before = _encode(["<" + answer for answer in answers], digits + 2)
    after = _encode([answer + ">" for answer in answers], digits + 2)
    return (question, before), after


def _encode(texts: list[str], length: int) -> np.ndarray:
    """(N, length) tokens of the texts' characters, padded with 0."""
    rows = [
        [ALPHABET.index(character) for character in text.ljust(length)]
        for text in texts
    ]
    return np.array(rows, "int32")


def written(tokens, is_answer: bool = False) -> str:
    """The text of the tokens, up to its end mark; an answer is reversed."""
    text = "".join(ALPHABET[token] for token in tokens)
    text = text.lstrip("<").split(">")[0].strip()
    return text[::-1] if is_answer else text


def encode_question(text: str, digits: int) -> np.ndarray:
    """(1, 2 digits + 1) tokens of what a user typed, such as "12 + 345".

    Raises ValueError if it is not a sum of two numbers of at most so many digits.
    """
    number = rf"(\d{{1,{digits}}})"
    match = re.fullmatch(rf"{number}\+{number}", text.replace(" ", ""))
    if not match or not text.isascii():
        raise ValueError(
            f"it is not a sum of two numbers of at most {digits} digits, such as 1+2"
        )
    a, b = map(int, match.groups())
    question = f"{a}+{b}"
    return _encode([question], 2 * digits + 1)
