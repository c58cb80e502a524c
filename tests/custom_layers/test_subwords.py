"""Subwords: the paper's merges, and texts that come back from their tokens."""

import collections
import itertools

import pytest

from custom_layers.generation import END, SPACE, SPECIALS, START, UNKNOWN, Subwords

pytestmark = pytest.mark.one_backend  # it is plain Python
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


def test_the_merges_of_a_tiny_corpus_are_those_counted_by_hand():
    """With _ for the space, "_low" occurs twice and "_lower" once.

    Neighbours: _l 3, lo 3, ow 3, we 1, er 1; of equal counts the first by the alphabet
    wins, and "_" comes after the letters. Then _lo 3, low 3; then _low 3. All that is
    left, "_low e" and "e r", occurs once.
    """
    subwords = Subwords.learn(["low lower", "low"], 50)
    assert subwords.merges == [("l", "o"), ("lo", "w"), (SPACE, "low")]
    characters = ["e", "l", "o", "r", "w", SPACE]
    joined = ["lo", "low", SPACE + "low"]
    assert subwords.pieces == [*SPECIALS, *characters, *joined]
    assert [subwords.pieces[n] for n in subwords.encode("lower")] == [
        SPACE + "low",
        "e",
        "r",
    ]


def test_the_first_merges_are_those_of_the_papers_listing():
    """Sennrich et al.: low 5, lower 2, newest 6, widest 3 give es, est, lo and low."""
    text = 5 * "low " + 2 * "lower " + 6 * "newest " + 3 * "widest "
    merges = Subwords.learn([text], 50).merges
    assert merges[:4] == [("e", "s"), ("es", "t"), ("l", "o"), ("lo", "w")]


def test_pairs_do_not_cross_words_or_marks():
    subwords = Subwords.learn(["a b, a b, a b, a b,"], 50)
    assert subwords.merges == [(SPACE, "a"), (SPACE, "b")]


def test_a_vocabulary_that_was_written_down_encodes_alike(subwords):
    again = Subwords(pieces=subwords.pieces, merges=map(list, subwords.merges))
    for text in TEXTS:
        assert again.encode(text) == subwords.encode(text)


def test_what_is_known_of_a_text_of_unknown_characters_is_nothing(subwords):
    assert subwords.encode_known("漢字") == []
    assert subwords.decode(subwords.encode_known("lower 漢字 low")).split() == [
        "lower",
        "low",
    ]


def test_the_merges_are_those_of_counting_all_pairs_anew_each_time(subwords):
    expected = merges_by_counting_anew(TEXTS, len(subwords.merges))
    assert subwords.merges == expected
    assert len(expected) > 10


@pytest.mark.parametrize("text", [*TEXTS, "low", "new walls newer", "!,", ""])
def test_a_text_comes_back_from_its_tokens(subwords, text):
    assert subwords.decode(subwords.encode(text)) == text


def test_frequent_words_are_one_piece_and_new_words_several(subwords):
    (token,) = subwords.encode("lower")
    assert subwords.pieces[token] == SPACE + "lower"
    assert len(subwords.encode("widest")) > 1


def test_a_character_that_training_lacks_is_unknown_and_the_rest_is_not(subwords):
    tokens = subwords.encode("lower 😀 low")
    assert tokens.count(UNKNOWN) >= 1
    assert subwords.decode(tokens).split() == ["lower", "low"]
    space = subwords.pieces.index(SPACE)
    assert set(subwords.encode("漢字 \x07")) == {UNKNOWN, space}


def test_a_vocabulary_keeps_to_its_size_and_starts_with_the_special_tokens(subwords):
    for size in (25, 35):
        assert len(Subwords.learn(TEXTS, size)) == size
    assert tuple(subwords.pieces[:4]) == SPECIALS
    assert len(set(subwords.pieces)) == len(subwords)


def test_what_stands_after_the_end_is_not_part_of_the_text(subwords):
    low, new = subwords.encode("low"), subwords.encode("new")
    assert subwords.decode([START, *low, END, *new]) == "low"
