"""Learning-rate schedules: decay, cosines, warm-up and cycles."""

from .cosine import CosineDecay, CosineDecayRestarts, WarmupCosine
from .decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from .warmup import CyclicalLearningRate, Noam, OneCycle
