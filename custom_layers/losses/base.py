"""What every loss shares: the base class and the checks of its two arguments.

A loss file that is copied into another project needs this one beside it.
"""

from typing import Any, NoReturn

import keras
from keras import ops

from ..common.private_keras import (
    logits_of,
    mask_of,
    reduce_losses,
    set_logits,
)
from ..common.types import Axes, Config, Shape


class _Loss(keras.losses.Loss):
    """Keras's loss, with a reduction for masks, integer labels and empty batches.

    If y_pred carries a mask, what is masked never counts, whatever it holds: not in the
    loss and not in a gradient. Integers in y_true stay integers; Keras makes numbers of
    `dtype` of them, and float32 merges labels above 2^24. A batch without samples costs
    0. A weight per sample (B,) weighs all values of a loss (B, T).
    """

    # Whether `call` takes the mask as its argument `mask` and leaves out padding by
    # itself. Any other loss must return one value for each place of the mask.
    uses_mask = False

    def __call__(self, y_true, y_pred, sample_weight=None):
        mask = mask_of(y_pred)
        if mask is not None:
            mask = ops.cast(mask, "bool")
            y_pred = _without_padding(y_pred, mask)
        with keras.name_scope(self.name):
            y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
            y_true = _exact(y_true, self.dtype)
            is_empty = tuple(y_pred.shape[:1]) == (0,)
            if is_empty and self.reduction is not None:
                return ops.sum(y_pred)  # the sum of nothing is 0

            losses, mask = self._losses(y_true, y_pred, mask)
            if sample_weight is not None:
                sample_weight = _per_value(sample_weight, losses)
            return reduce_losses(
                losses,
                sample_weight,
                mask,
                self.reduction,
                self.dtype,
            )

    def _losses(self, y_true, y_pred, mask):
        """(losses, mask of those that count, or None)."""
        if mask is None:
            losses = self.call(y_true, y_pred)
            return losses, mask_of(losses)
        if self.uses_mask:
            losses = self.call(y_true, y_pred, mask=mask)
            return losses, mask_of(losses)
        y_true = _with_a_value_per_step(y_true, y_pred, mask)
        y_true = _without_padding(y_true, mask)
        losses = self.call(y_true, y_pred)
        own_mask = mask_of(losses)
        mask = _per_value(mask, losses)
        if _differ(mask.shape, losses.shape):
            raise ValueError(
                f"{type(self).__name__} cannot leave out the padding: y_pred of shape "
                f"{tuple(y_pred.shape)} carries a mask of shape {tuple(mask.shape)}, "
                f"but the loss has the shape {tuple(losses.shape)}. Expected one value "
                "of the loss for each place of the mask. Take the mean over the last "
                "axis, or drop the mask before the loss."
            )
        losses = ops.where(mask, losses, ops.zeros_like(losses))
        if own_mask is not None:
            mask = ops.logical_and(mask, own_mask)
        return losses, mask

    def get_config(self) -> Config:
        config = super().get_config()
        if self.dtype != keras.config.floatx():
            config["dtype"] = self.dtype
        return config


def _exact(x, dtype: str):
    """x as a tensor of `dtype`; integers and booleans stay what they are."""
    x = ops.convert_to_tensor(x)
    own = keras.backend.standardize_dtype(x.dtype)
    return ops.cast(x, dtype) if keras.backend.is_float_dtype(own) else x


def _without_padding(x, mask):
    """x with 0 wherever its first axes are masked, also in the logits behind it."""
    x = ops.convert_to_tensor(x)
    rank = len(mask.shape)
    if _differ(x.shape[:rank], mask.shape):
        return x
    more_axes = (1,) * (len(x.shape) - rank)
    shape = (*ops.shape(mask), *more_axes)
    is_kept = ops.reshape(mask, shape)
    kept = ops.where(is_kept, x, ops.zeros_like(x))

    logits = logits_of(x)
    if logits is not None:
        nothing = ops.zeros_like(logits)
        logits = ops.where(is_kept, logits, nothing)
        set_logits(kept, logits)
    return kept


def _with_a_value_per_step(y_true, y_pred, mask):
    """y_true (B, T) as (B, T, 1) beside y_pred (B, T, 1) with a mask (B, T).

    Otherwise T would be the axis of the mean, and the mask could not apply.
    """
    steps = len(mask.shape)
    is_short = len(y_true.shape) == steps and len(y_pred.shape) == steps + 1
    if is_short and y_pred.shape[-1] == 1:
        return ops.expand_dims(y_true, -1)
    return y_true


def _per_value(x, losses):
    """x, a weight or a mask of the first axes, with one value for each of the losses.

    A weight (T,) beside losses (B, T) stays as it is.
    """
    x = ops.convert_to_tensor(x)
    rank = len(x.shape)
    missing = len(losses.shape) - rank
    if missing <= 0 or rank == 0:
        return x
    if _differ(x.shape, losses.shape[:rank]):
        return x
    x = ops.reshape(x, (*ops.shape(x), *(1,) * missing))
    # A copy, because on torch Keras writes into it, and the entries share their memory.
    return ops.copy(ops.broadcast_to(x, ops.shape(losses)))


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


def _integers(x, name: str):
    """x as a tensor of integers, in 64 bits if it has them: in fewer, labels merge."""
    x = ops.convert_to_tensor(x)
    own = keras.backend.standardize_dtype(x.dtype)
    return x if own in ("int32", "int64") else _tensor(x, name, "int32")


def _unit(x, axis: Axes):
    """x / |x|, and 0 where x is 0."""
    square = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(square, keras.config.epsilon() ** 2))
