"""Sentences as arrays of ids: of the words, and of the characters in each word."""

import re
from collections.abc import Sequence

import numpy as np

from cookbook.data.text.words import Vocabulary, cut_and_pad

SEEN = 2  # times that a word occurs in the training part before it has an id
# The ends of words that a treebank counts as words: do n't, it 's, you 'll.
SHORT = re.compile(r"(?<=\w)(n't|'(?:s|m|d|re|ve|ll))\b", re.IGNORECASE)
TOKEN = re.compile(
    r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.]+|[@#]\w+|n't\b|'(?:s|m|d|re|ve|ll)\b"
    r"|\d+(?:[.,:]\d+)*|(?:[^\W\d_]\.){2,}|\w+|\.{2,}|[^\w\s]",
    re.IGNORECASE,
)


def split_sentence(text: str) -> list[str]:
    """The words and marks of an English text, as a treebank separates them.

    >>> split_sentence("Don't panic, it's only 3.5 km.")
    ['Do', "n't", 'panic', ',', 'it', "'s", 'only', '3.5', 'km', '.']
    """
    text = text.replace("\u2019", "'")  # a curly apostrophe
    return TOKEN.findall(SHORT.sub(r" \1", text))


def learn_ids(sentences: Sequence[Sequence[str]]) -> tuple[Vocabulary, Vocabulary]:
    """(vocabulary of words in lower case, vocabulary of characters) of sentences.

    Words that occur less than SEEN times have no id of their own: they teach the
    network what an unknown word is.
    """
    words = [word.lower() for sentence in sentences for word in sentence]
    every = Vocabulary.learn([words])
    counts = np.bincount(every.ids(words))
    frequent = int(np.sum(counts >= SEEN))  # which come first

    spellings = [word for sentence in sentences for word in sentence]
    characters = Vocabulary.learn(spellings)
    return Vocabulary(every.words[:frequent]), characters


def encode_words(
    sentences: Sequence[Sequence[str]],
    words: Vocabulary,
    characters: Vocabulary,
    letters: int,
    width: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """(ids of words (N, T), ids of characters (N, T, letters)), padded with 0.

    Args:
        sentences: lists of words.
        words, characters: the vocabularies; words are looked up in lower case.
        letters: characters of a word that are read. Of a longer word the beginning
            fills a quarter, and the end the rest.
        width: the least number T of words in a row.
    """
    width = max(width, *map(len, sentences), 1)
    shape = len(sentences), width
    ids = np.zeros(shape, "int32")
    places = np.zeros(shape, "int32")  # in the list of spellings
    known: dict[str, int] = {}
    for row, place, sentence in zip(ids, places, sentences):
        count = len(sentence)
        row[:count] = words.ids(word.lower() for word in sentence)
        for t, word in enumerate(sentence):
            place[t] = known.setdefault(word, 1 + len(known))

    spellings: list[list[int]] = [[]]  # the first is that of the padding
    for word in known:
        spellings.append(characters.ids(word))
    table = cut_and_pad(spellings, letters)
    table[0] = 0
    return ids, table[places]
