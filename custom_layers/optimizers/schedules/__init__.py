"""Learning-rate schedules: decay, warm-up and cycles."""

from .decay import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from .warmup import CyclicalLearningRate, Noam, OneCycle, WarmupCosine
