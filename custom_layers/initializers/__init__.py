"""Initializers: the start values of weights."""

from .constant_initializers import Constant, Identity, Ones, Zeros
from .glorot_he_lecun import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
)
from .orthogonal import Orthogonal
from .random_initializers import RandomNormal, RandomUniform, TruncatedNormal
from .variance_scaling import VarianceScaling
