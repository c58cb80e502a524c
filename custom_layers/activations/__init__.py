"""Activations as functions, one file per family; `layers` holds those that are layers.

`swish` is a second name of `silu`, and `hard_swish` of `hard_silu`, as in Keras.
"""

from .elu import celu, elu, selu
from .gelu import gelu, hard_silu, hard_swish, mish, silu, swish
from .glu import glu
from .linear import linear
from .lisht import lisht
from .relu import leaky_relu, relu, relu6
from .rrelu import rrelu
from .shrinkage import hard_shrink, soft_shrink, tanh_shrink, threshold
from .sigmoid import hard_sigmoid, log_sigmoid, sigmoid
from .snake import snake
from .softmax import log_softmax, softmax
from .softplus import exponential, softplus, squareplus
from .sparse import sparse_plus, sparse_sigmoid, sparsemax
from .tanh import hard_tanh, softsign, tanh
