"""Score of spans, such as the names in a text, which tags begin and continue."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from ..common.private_keras import mask_of
from ..common.types import Config, DType
from ..layers.crf import _is_tagged, viterbi
from ..losses.base import _differ, _integers, _refuse_shapes

BEGIN, INSIDE = "B-", "I-"


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SpanF1(keras.metrics.Metric):
    """F1 score of spans: a span counts if its two ends and its type are all right.

    F1 = 2 * right / (true + predicted)

    true, predicted: the number of spans in y_true and in y_pred
    right: the number of spans in both, with the same first step, last step and type

    A span begins at B-x, and at an I-x that does not follow a B-x or I-x. It goes on
    over each I-x. Any other tag, such as O, stands outside of all spans. This is the
    measure of the shared task CoNLL-2003.

    Args:
        tags: the name of each tag, as in ["O", "B-person", "I-person"].
        name: name of the metric.
        dtype: dtype of the counts; None means Keras's default.

    Call arguments of `update_state`: y_true, integer tags (B, T), where a number that
        is no tag stands outside; y_pred, either integer tags (B, T), scores (B, T, N),
        or the potentials (B, T, N, N) of a `CRF`, whose best tagging counts;
        sample_weight (B,), the weight of the spans of each sequence. Steps that the
        mask of y_pred hides stand outside.
    Result: scalar from 0 to 1, over all batches; 0 before the first update.
    Raises: ValueError if no tag begins with B- or I-, and for shapes that do not fit.
    Differs from Keras: Keras has no such metric.

    >>> metric = SpanF1(["O", "B-person", "I-person"])
    >>> metric.update_state([[1, 2, 0, 1]], [[1, 2, 0, 0]])  # finds one of two
    >>> round(float(metric.result()), 4)
    0.6667
    >>> metric.reset_state()
    >>> metric.update_state([[1, 2, 0, 1]], [[1, 0, 0, 1]])  # and loses an end
    >>> float(metric.result())
    0.5

    Paper: Tjong Kim Sang and De Meulder, "Introduction to the CoNLL-2003 shared task:
    language-independent named entity recognition", 2003.
    https://aclanthology.org/W03-0419
    """

    def __init__(
        self, tags: Sequence[str], name: str = "span_f1", dtype: DType = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.tags = [str(tag) for tag in tags]
        known: list[str] = []  # types of spans
        numbers = []
        for tag in self.tags:
            is_inside = tag.startswith((BEGIN, INSIDE))
            kind = tag[2:]
            if is_inside and kind not in known:
                known.append(kind)
            number = 1 + known.index(kind) if is_inside else 0
            numbers.append(number)
        if not known:
            raise ValueError(
                f"`tags` must hold a name that begins with B- or I-. Received: {tags}"
            )
        begins = [tag.startswith(BEGIN) for tag in self.tags]
        self._kinds = np.array(numbers, "int32")  # N: the type of a span; 0 is outside
        self._begins = np.array(begins)  # N
        self.right = self.add_variable(
            shape=(),
            initializer="zeros",
            name="right",
        )
        self.true = self.add_variable(
            shape=(),
            initializer="zeros",
            name="true",
        )
        self.predicted = self.add_variable(
            shape=(),
            initializer="zeros",
            name="predicted",
        )

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        y = _integers(y_true, "y_true")
        y = ops.cast(y, "int32")
        found, mask = self._found(y_pred)
        if _differ(y.shape, found.shape):
            expected = "must have the shape (B, T), apart from the axes of the tags"
            _refuse_shapes(y, ops.convert_to_tensor(y_pred), expected)

        y_kind, y_first, y_last, y_start = self._spans(y, mask)
        kind, first, last, start = self._spans(found, mask)
        is_same_kind = ops.equal(y_kind, kind)
        is_same_start = ops.equal(y_start, start)
        is_right = _all_of(y_last, last, is_same_kind, is_same_start)

        totals = self.right, self.true, self.predicted
        for total, is_counted in zip(totals, (is_right, y_first, first)):
            counted = ops.cast(is_counted, self.dtype)
            spans = ops.sum(counted, axis=1)  # B
            if sample_weight is not None:
                spans = spans * ops.cast(sample_weight, self.dtype)
            total.assign_add(ops.sum(spans))

    def _found(self, y_pred):
        """(tags (B, T), mask (B, T) or None) of tags, scores or potentials."""
        mask = mask_of(y_pred)
        y_pred = ops.convert_to_tensor(y_pred)
        rank = len(y_pred.shape)
        if rank == 2:
            return ops.cast(y_pred, "int32"), mask
        if rank == 3:
            best = ops.argmax(y_pred, axis=-1)
            return ops.cast(best, "int32"), mask
        if rank == 4:
            return viterbi(y_pred), _is_tagged(y_pred)
        raise ValueError(
            "SpanF1 expects y_pred of the shape (B, T), (B, T, N) or (B, T, N, N). "
            f"Received: y_pred.shape={tuple(y_pred.shape)}"
        )

    def _spans(self, y, mask):
        """(kind, is_first, is_last, start), each (B, T), of the steps of tags.

        kind: the type of the span that a step belongs to, or 0.
        is_first, is_last: whether the step is the first or the last one of a span.
        start: the last step, up to this one, that was the first of a span, or -1.
        """
        is_tag = _all_of(y >= 0, y < len(self.tags))
        if mask is not None:
            is_tag = _all_of(is_tag, ops.cast(mask, "bool"))
        y = ops.where(is_tag, y, 0)
        kind = ops.take(self._kinds, y, axis=0)
        kind = ops.where(is_tag, kind, 0)
        begins = ops.take(self._begins, y, axis=0)
        is_inside = kind > 0

        # A change of the type ends a span and begins another one; so does a B-x.
        changes = ops.not_equal(kind[:, 1:], kind[:, :-1])
        border = ops.logical_or(changes, begins[:, 1:])  # before steps 1, 2, ...
        edge = ops.ones_like(is_inside[:, :1])
        is_new = ops.concatenate([edge, border], axis=1)
        is_over = ops.concatenate([border, edge], axis=1)
        is_first = _all_of(is_inside, is_new)
        is_last = _all_of(is_inside, is_over)

        steps = ops.arange(ops.shape(y)[1])
        is_past = steps[:, None] >= steps[None, :]  # T T
        is_start = _all_of(is_first[:, None, :], is_past)  # B T T
        starts = ops.where(is_start, steps, -1)
        return kind, is_first, is_last, ops.max(starts, axis=-1)

    def result(self):
        return ops.divide_no_nan(2 * self.right, self.true + self.predicted)

    def get_config(self) -> Config:
        return {
            "tags": self.tags,
            "name": self.name,
            "dtype": self.dtype,
        }


def _all_of(first, *others):
    """Where all of these booleans are True."""
    for other in others:
        first = ops.logical_and(first, other)
    return first
