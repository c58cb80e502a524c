"""Metrics of generated samples, of sequences and of codes."""

from .crf_accuracy import CRFAccuracy
from .frechet_distance import FrechetDistance
from .mode_overlap import ModeOverlap
from .principal_subspace import principal_subspace_distance
from .token_metrics import token_accuracy, whole_answers
