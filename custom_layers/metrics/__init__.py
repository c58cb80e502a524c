"""Metrics."""

from .sample_metrics import FrechetDistance, ModeOverlap
from .token_metrics import token_accuracy, whole_answers
