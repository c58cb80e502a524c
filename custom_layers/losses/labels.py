"""Which samples of a batch belong together: what the metric-learning losses share."""

from keras import ops

from .base import _integers, _refuse_shapes


def _is_same(y_true, y_pred, other=None):
    """(B, K): whether the label of a row equals the label of a column.

    The rows are those of `y_true`; the columns those of `other`, or of `y_true` too.
    Labels are compared as integers: as float32, those above 2^24 would merge.
    Raises: ValueError unless y_true is (B,) or (B, 1) and y_pred is (B, D).
    """
    labels = _integers(y_true, "y_true")
    rank = len(labels.shape)
    is_flat = rank == 1
    is_column = rank == 2 and labels.shape[1] == 1
    if len(y_pred.shape) != 2 or not (is_flat or is_column):
        expected = "must have the shapes (B,) and (B, D)"
        _refuse_shapes(labels, y_pred, expected)
    columns = labels
    if other is not None:
        columns = ops.cast(_integers(other, "ref_labels"), labels.dtype)
    rows = ops.reshape(labels, (-1, 1))
    columns = ops.reshape(columns, (1, -1))
    return ops.equal(rows, columns)


def _classes_of_pairs(y_true, y_pred, mask=None):
    """(is_same, is_other), each (B, B): whether two samples have one class, or two.

    A pair with a masked sample is neither, so that padding is never an example.
    """
    is_same = _is_same(y_true, y_pred)
    is_other = ops.logical_not(is_same)
    if mask is None:
        return is_same, is_other
    mask = _of_samples(mask, y_pred)
    is_pair = ops.logical_and(ops.expand_dims(mask, 1), ops.expand_dims(mask, 0))
    return ops.logical_and(is_same, is_pair), ops.logical_and(is_other, is_pair)


def _of_samples(mask, y_pred):
    """The mask, if it has one value for each sample of y_pred (B, D)."""
    if len(mask.shape) != 1:
        raise ValueError(
            "This loss compares samples: expected a mask of shape (B,) with y_pred of "
            f"shape (B, D). Received: mask.shape={tuple(mask.shape)}, "
            f"y_pred.shape={tuple(y_pred.shape)}"
        )
    return mask


def _off_diagonal(is_same):
    """is_same, but no sample is the same as itself."""
    rows, columns = ops.shape(is_same)
    diagonal = ops.eye(rows, columns, dtype=bool)
    is_pair = ops.logical_not(diagonal)
    return ops.logical_and(is_same, is_pair)


def _shares_of_anchors(cost, is_pair, mask=None):
    """(B,): the cost (B, B) of each row's pairs, scaled to a mean over all pairs.

    Its mean over the samples, of which masked ones are none, is the mean of the pairs.
    """
    total = ops.sum(ops.where(is_pair, cost, ops.zeros_like(cost)), axis=1)
    pairs = ops.sum(ops.cast(is_pair, cost.dtype))
    samples = ops.cast(ops.shape(cost)[0], cost.dtype)
    if mask is not None:
        samples = ops.sum(ops.cast(mask, cost.dtype))
    return ops.divide_no_nan(total * samples, pairs)
