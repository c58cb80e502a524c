"""Subwords: the paper's merges, and texts that come back from their numbers."""

import collections
import itertools

import pytest

from custom_layers.generation import END, SPACE, SPECIALS, START, UNKNOWN, Subwords

TEXTS = [
    "the lower lowest newer, the newest",
    "the wider low new lower lower wide",
    "a lower wall, lower than low walls!",
]


@pytest.fixture(scope="module")
def subwords():
    return Subwords.learn(TEXTS, 50)


def merges_by_counting_anew(texts, count):
    """The paper's algorithm as it stands: all pairs are counted for each merge."""
    pieces = []
    for word in " ".join(texts).replace(",", " ,").replace("!", " !").split(" "):
        pieces.append([*word] if word in ",!" else [*(SPACE + word)])
    found = []
    while len(found) < count:
        pairs = collections.Counter(p for w in pieces for p in itertools.pairwise(w))
        top = max(pairs.values())
        if top < 2:
            break
        a, b = min(pair for pair, n in pairs.items() if n == top)
        found.append((a, b))
        for word in pieces:
            i = 0
            while i < len(word) - 1:
                if word[i : i + 2] == [a, b]:
                    word[i : i + 2] = [a + b]
                i += 1
    return found


def test_the_merges_are_those_of_counting_all_pairs_anew_each_time(subwords):
    expected = merges_by_counting_anew(TEXTS, len(subwords.merges))
    assert subwords.merges == expected
    assert len(expected) > 10


@pytest.mark.parametrize("text", [*TEXTS, "low", "new walls newer", "!,", ""])
def test_a_text_comes_back_from_its_numbers(subwords, text):
    assert subwords.decode(subwords.encode(text)) == text


def test_frequent_words_are_one_piece_and_new_words_several(subwords):
    (number,) = subwords.encode("lower")
    assert subwords.pieces[number] == SPACE + "lower"
    assert len(subwords.encode("widest")) > 1


def test_a_character_that_training_lacks_is_unknown_and_the_rest_is_not(subwords):
    numbers = subwords.encode("lower 😀 low")
    assert numbers.count(UNKNOWN) >= 1
    assert subwords.decode(numbers).split() == ["lower", "low"]
    space = subwords.pieces.index(SPACE)
    assert set(subwords.encode("漢字 \x07")) == {UNKNOWN, space}


def test_a_vocabulary_keeps_to_its_size_and_starts_with_the_special_numbers(subwords):
    for size in (25, 35):
        assert len(Subwords.learn(TEXTS, size)) == size
    assert tuple(subwords.pieces[:4]) == SPECIALS
    assert len(set(subwords.pieces)) == len(subwords)


def test_what_stands_behind_the_end_is_no_text(subwords):
    low, new = subwords.encode("low"), subwords.encode("new")
    assert subwords.decode([START, *low, END, *new]) == "low"
