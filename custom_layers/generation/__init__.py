"""Generation: text from a language model, and pictures in other colours."""

from .beam_search import beam_search
from .colour_transfer import colour_transfer
from .compiled import compiled
from .decoding import greedy_search, sample
from .subwords import END, SPACE, SPECIALS, START, UNKNOWN, Subwords
