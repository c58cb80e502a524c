"""Activations: the non-linearities between layers, one file a kind."""

from .basic import (
    exponential,
    linear,
    log_sigmoid,
    sigmoid,
    softplus,
    softsign,
    squareplus,
    tanh,
    tanh_shrink,
)
from .gated import glu
from .piecewise import (
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
    threshold,
)
from .probability import log_softmax, softmax, sparsemax
from .rectifiers import leaky_relu, relu, relu6
from .smooth import celu, elu, gelu, mish, selu, silu
