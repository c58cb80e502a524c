"""Explanations: what in an input made a network answer as it did."""

from .grad_cam import grad_cam
from .word_influence import influence
