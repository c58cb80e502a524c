"""Word pieces: the greedy rule, and what becomes of marks, accents and capitals."""

import itertools
import random

import pytest

from custom_layers.generation import word_pieces
from mutation import mutated

pytestmark = pytest.mark.one_backend  # it is plain Python
KNOWN = {"un", "##aff", "##able", "##a", "cafe", "the", "!", "'", "s", "it", "電", "影"}
CASES = [
    # text, its pieces; the first is the example of BERT's authors
    ("unaffable", "un ##aff ##able"),
    ("The THE the", "the the the"),
    ("Café CAFE\u0301 café", "cafe cafe cafe"),
    ("it's!!", "it ' s ! !"),
    ("the\u00a0cafe\tthe\ncafe", "the cafe the cafe"),
    ("ca\u200bfe the\x00", "cafe the"),  # invisible characters are dropped
    ("the電影", "the 電 影"),  # each Chinese character is a word
    ("cafes", "[UNK]"),  # the rest is not known, so neither is the word
    ("unaffablez the", "[UNK] the"),
    ("able", "[UNK]"),  # known within a word only
    ("", ""),
    ("  \n", ""),
]
MISTAKES = {
    "shortest piece first": (
        "    while start < len(word):\n        end = len(word)",
        "    while start < len(word):\n        end = start + 1",
    ),
    "no mark inside a word": (
        "prefix = NEXT if start else",
        "prefix = '' if start else",
    ),
    "what can be known of an unknown word": (
        "            if end == start:\n                return []",
        "            if end == start:\n                return [*pieces, '[UNK]']",
    ),
    "accents kept": ('category == "Mn" or category[0]', "category[0]"),
    "composed accents kept": ('normalize("NFD", text)', 'normalize("NFC", text)'),
    "capitals kept": ("lower = character.lower()", "lower = character"),
    "marks within words": ("is_chinese or is_mark else", "is_chinese else"),
    "Chinese words": ("is_chinese or is_mark else", "is_mark else"),
    "invisible characters as spaces": (
        'or character == "\\ufffd":\n        return ""',
        'or character == "\\ufffd":\n        return " "',
    ),
}


@pytest.mark.parametrize(("text", "pieces"), CASES)
def test_splits_as_counted_by_hand(text, pieces):
    assert word_pieces(text, KNOWN) == pieces.split()


def longest_first(word, known):
    """All ways to cut a word into known pieces, of which the first piece decides."""
    for cuts in itertools.product([False, True], repeat=len(word) - 1):
        ends = [i + 1 for i, cut in enumerate(cuts) if cut] + [len(word)]
        starts = [0, *ends[:-1]]
        parts = [word[a:b] for a, b in zip(starts, ends)]
        pieces = [parts[0], *("##" + part for part in parts[1:])]
        if all(piece in known for piece in pieces):
            yield pieces


def test_no_other_way_to_make_a_word_has_a_longer_first_piece():
    rng = random.Random(0)
    words = ["".join(rng.choices("ab", k=rng.randint(1, 6))) for _ in range(300)]
    known = {*"ab", "##a", "##b", "ab", "bba", "##ab", "##aab", "##bb", "##abba"}
    for word in words:
        found = word_pieces(word, known)
        # Each single letter is known, so every beginning can be completed.
        ways = sorted(
            longest_first(word, known), key=lambda way: [-len(piece) for piece in way]
        )
        assert found == ways[0]


def test_a_word_of_more_than_100_characters_is_unknown():
    known = {"a", "##a"}
    assert word_pieces("a" * 100, known) == ["a", *["##a"] * 99]
    assert word_pieces("a" * 101 + " a", known) == ["[UNK]", "a"]
    assert word_pieces("b", known, unknown="?") == ["?"]


def is_right(function):
    return all(function(text, KNOWN) == pieces.split() for text, pieces in CASES)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_classic_mistakes_are_found(mistake):
    place = "word_pieces", "custom_layers.generation", ["word_pieces"]
    assert is_right(mutated(*place))
    assert not is_right(mutated(*place, *MISTAKES[mistake]))
