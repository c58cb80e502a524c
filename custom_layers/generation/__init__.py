"""Text from a language model: subwords, and the search for the next tokens."""

from .colour_transfer import colour_transfer
from .compiled import compiled
from .decoding import beam_search, greedy_search, sample
from .subwords import END, SPACE, SPECIALS, START, UNKNOWN, Subwords
