"""Word pieces: text as the pieces that BERT and its relatives read."""

import unicodedata
from collections.abc import Container

NEXT = "##"  # how a piece begins that is not the beginning of a word
LONGEST = 100  # characters; a longer word is unknown as a whole
# Blocks of the characters of Chinese, each of which is a word.
CHINESE = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)


class _Cleaned(dict):
    """What stands for each character, found out when the character first occurs."""

    def __missing__(self, code: int) -> str:
        self[code] = _cleaned(chr(code))
        return self[code]


CLEANED = _Cleaned()


def word_pieces(text: str, known: Container[str], unknown: str = "[UNK]") -> list[str]:
    """WordPiece: each word as the longest known pieces, from its beginning to its end.

    The text loses capitals and accents; each mark of punctuation is a word. Then:
        piece = the longest known beginning of the word;  word = "##" + its rest
    until nothing is left. Where no beginning is known, all of the word is `unknown`.

    Args:
        text: the text.
        known: the pieces, such as the keys of a dict. Those that are not the beginning
            of a word begin with "##".
        unknown: the piece that stands for a word that pieces cannot make.

    >>> known = {"not", "un", "##for", "##gett", "##able", "!"}
    >>> word_pieces("Not unforgettable!", known)
    ['not', 'un', '##for', '##gett', '##able', '!']
    >>> word_pieces("Not forgettable", known)  # no piece begins a word with "for"
    ['not', '[UNK]']

    Papers: Devlin, Chang, Lee, Toutanova, "BERT: pre-training of deep bidirectional
    transformers for language understanding", 2019, https://arxiv.org/abs/1810.04805;
    Wu et al., "Google's neural machine translation system", 2016.
    https://arxiv.org/abs/1609.08144
    """
    decomposed = unicodedata.normalize("NFD", text)  # an accent follows its letter
    pieces: list[str] = []
    for word in decomposed.translate(CLEANED).split():
        if word in known:
            pieces.append(word)
        else:
            pieces += _split(word, known) or [unknown]
    return pieces


def _split(word: str, known: Container[str]) -> list[str]:
    """The pieces of a word; [] if there are none that make it."""
    pieces: list[str] = []
    if len(word) > LONGEST:
        return pieces
    start = 0
    while start < len(word):
        end = len(word)
        prefix = NEXT if start else ""
        while prefix + word[start:end] not in known:
            end -= 1
            if end == start:
                return []
        pieces.append(prefix + word[start:end])
        start = end
    return pieces


def _cleaned(character: str) -> str:
    """What stands for one character of a text whose accents follow their letters."""
    category = unicodedata.category(character)
    if character in "\t\n\r" or category == "Zs":
        return " "
    if category == "Mn" or category[0] == "C" or character == "\ufffd":
        return ""
    is_chinese = any(first <= ord(character) <= last for first, last in CHINESE)
    is_mark = category[0] == "P" or (character.isascii() and not character.isalnum())
    lower = character.lower()
    return f" {lower} " if is_chinese or is_mark else lower
