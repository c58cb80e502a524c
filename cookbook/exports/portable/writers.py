"""Exported models that write: the network gives the logits of the next token.

Each of them reads all that is written so far at every step, unless it has a network for
one step, which keeps what it has read. A network whose rows have one length at every
step is prepared once, so the rest of a row is filled with zeros: no network looks at
what follows.
"""

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cookbook.data.text.characters import decode, encode
from cookbook.exports.portable.networks import Network, StepNetwork

SPACE = "▁"  # stands for the space before a word
WORD = re.compile(rf"{SPACE}?\w+|{SPACE}?[^\w\s]")
START, END = 2, 3  # tokens of subwords; smaller ones stand for no text either
DIGITS = " 0123456789<>+"  # the character of each token of a sum


class CharacterModel:
    """A model that continues texts, character by character.

    step: a network that reads one character and keeps what it has read; without it, the
        network reads all again for each character.
    """

    def __init__(
        self,
        network: Network,
        settings: dict[str, Any],
        step: StepNetwork | None = None,
    ) -> None:
        self.network = network
        self.settings = settings
        self.alphabet: str = settings["alphabet"]
        self.context: int = settings["context"]
        self.step = step

    def predict(
        self,
        texts: Sequence[str],
        length: int = 200,
        temperature: float = 0.8,
        seed: int = 0,
    ) -> list[str]:
        """Each text with `length` more characters, which are drawn one by one.

        A higher temperature draws rarer characters more often.
        """
        rng = np.random.default_rng(seed)
        return [self._continued(text, length, temperature, rng) for text in texts]

    def _continued(
        self, text: str, length: int, temperature: float, rng: np.random.Generator
    ) -> str:
        window = encode(text or "\n", self.alphabet).tolist()
        kept = max(1, self.context // 2)
        window = window[-kept:]
        logits_after = self._reader()
        written: list[int] = []
        while len(written) < length:
            if len(window) >= max(2, self.context):  # go on with its second half
                window = window[-kept:]
                logits_after = self._reader()
            token = drawn(logits_after(window), temperature, rng)
            window.append(token)
            written.append(token)
        return text + decode(written, self.alphabet)

    def _reader(self) -> Callable[[list[int]], np.ndarray]:
        """A function that rates what follows a window; from call to call it grows."""
        if self.step is None:
            return self._read_all
        states = empty_states(self.settings["states"])
        return StepReader(self.step, self.context, states)

    def _read_all(self, window: list[int]) -> np.ndarray:
        row = row_of(window, self.context)
        return self.network(tokens=row)[0, len(window) - 1]


class StepReader:
    """A window of tokens that grows: what has been read of it is kept in states."""

    def __init__(
        self, step: StepNetwork, context: int, states: Sequence[np.ndarray]
    ) -> None:
        self.step = step
        self.context = context
        self.states = states
        self.seen = 0  # tokens that have been read

    def __call__(self, window: list[int]) -> np.ndarray:
        """The logits of what follows the window, which begins with what was read."""
        tokens = row_of(window, self.context)
        for place in range(self.seen, len(window)):
            names = (f"state_{i}" for i in range(len(self.states)))
            index = np.array([place], "int32")
            logits, *self.states = self.step.outputs(
                tokens=tokens, index=index, **dict(zip(names, self.states))
            )
        self.seen = len(window)
        return logits[0]


def empty_states(states: Sequence[dict[str, Any]]) -> list[np.ndarray]:
    """The states before the first token, of these shapes and types."""
    return [np.zeros(state["shape"], state["type"]) for state in states]


def row_of(tokens: list[int], length: int) -> np.ndarray:
    """Tokens as a row, int32 (1, length)."""
    row = np.zeros((1, length), "int32")
    row[0, : len(tokens)] = tokens
    return row


def drawn(logits: np.ndarray, temperature: float, rng: np.random.Generator) -> int:
    """A token that is drawn from the softmax of logits / temperature."""
    scaled = logits / temperature
    scaled[0] = -np.inf  # the token of characters that the alphabet lacks
    # The largest of logits with this noise has the softmax's distribution.
    noise = rng.gumbel(size=len(scaled))
    return int(np.argmax(scaled + noise))


class TranslationModel:
    """A model that translates sentences.

    step, encoder: networks that read one token and keep what they have read, and that
        read the source for it; without them, the network reads all again each time.
    """

    def __init__(
        self,
        network: Network,
        settings: dict[str, Any],
        step: StepNetwork | None = None,
        encoder: StepNetwork | None = None,
    ) -> None:
        self.network = network
        self.step = step
        self.encoder = encoder
        self.pieces: list[str] = settings["pieces"]
        self.token = {piece: i for i, piece in enumerate(self.pieces)}
        pairs = map(tuple, settings["merges"])
        self.rank = {pair: i for i, pair in enumerate(pairs)}

    def predict(self, sentences: Sequence[str]) -> list[str]:
        """The translation of each sentence, the most probable subword at each step."""
        return [self._translated(sentence) for sentence in sentences]

    def _translated(self, sentence: str) -> str:
        tokens = self.tokens(sentence)
        if not tokens:
            return ""
        source = np.array([[*tokens, END]], "int32")
        length = longest_row(len(tokens))
        written = write_greedily(self._reader(source, length), START, END, length - 1)
        pieces = [self.pieces[n] for n in written if n > END]
        text = "".join(pieces)
        return text.replace(SPACE, " ").strip()

    def _reader(self, source: np.ndarray, length: int) -> Callable:
        """A function that rates what follows a window; from call to call it grows."""
        if self.step is not None and self.encoder is not None:
            states = self.encoder.outputs(source=source)
            return StepReader(self.step, length, states)

        def read_all(window: list[int]) -> np.ndarray:
            row = row_of(window, length)
            return self.network(source=source, target=row)[0, len(window) - 1]

        return read_all

    def tokens(self, sentence: str) -> list[int]:
        """The tokens of a sentence; characters that training never saw are left out.

        There are none if no text remains.
        """
        words = WORD.findall(SPACE + SPACE.join(sentence.split()))
        pieces = [piece for word in words for piece in self._split(word)]
        known = [piece for piece in pieces if piece in self.token]
        text = "".join(known)
        if not text.replace(SPACE, ""):
            return []
        return [self.token[piece] for piece in known]

    def _split(self, word: str) -> list[str]:
        """The pieces of a word: pairs are joined in the order that was learned."""
        pieces = list(word)
        while True:
            ranked = [
                (self.rank[pair], i)
                for i, pair in enumerate(itertools.pairwise(pieces))
                if pair in self.rank
            ]
            if not ranked:
                return pieces
            _, i = min(ranked)
            pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]


class SumModel:
    """A model that adds two numbers that are written as text."""

    def __init__(self, network: Network, settings: dict[str, Any]) -> None:
        self.network = network
        self.digits: int = settings["digits"]

    def predict(self, sums: Sequence[str]) -> list[str]:
        """The answers to sums such as 12+345, as the model writes them."""
        return [self._answered(text.replace(" ", "")) for text in sums]

    def _answered(self, text: str) -> str:
        number = rf"[0-9]{{1,{self.digits}}}"
        form = rf"{number}\+{number}"
        if not re.fullmatch(form, text):
            raise ValueError(
                f"got {text!r}, expected a sum of two numbers of at most {self.digits} "
                "digits, such as 1+2"
            )
        padded = text.ljust(2 * self.digits + 1)
        tokens = [DIGITS.index(character) for character in padded]
        question = np.array([tokens], "int32")
        length = self.digits + 2

        def logits_after(window: list[int]) -> np.ndarray:
            row = row_of(window, length)
            return self.network(question=question, before=row)[0, len(window) - 1]

        start, end = DIGITS.index("<"), DIGITS.index(">")
        written = write_greedily(logits_after, start, end, length)
        return "".join(DIGITS[token] for token in reversed(written)).strip()


def longest_row(tokens: Any) -> Any:
    """The length of a row for the translation of so many subwords, with its START.

    tokens: a number, or a tensor in a network.
    """
    eighths = (tokens + 7) // 8
    return 10 + 12 * eighths


def write_greedily(
    logits_after: Callable[[list[int]], np.ndarray], start: int, end: int, length: int
) -> list[int]:
    """The tokens that a network writes, the most probable one at each step.

    logits_after: rates the token after a window, which begins with `start` and grows.
    end: the token after which nothing is written.
    length: the largest number of tokens.
    """
    window = [start]
    while len(window) <= length:
        logits = logits_after(window)
        best = int(logits.argmax())
        if best == end:
            break
        window.append(best)
    return window[1:]
