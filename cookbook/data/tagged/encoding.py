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
    counts = np.bincount(every.ids(words), minlength=len(every))
    frequent = int(np.sum(counts >= SEEN))
    characters = Vocabulary.learn(word for sentence in sentences for word in sentence)
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
    ids = np.zeros((len(sentences), width), "int32")
    places = np.zeros((len(sentences), width), "int32")  # in the list of spellings
    known: dict[str, int] = {}
    for row, place, sentence in zip(ids, places, sentences):
        count = len(sentence)
        row[:count] = words.ids(word.lower() for word in sentence)
        place[:count] = [known.setdefault(word, 1 + len(known)) for word in sentence]
    spellings = [characters.ids(word) for word in known]
    table = np.zeros((1 + len(known), letters), "int32")
    if known:
        table[1:] = cut_and_pad(spellings, letters)
    return ids, table[places]
