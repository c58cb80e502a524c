"""What every loss shares: the base class and the checks of its two arguments.

A loss file that is copied into another project needs this one beside it.
"""

from typing import Any, NoReturn

import keras
from keras import ops

from ..common.types import Axes, Config, Shape


class _Loss(keras.losses.Loss):
    """Keras's base class, with a configuration that keeps a dtype of one's own."""

    def get_config(self) -> Config:
        config = super().get_config()
        if self.dtype != keras.config.floatx():
            config["dtype"] = self.dtype
        return config


def _tensor(x, name: str, dtype: str | None = None):
    """x as a tensor of `dtype`.

    Without a dtype, a float tensor keeps its own and any other becomes a float.
    """
    x = ops.convert_to_tensor(x)
    own = keras.backend.standardize_dtype(x.dtype)
    if "string" in own or "complex" in own:
        raise ValueError(
            f"Argument `{name}` must hold real numbers. Received: dtype={own}"
        )
    if dtype is None:
        is_float = keras.backend.is_float_dtype(own)
        dtype = own if is_float else keras.config.floatx()
    return ops.cast(x, dtype)


def _wide(x):
    """x in float32 at least: half precision can hold neither 1e-7 nor 1e5."""
    is_double = keras.backend.standardize_dtype(x.dtype) == "float64"
    return x if is_double else ops.cast(x, "float32")


def _with_rank_of(x, other):
    """x with the rank of `other`, if an axis of size 1 is all that differs.

    A last axis of size 1 is removed, and (B,) becomes (B, 1).
    """
    rank, wanted = len(x.shape), len(other.shape)
    if rank == wanted + 1 and x.shape[-1] == 1 and wanted != 1:
        return ops.squeeze(x, -1)
    if wanted == rank + 1 and other.shape[-1] == 1 and rank == 1:
        return ops.expand_dims(x, -1)
    return x


def _refuse_shapes(y_true, y_pred, expected: str) -> NoReturn:
    """Raises a ValueError that says which shapes were expected."""
    raise ValueError(
        f"Arguments `y_true` and `y_pred` {expected}. Received: "
        f"y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}"
    )


def _differ(shape: Shape, other: Any) -> bool:
    """Whether two shapes differ in rank, or in a size that both of them know."""
    return len(shape) != len(other) or any(
        a != b for a, b in zip(shape, other) if None not in (a, b)
    )


def _pair(y_true, y_pred):
    """Both as float tensors of one dtype and one shape, so that nothing broadcasts.

    Raises: ValueError where the shapes differ.
    """
    y_pred = _tensor(y_pred, "y_pred")
    y_true = _tensor(y_true, "y_true", y_pred.dtype)
    y_true, y_pred = _with_rank_of(y_true, y_pred), _with_rank_of(y_pred, y_true)
    if _differ(y_true.shape, y_pred.shape):
        _refuse_shapes(y_true, y_pred, "must have the same shape")
    return y_true, y_pred


def _unit(x, axis: Axes):
    """x / |x|, and 0 where x is 0."""
    square = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(square, keras.config.epsilon() ** 2))
