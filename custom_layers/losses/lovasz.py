"""Lovász losses: the intersection over union of a segmentation, made smooth."""

import keras
from keras import ops

from ..common.checks import one_of, python_number
from ..common.private_keras import set_mask
from ..common.types import Config, DType
from .base import _integers, _Loss, _pair, _refuse_shapes, _tensor, _wide


def _jaccard_of_errors(errors, truth):
    """(N,): sum of the sorted errors of each row, weighed by what they cost in IoU.

    errors and truth are (N, P). With the errors sorted, largest first,
        cost[k] = 1 - IoU if the first k places were wrong
        loss = sum over k of errors[k] * (cost[k] - cost[k - 1])
    """
    order = ops.argsort(-errors, axis=1)
    errors = ops.take_along_axis(errors, order, axis=1)
    truth = ops.take_along_axis(truth, order, axis=1)
    size = ops.sum(truth, axis=1, keepdims=True)
    both = size - ops.cumsum(truth, axis=1)
    either = size + ops.cumsum(1 - truth, axis=1)
    either = ops.maximum(either, 1)
    cost = 1 - both / either
    before = ops.pad(cost, [[0, 0], [1, 0]])
    before = before[:, :-1]
    weighted = errors * (cost - before)
    return ops.sum(weighted, axis=1)


class _Lovasz(_Loss):
    """What both losses share: rows of places, one for each sample or one for all."""

    uses_mask = True

    def __init__(
        self, per_sample: bool, reduction: str | None, name: str, dtype: DType
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.per_sample = python_number(per_sample)

    def rows(self, x, *last):
        """x as (N, P, *last), with a row for each sample, or with one row."""
        N = 1
        if self.per_sample:
            N = ops.shape(x)[0]
        return ops.reshape(x, (N, -1, *last))

    def kept(self, mask, shape):
        """The mask as (N, P), for places of that shape."""
        missing = len(shape) - len(mask.shape)
        more = (1,) * missing
        mask = ops.reshape(mask, (*ops.shape(mask), *more))
        mask = ops.broadcast_to(mask, shape)
        return self.rows(mask)

    def finished(self, loss, is_kept):
        """The loss (N,); a scalar if the whole batch is one row."""
        counts = None if is_kept is None else ops.any(is_kept, axis=1)
        if not self.per_sample:
            return ops.cast(loss[0], self.dtype)
        loss = ops.cast(loss, self.dtype)
        set_mask(loss, counts)
        return loss

    def get_config(self) -> Config:
        return {**super().get_config(), "per_sample": self.per_sample}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LovaszHinge(_Lovasz):
    """Lovász hinge, the loss of a segmentation into object and background.

    loss = sum over places k of max(0, m[k]) * (cost[k] - cost[k - 1])
    m = 1 - (2 * y_true - 1) * y_pred, sorted, largest first
    cost[k] = 1 - IoU if the first k places were wrong and the others right

    Args:
        per_sample: whether each sample has a loss of its own; otherwise the whole batch
            is taken for one large picture.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true of 0 and 1 and y_pred, logits, (B, ...) -> scalar, or (B,) with
        reduction None and per_sample. Masked places are left out.
    Raises: ValueError where the shapes differ.
    Differs from Keras: Keras has no such loss.

    >>> round(float(LovaszHinge()([[1, 0, 0]], [[2.0, 0.5, -2.0]])), 4)  # 1.5 * (1 / 2)
    0.75

    Paper: Berman, Triki and Blaschko, "The Lovász-softmax loss: a tractable surrogate
    for the optimization of the intersection-over-union measure in neural networks",
    2017. https://arxiv.org/abs/1705.08790
    """

    def __init__(
        self,
        per_sample: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "lovasz_hinge",
        dtype: DType = None,
    ) -> None:
        super().__init__(per_sample, reduction, name, dtype)

    def call(self, y_true, y_pred, mask=None):
        y_true, y_pred = _pair(y_true, y_pred)
        shape = ops.shape(y_pred)
        y_true = self.rows(_wide(y_true))
        y_pred = self.rows(_wide(y_pred))
        sign = 2 * y_true - 1
        errors = ops.relu(1 - sign * y_pred)
        is_kept = None
        if mask is not None:
            is_kept = self.kept(mask, shape)
            nothing = ops.zeros_like(errors)
            errors = ops.where(is_kept, errors, nothing)
            y_true = ops.where(is_kept, y_true, nothing)
        loss = _jaccard_of_errors(errors, y_true)
        return self.finished(loss, is_kept)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LovaszSoftmax(_Lovasz):
    """Lovász-softmax, the loss of a segmentation into many classes.

    loss = mean over classes c of sum over places k of m[k] * (cost[k] - cost[k - 1])
    m = 1 - y_pred[c] where the truth is c, y_pred[c] elsewhere; sorted, largest first
    cost[k] = 1 - IoU of class c if the first k places were wrong and the others right

    Args:
        classes: "present" for a mean over the classes that the truth contains, or
            "all".
        per_sample: whether each sample has a loss of its own; otherwise the whole batch
            is taken for one large picture.
        reduction, name, dtype: as in `Contrastive`.

    Shapes: y_true (B, ...) or (B, ..., 1) of integer labels, y_pred, probabilities,
        (B, ..., C) -> scalar, or (B,) with reduction None and per_sample. Masked places
        are left out.
    Raises: ValueError for other shapes and for unknown `classes`.
    Differs from Keras: Keras has no such loss.

    >>> p = [[[0.5, 0.5], [0.0, 1.0]]]
    >>> round(float(LovaszSoftmax()([[0, 1]], p)), 4)  # 0.5 and 0.5 * 1 / 2
    0.375

    Paper: as of `LovaszHinge`, https://arxiv.org/abs/1705.08790
    """

    def __init__(
        self,
        classes: str = "present",
        per_sample: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str = "lovasz_softmax",
        dtype: DType = None,
    ) -> None:
        super().__init__(per_sample, reduction, name, dtype)
        self.classes = one_of(classes, ("present", "all"), "classes")

    def call(self, y_true, y_pred, mask=None):
        p = _tensor(y_pred, "y_pred")
        p = _wide(p)
        y = _integers(y_true, "y_true")
        if len(y.shape) == len(p.shape) and y.shape[-1] == 1:
            y = ops.squeeze(y, -1)
        if len(y.shape) != len(p.shape) - 1:
            _refuse_shapes(y, p, "must have the shapes (B, ...) and (B, ..., C)")
        C = p.shape[-1]
        is_kept = None
        if mask is not None:
            is_kept = self.kept(mask, ops.shape(y))
        truth = ops.one_hot(self.rows(y), C, dtype=p.dtype)  # N, P, C
        errors = ops.abs(truth - self.rows(p, C))
        if is_kept is not None:
            is_place = ops.expand_dims(is_kept, -1)
            nothing = ops.zeros_like(errors)
            errors = ops.where(is_place, errors, nothing)
            truth = ops.where(is_place, truth, nothing)

        of_class = [
            _jaccard_of_errors(m, y)
            for m, y in zip(
                ops.unstack(errors, C, axis=-1),
                ops.unstack(truth, C, axis=-1),
            )
        ]
        losses = ops.stack(of_class, axis=-1)  # N, C
        counts = ops.ones_like(losses)
        if self.classes == "present":
            is_present = ops.any(truth > 0, axis=1)
            counts = ops.cast(is_present, losses.dtype)
        total = ops.sum(losses * counts, axis=-1)
        classes = ops.sum(counts, axis=-1)
        loss = ops.divide_no_nan(total, classes)
        return self.finished(loss, is_kept)

    def get_config(self) -> Config:
        return {**super().get_config(), "classes": self.classes}
