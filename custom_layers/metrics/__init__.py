"""Metrics."""

from .principal_subspace import principal_subspace_distance
from .sample_metrics import FrechetDistance, ModeOverlap
from .token_metrics import token_accuracy, whole_answers
