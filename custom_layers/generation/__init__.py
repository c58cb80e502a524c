"""Generation: texts, the labels of CTC, and pictures in other colours."""

from .beam_search import beam_search
from .colour_transfer import colour_transfer
from .compiled import compiled
from .ctc_alignment import ctc_align
from .ctc_decoding import ctc_decode
from .decoding import greedy_search, sample
from .subwords import END, SPACE, SPECIALS, START, UNKNOWN, Subwords
from .word_pieces import word_pieces
