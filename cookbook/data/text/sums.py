"""Sums to learn addition from: questions and answers as characters, generated."""

import dataclasses
import re

import numpy as np

from cookbook.data.sources import DataSet, Kind, choose
from cookbook.errors import fail

PAD, START, END = 0, 11, 12
ALPHABET = " 0123456789<>+"  # character of each number; a space is padding
SUMS = Kind(
    what="sums",
    features=frozenset({"question", "answer"}),
    examples=("sums",),
    stand_in="sums",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sums(DataSet):
    """Each part is ((question, answer before), answer), numbers of characters.

    question (N, 2 digits + 1): "12+345"; answer (N, digits + 2): from the right, as one
    adds on paper, "753>", where > is the end; "answer before" is the answer one place
    later, from < on.
    """

    digits: int  # of the longest number added


def load_sums(name, digits, count, quick=False, seed=0):
    """`count` different sums to train on, by seed; others to validate and test.

    A sum and its mirror image, 1+2 and 2+1, are in one part only.
    """
    name, asked = choose(name, "sums", SUMS, quick)
    held_out = 100 if quick else 5_000
    limit = 10**digits
    if count + 2 * held_out > limit * (limit + 1) // 4:
        fail(
            f"--examples got {count}, expected at most "
            f"{limit * (limit + 1) // 4 - 2 * held_out}, as there are not many more "
            f"sums of {digits} digits: give fewer, or more --digits"
        )
    rng = np.random.default_rng(seed)
    pairs = _different_pairs(count + 2 * held_out, digits, rng)
    parts = np.split(pairs, [count, count + held_out])
    train, validation, test = (_characters(part, digits) for part in parts)
    return Sums(
        name=name,
        asked=asked,
        digits=digits,
        train=train,
        validation=validation,
        test=test,
    )


def _different_pairs(count, digits, rng):
    """(count, 2) numbers, no two rows alike or mirrored; each length is as likely."""
    found = {}
    while len(found) < count:
        limits = 10 ** rng.integers(1, digits + 1, size=(count, 2))
        for a, b in rng.integers(0, limits):
            found.setdefault((min(a, b), max(a, b)), (a, b))
    return np.array([*found.values()])[:count]


def _characters(pairs, digits):
    questions = [f"{a}+{b}" for a, b in pairs]
    answers = [f"{a + b}"[::-1] for a, b in pairs]
    question = _encode(questions, 2 * digits + 1)
    before = _encode(["<" + answer for answer in answers], digits + 2)
    return (question, before), _encode([answer + ">" for answer in answers], digits + 2)


def _encode(texts, length):
    """(N, length) numbers of the texts' characters, filled up with 0."""
    return np.array(
        [[ALPHABET.index(c) for c in text.ljust(length)] for text in texts], "int32"
    )


def written(numbers, is_answer=False):
    """The text of the numbers, up to its end; an answer is turned round."""
    text = "".join(ALPHABET[n] for n in numbers).lstrip("<").split(">")[0].strip()
    return text[::-1] if is_answer else text


def read_question(text, digits):
    """(1, 2 digits + 1) numbers of what a user typed, such as "12 + 345"."""
    match = re.fullmatch(
        rf"(\d{{1,{digits}}})\+(\d{{1,{digits}}})", text.replace(" ", "")
    )
    if not match or not text.isascii():
        fail(
            f"--ask got {text!r}, expected a sum of two numbers of at most {digits} "
            "digits, such as 1+2"
        )
    a, b = map(int, match.groups())
    return _encode([f"{a}+{b}"], 2 * digits + 1)
