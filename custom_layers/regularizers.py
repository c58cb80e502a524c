"""Regularizers: penalties on a weight, added to the loss."""

import math

import keras
from keras import ops

from .common.private_keras import build_at_init


def _strength(value, name):
    """A penalty's factor as a float, or a ValueError that says what it should be."""
    if not isinstance(value, (float, int)) or not math.isfinite(value) or value < 0:
        raise ValueError(
            f"Invalid value for argument {name}: expected a non-negative float, "
            f"such as 0.01. Received: {name}={value}"
        )
    return float(value)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class L1(keras.regularizers.Regularizer):
    """Lasso penalty: pulls every weight towards zero with one force, to zero exactly.

    penalty = l1 * sum(|w|), so its gradient is l1 * sign(w)

    Args:
        l1: strength, a finite number >= 0; None means 0.01.

    Call: w of any shape -> scalar.
    Raises: ValueError for a strength that is negative, infinite or no number.

    >>> float(L1(0.5)(keras.ops.array([1.0, -2.0])))
    1.5

    Paper: Tibshirani, "Regression shrinkage and selection via the lasso", 1996.
    https://doi.org/10.1111/j.2517-6161.1996.tb02080.x
    """

    def __init__(self, l1=0.01):
        self.l1 = _strength(0.01 if l1 is None else l1, "l1")

    def __call__(self, w):
        return self.l1 * ops.sum(ops.abs(w))

    def get_config(self):
        return {"l1": self.l1}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class L2(keras.regularizers.Regularizer):
    """Ridge penalty: pulls every weight towards zero in proportion to its size.

    penalty = l2 * sum(w^2), so its gradient is 2 * l2 * w

    Args:
        l2: strength, a finite number >= 0; None means 0.01.

    Call: w of any shape -> scalar.
    Raises: ValueError for a strength that is negative, infinite or no number.

    >>> float(L2(0.5)(keras.ops.array([1.0, 2.0])))
    2.5

    Paper: Hoerl and Kennard, "Ridge regression: biased estimation for nonorthogonal
    problems", 1970. https://doi.org/10.1080/00401706.1970.10488634
    """

    def __init__(self, l2=0.01):
        self.l2 = _strength(0.01 if l2 is None else l2, "l2")

    def __call__(self, w):
        return self.l2 * ops.sum(ops.square(w))

    def get_config(self):
        return {"l2": self.l2}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class L1L2(keras.regularizers.Regularizer):
    """Elastic net: the lasso's exact zeros, shared among weights that go together.

    penalty = l1 * sum(|w|) + l2 * sum(w^2)

    Args:
        l1, l2: strengths, finite numbers >= 0; None means 0.

    Call: w of any shape -> scalar.
    Raises: ValueError for a strength that is negative, infinite or no number.

    >>> float(L1L2(l1=0.5, l2=1.0)(keras.ops.array([1.0, -2.0])))
    6.5

    Paper: Zou and Hastie, "Regularization and variable selection via the elastic
    net", 2005. https://doi.org/10.1111/j.1467-9868.2005.00503.x
    """

    def __init__(self, l1=0.0, l2=0.0):
        self.l1 = _strength(0.0 if l1 is None else l1, "l1")
        self.l2 = _strength(0.0 if l2 is None else l2, "l2")

    def __call__(self, w):
        penalty = ops.zeros((), dtype=w.dtype)
        if self.l1:
            penalty = penalty + self.l1 * ops.sum(ops.abs(w))
        if self.l2:
            penalty = penalty + self.l2 * ops.sum(ops.square(w))
        return penalty

    def get_config(self):
        return {"l1": self.l1, "l2": self.l2}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class OrthogonalRegularizer(keras.regularizers.Regularizer):
    """Pushes the rows (or columns) of a matrix towards right angles to each other.

    penalty = factor * mean over pairs i < j of |cos(w_i, w_j)|
    cos(w_i, w_j) = <w_i, w_j> / (|w_i| * |w_j|)

    Args:
        factor: strength, a finite number >= 0.
        mode: "rows" or "columns", which are the vectors w_i.

    Call: w of shape (rows, columns) -> scalar.
    Raises: ValueError for a factor that is negative, infinite or no number, an
        unknown mode, or a w that is no matrix.
    Differs from Keras: a single vector, which has no pairs, costs 0 instead of nan,
        and so does a vector of zeros, whose gradient is 0 instead of nan.

    >>> float(OrthogonalRegularizer(0.5)(keras.ops.array([[1.0, 0.0], [2.0, 0.0]])))
    0.5

    Paper: Brock, Lim, Ritchie, Weston, "Neural photo editing with introspective
    adversarial networks", 2016. https://arxiv.org/abs/1609.07093
    """

    def __init__(self, factor=0.01, mode="rows"):
        if mode not in ("rows", "columns"):
            raise ValueError(
                'Invalid value for argument `mode`. Expected one of {"rows", '
                f'"columns"}}. Received: mode={mode}'
            )
        self.factor = _strength(factor, "factor")
        self.mode = mode

    def __call__(self, w):
        if len(w.shape) != 2:
            raise ValueError(
                "Inputs to OrthogonalRegularizer must have rank 2. Received: "
                f"inputs.shape={tuple(w.shape)}"
            )
        w = ops.convert_to_tensor(w)
        if self.mode == "columns":
            w = ops.transpose(w)
        square_norm = ops.sum(ops.square(w), axis=1, keepdims=True)
        w = w * ops.rsqrt(ops.maximum(square_norm, keras.config.epsilon() ** 2))
        cos = ops.matmul(w, ops.transpose(w))
        size = w.shape[0]
        off_diagonal = ops.abs(cos) * (1 - ops.eye(size, dtype=w.dtype))
        return self.factor * ops.sum(off_diagonal) / max(size * (size - 1), 1)

    def get_config(self):
        return {"factor": self.factor, "mode": self.mode}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ActivityRegularization(keras.layers.Layer):
    """Passes x on, and adds a penalty on its size to the loss: sparse activations.

    y = x
    loss = (l1 * sum(|x|) + l2 * sum(x^2)) / B, B the batch size

    Args:
        l1, l2: strengths, finite numbers >= 0.

    Input and output shape: any with the batch axis first, the same.
    Raises: ValueError for a strength that is negative, infinite or no number.

    >>> layer = ActivityRegularization(l1=0.5)
    >>> y = layer(keras.ops.array([[1.0, -2.0]]))
    >>> float(layer.losses[0])
    1.5

    Paper: Olshausen and Field, "Emergence of simple-cell receptive field properties
    by learning a sparse code for natural images", 1996. https://doi.org/10.1038/381607a0
    """

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(activity_regularizer=L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs):
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = super().get_config()
        config.pop("activity_regularizer", None)
        return {**config, "l1": self.l1, "l2": self.l2}
