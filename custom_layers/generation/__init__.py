"""Text from a language model: subwords, and the search for the next tokens."""

from .beam_search import beam_search
from .compiled import compiled
from .decoding import greedy_search, sample
from .subwords import END, SPACE, SPECIALS, START, UNKNOWN, Subwords
