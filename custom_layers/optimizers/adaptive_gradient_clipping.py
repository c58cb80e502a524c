"""Adaptive gradient clipping: no unit may change much at once."""

import re

import keras
from keras import ops

from ..common.checks import python_number
from ..common.types import Config
from .wrapper import _GradientWrapper


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdaptiveGradientClipping(_GradientWrapper):
    """Adaptive gradient clipping: bounds each unit's gradient by the unit's weights.

    g_i = g_i * clipping * max(|w_i|, epsilon) / |g_i|,  where |g_i| is above that bound

    w_i are the weights that lead to unit i: a column of a kernel, or a filter. A bias,
    or any other vector, is one unit. `clipnorm` has one bound for all, which depends
    on the model, the batch size and the learning rate; this one is a share of the
    weights. It lets networks without batch normalization train with large batches.

    Args:
        inner_optimizer: the optimizer that receives the clipped gradients, or its name.
        clipping: the longest gradient, as a share of the weights; the smaller, the
            larger the batch.
        epsilon: the least norm of w_i that counts, so that zeros can begin to grow.
        exclude_layers: regular expressions of variable paths that are not clipped. The
            paper leaves out the last layer.
        name: the optimizer's name.

    If the inner optimizer accumulates gradients, their mean is clipped.

    Raises: ValueError for a clipping or an epsilon that is not positive, or an inner
    LossScaleOptimizer.
    Not in Keras.

    One wild batch does not carry the weights away:

    >>> w = keras.Variable([[0.5, 0.5], [0.5, 0.5]])
    >>> optimizer = AdaptiveGradientClipping(keras.optimizers.SGD(1.0), clipping=0.1)
    >>> optimizer.apply([keras.ops.array([[0.01, 300.0], [0.01, -400.0]])], [w])
    >>> print(w.numpy().round(3))  # |w_i| = 0.707: the second unit moves by 0.0707
    [[0.49  0.458]
     [0.49  0.557]]

    Paper: Brock et al., "High-performance large-scale image recognition without
    normalization", 2021, https://arxiv.org/abs/2102.06171
    """

    def __init__(
        self,
        inner_optimizer: str | keras.optimizers.Optimizer,
        clipping: float = 0.01,
        epsilon: float = 1e-3,
        exclude_layers: list[str] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        if clipping <= 0 or epsilon <= 0:
            raise ValueError(
                "`clipping` and `epsilon` must be above 0. "
                f"Received: clipping={clipping}, epsilon={epsilon}"
            )
        self.clipping = python_number(clipping)
        self.epsilon = python_number(epsilon)
        self.exclude_layers = list(exclude_layers or [])

    def changed(self, g, w):
        if any(re.search(pattern, w.path) for pattern in self.exclude_layers):
            return g
        largest = self.clipping * ops.maximum(_norm_of_units(w), self.epsilon)
        norm = _norm_of_units(g)
        # Divided by at least the bound, an entry that is short enough stays as it is.
        scale = largest / ops.maximum(norm, largest)
        return g * ops.cast(scale, g.dtype)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "clipping": self.clipping,
            "epsilon": self.epsilon,
            "exclude_layers": self.exclude_layers,
        }


def _norm_of_units(x):
    """The norm over all axes but the last; of a vector, that of the whole."""
    x = ops.convert_to_tensor(x)
    is_double = keras.backend.standardize_dtype(x.dtype) == "float64"
    x = x if is_double else ops.cast(x, "float32")
    axes = tuple(range(len(x.shape) - 1)) if len(x.shape) > 1 else None
    return ops.sqrt(ops.sum(ops.square(x), axis=axes, keepdims=True))
