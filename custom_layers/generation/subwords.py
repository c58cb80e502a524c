"""Subwords: a vocabulary learned by byte-pair encoding, and text as token numbers."""

import collections
import heapq
import itertools
import re
from collections.abc import Iterable

import keras

from ..common.types import Config

PAD, UNKNOWN, START, END = 0, 1, 2, 3  # tokens that stand for no piece of text
SPECIALS = ("<pad>", "<unknown>", "<start>", "<end>")
SPACE = "▁"  # stands for the space before a word, so that decoding restores spaces
WORD = re.compile(rf"{SPACE}?\w+|{SPACE}?[^\w\s]")  # a word or a mark of punctuation


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Subwords:
    """Byte-pair encoding: frequent words are one token, rare words are several.

    Learning: split the words into characters; then, again and again,
        (a, b) = the most frequent pair of neighbours;  replace a b by ab everywhere
    Encoding: split a word into characters, and replace the same pairs in the same
        order. A pair never crosses the boundary of a word.

    Args:
        pieces: the vocabulary; token n stands for pieces[n]. `SPECIALS` come first,
            then the characters, then the joined pairs.
        merges: the pairs, in the order in which they were joined.

    `encode` turns a sentence into a list of tokens, `decode` turns them back. A
    character that learning did not see becomes the token UNKNOWN.

    >>> subwords = Subwords.learn(["low lower lowest", "low slow"], size=20)
    >>> subwords.merges
    [('l', 'o'), ('lo', 'w'), ('▁', 'low'), ('▁low', 'e')]
    >>> tokens = subwords.encode("slow low")
    >>> [subwords.pieces[n] for n in tokens]
    ['▁', 's', 'low', '▁low']
    >>> subwords.decode(tokens)
    'slow low'
    >>> again = Subwords(subwords.pieces, subwords.merges)
    >>> again.encode("slow low") == tokens
    True

    Paper: Sennrich, Haddow, Birch, "Neural machine translation of rare words with
    subword units", 2016. https://arxiv.org/abs/1508.07909
    """

    def __init__(self, pieces: Iterable[str], merges: Iterable) -> None:
        self.pieces = list(pieces)
        self.merges = [tuple(pair) for pair in merges]
        self._token = {piece: i for i, piece in enumerate(self.pieces)}
        self._order = {pair: i for i, pair in enumerate(self.merges)}
        self._encoded_words: dict[str, list[int]] = {}

    @classmethod
    def learn(cls, sentences: Iterable[str], size: int) -> "Subwords":
        """A vocabulary of at most `size` pieces, learned from sentences."""
        words: collections.Counter[str] = collections.Counter()
        for sentence in sentences:
            words.update(_words(sentence))
        characters = sorted(set("".join(words)))
        room = size - len(SPECIALS) - len(characters)
        merges = _merges(words, room)
        joined = ["".join(pair) for pair in merges]
        pieces = dict.fromkeys([*SPECIALS, *characters, *joined])  # each of them once
        return cls(pieces, merges)

    def get_config(self) -> Config:
        return {"pieces": self.pieces, "merges": self.merges}

    @classmethod
    def from_config(cls, config: Config) -> "Subwords":
        return cls(**config)

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, sentence: str) -> list[int]:
        """The tokens of a sentence, without START and END."""
        tokens = []
        for word in _words(sentence):
            if word not in self._encoded_words:
                self._encoded_words[word] = self._encode_word(word)
            tokens += self._encoded_words[word]
        return tokens

    def _encode_word(self, word):
        pieces = list(word)
        while True:
            pairs = [p for p in itertools.pairwise(pieces) if p in self._order]
            if not pairs:
                return [self._token.get(piece, UNKNOWN) for piece in pieces]
            pieces = _join(pieces, min(pairs, key=self._order.__getitem__))

    def encode_known(self, sentence: str) -> list[int]:
        """The tokens of a sentence without UNKNOWN; [] if no text remains."""
        tokens = [n for n in self.encode(sentence) if n != UNKNOWN]
        return tokens if self.decode(tokens) else []

    def decode(self, tokens: Iterable[int]) -> str:
        """The sentence of the tokens before END; the other specials are left out."""
        before_end = list(itertools.takewhile(lambda n: n != END, tokens))
        unknown = [n for n in before_end if not 0 <= n < len(self.pieces)]
        if unknown:
            raise ValueError(
                f"Invalid tokens: got {unknown[0]}, expected numbers from 0 to "
                f"{len(self.pieces) - 1}, the tokens of this vocabulary."
            )
        pieces = [self.pieces[n] for n in before_end if n >= len(SPECIALS)]
        return "".join(pieces).replace(SPACE, " ").strip()


def _words(sentence):
    return WORD.findall(SPACE + SPACE.join(sentence.split()))


def _join(pieces, pair):
    """The pieces, with each occurrence of the pair joined into one piece."""
    joined = []
    i = 0
    while i < len(pieces):
        if tuple(pieces[i : i + 2]) == pair:
            joined.append("".join(pair))
            i += 2
        else:
            joined.append(pieces[i])
            i += 1
    return joined


def _merges(words, count):
    """At most `count` pairs to join, in order; words: {word: how often it occurs}.

    Pairs that occur once are not joined. Joining a pair counts anew only the words that
    hold it. The heap keeps the old counts of a pair too: an entry is out of date, and
    skipped, if the pair has another count by now.
    """
    words = [(list(word), n) for word, n in words.items()]
    pairs = _Pairs(words)
    merges = []
    while pairs.heap and len(merges) < count:
        negative_count, pair = heapq.heappop(pairs.heap)
        occurrences = -negative_count
        if pairs.counts[pair] != occurrences or occurrences < 2:
            continue
        merges.append(pair)
        changed = set()
        for i in pairs.places.pop(pair):
            pieces, n = words[i]
            joined = _join(pieces, pair)
            words[i] = joined, n
            changed |= pairs.remove(pieces, n)
            changed |= pairs.add(joined, n, i)
        pairs.push(changed)
    return merges


class _Pairs:
    """The pairs of neighbours in words: how often they occur, and in which words."""

    def __init__(self, words):
        self.counts = collections.Counter()
        self.places = collections.defaultdict(set)  # pair -> numbers of words
        self.heap = []  # (-count, pair): the most frequent first, then by the alphabet
        for i, (pieces, n) in enumerate(words):
            self.add(pieces, n, i)
        self.push(self.counts)

    def add(self, pieces, n, i):
        """Counts the pairs of word i, which occurs n times; returns them."""
        pairs = list(itertools.pairwise(pieces))
        for pair in pairs:
            self.counts[pair] += n
            self.places[pair].add(i)
        return set(pairs)

    def remove(self, pieces, n):
        """Takes the pairs of a word off the counts; returns them."""
        pairs = list(itertools.pairwise(pieces))
        for pair in pairs:
            self.counts[pair] -= n
        return set(pairs)

    def push(self, pairs):
        """Puts the present counts of the pairs on the heap."""
        for pair in pairs:
            heapq.heappush(self.heap, (-self.counts[pair], pair))
