"""Subwords: a vocabulary learned by byte-pair encoding, and text as its numbers."""

import collections
import heapq
import itertools
import re

PAD, UNKNOWN, START, END = range(4)  # numbers that stand for no subword
SPECIALS = ("<pad>", "<unknown>", "<start>", "<end>")
SPACE = "▁"  # stands for the space before a word, so that text can be put together
PIECE = re.compile(rf"{SPACE}?\w+|{SPACE}?[^\w\s]")  # a word or a mark: merges stay in


class Subwords:
    """The most frequent pieces of words; unknown words fall apart into known pieces.

    Learning starts from single characters and joins the most frequent pair of
    neighbours again and again; encoding joins in the order of learning.

    pieces: the vocabulary, `SPECIALS` first, then characters, then joined pairs
    merges: the pairs, in the order in which they were joined

    Paper: Sennrich, Haddow, Birch, "Neural machine translation of rare words with
    subword units", 2016. https://arxiv.org/abs/1508.07909
    """

    def __init__(self, pieces, merges):
        self.pieces = list(pieces)
        self.merges = [tuple(pair) for pair in merges]
        self._number = {piece: i for i, piece in enumerate(self.pieces)}
        self._rank = {pair: i for i, pair in enumerate(self.merges)}
        self._known = {}

    @classmethod
    def learn(cls, sentences, size):
        """A vocabulary of at most `size` pieces for the sentences, an iterable."""
        words = collections.Counter(w for s in sentences for w in _words(s))
        characters = sorted({c for word in words for c in word})
        room = size - len(SPECIALS) - len(characters)
        merges = _merges({tuple(word): n for word, n in words.items()}, room)
        joined = ["".join(pair) for pair in merges]
        return cls(dict.fromkeys([*SPECIALS, *characters, *joined]), merges)

    def __len__(self):
        return len(self.pieces)

    def encode(self, sentence):
        """The numbers of a sentence's pieces, without START and END."""
        return [n for word in _words(sentence) for n in self._encode_word(word)]

    def encode_known(self, sentence):
        """encode, without what training never saw; of nothing else it is empty."""
        numbers = [n for n in self.encode(sentence) if n != UNKNOWN]
        return numbers if self.decode(numbers) else []

    def decode(self, numbers):
        """The sentence: up to END, without what stands for no subword."""
        known = itertools.takewhile(lambda n: n != END, numbers)
        pieces = [self.pieces[n] for n in known if n >= len(SPECIALS)]
        return "".join(pieces).replace(SPACE, " ").strip()

    def _encode_word(self, word):
        if word not in self._known:
            pieces = list(word)
            while pairs := [p for p in itertools.pairwise(pieces) if p in self._rank]:
                pieces = _join(pieces, min(pairs, key=self._rank.get))
            self._known[word] = [self._number.get(p, UNKNOWN) for p in pieces]
        return self._known[word]


def _words(sentence):
    return PIECE.findall(SPACE + SPACE.join(sentence.split()))


def _join(pieces, pair):
    """pieces, a list, with each occurrence of the pair as one piece."""
    joined, i = [], 0
    while i < len(pieces):
        is_pair = tuple(pieces[i : i + 2]) == pair
        joined.append("".join(pair) if is_pair else pieces[i])
        i += 2 if is_pair else 1
    return joined


def _merges(words, count):
    """The `count` pairs to join, most frequent first; words: {pieces: how often}.

    Only words that hold the joined pair are counted anew. The heap keeps outdated
    counts, too: one is skipped where the pair has another count by now.
    """
    words = [[list(pieces), n] for pieces, n in words.items()]
    counts, places = collections.Counter(), collections.defaultdict(set)
    for i, (pieces, n) in enumerate(words):
        for pair in itertools.pairwise(pieces):
            counts[pair] += n
            places[pair].add(i)
    heap = [(-n, pair) for pair, n in counts.items()]
    heapq.heapify(heap)
    merges = []
    while heap and len(merges) < count:
        n, pair = heapq.heappop(heap)
        if counts[pair] != -n or n > -2:  # outdated, or a pair that came once
            continue
        merges.append(pair)
        changed = set()
        for i in places.pop(pair):
            pieces, n = words[i]
            joined = _join(pieces, pair)
            for old in itertools.pairwise(pieces):
                counts[old] -= n
                changed.add(old)
            for new in itertools.pairwise(joined):
                counts[new] += n
                places[new].add(i)
                changed.add(new)
            words[i][0] = joined
        for other in changed:
            heapq.heappush(heap, (-counts[other], other))
    return merges
