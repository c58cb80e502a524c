"""Randomized leaky ReLU: each value below 0 has a slope of its own in training."""

import keras
from keras import ops

from ..common.types import Seed


@keras.saving.register_keras_serializable(package="keras_cookbook")
def rrelu(
    x,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    seed: Seed = None,
):
    """Randomized leaky ReLU, whose random slopes below 0 work against overfitting.

    y = x if x >= 0 else a x
    training:  a ~ Uniform(lower, upper), drawn for each entry of x
    inference: a = (lower + upper) / 2

    Args:
        x: tensor of any shape and float dtype.
        lower, upper: bounds of the slopes.
        training: whether the slopes are random. The layer `RReLU` is told by `fit`.
        seed: an integer, or the SeedGenerator of a layer.

    Returns: y of the same shape and dtype as x.

    >>> x = keras.ops.array([-1.0, -1.0, 2.0])
    >>> [round(float(y), 2) for y in rrelu(x, 0.1, 0.3)]
    [-0.2, -0.2, 2.0]
    >>> first, second, _ = rrelu(x, 0.1, 0.3, training=True, seed=1)
    >>> bool(first != second), bool(-0.3 <= first <= -0.1)
    (True, True)

    Paper: Xu, Wang, Chen, Li, "Empirical evaluation of rectified activations in
    convolutional network", 2015. https://arxiv.org/abs/1505.00853
    """
    x = ops.convert_to_tensor(x)
    a = (lower + upper) / 2
    if training:
        dtype = keras.backend.standardize_dtype(x.dtype)
        a = keras.random.uniform(ops.shape(x), lower, upper, dtype, seed)
    return ops.where(x >= 0, x, a * x)
