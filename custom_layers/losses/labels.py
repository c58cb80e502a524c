"""Which samples of a batch belong together: what the metric-learning losses share."""

from keras import ops

from .base import _refuse_shapes, _tensor


def _is_same(y_true, y_pred, other=None):
    """(B, K): whether the label of a row equals the label of a column.

    The rows are those of `y_true`; the columns those of `other`, or of `y_true` too.
    Raises: ValueError unless y_true is (B,) or (B, 1) and y_pred is (B, D).
    """
    labels = _tensor(y_true, "y_true", "int32")
    rank = len(labels.shape)
    is_flat = rank == 1
    is_column = rank == 2 and labels.shape[1] == 1
    if len(y_pred.shape) != 2 or not (is_flat or is_column):
        expected = "must have the shapes (B,) and (B, D)"
        _refuse_shapes(labels, y_pred, expected)
    columns = labels
    if other is not None:
        columns = _tensor(other, "ref_labels", "int32")
    rows = ops.reshape(labels, (-1, 1))
    columns = ops.reshape(columns, (1, -1))
    return ops.equal(rows, columns)


def _off_diagonal(is_same):
    """is_same, but no sample is the same as itself."""
    rows, columns = ops.shape(is_same)
    diagonal = ops.eye(rows, columns, dtype=bool)
    is_pair = ops.logical_not(diagonal)
    return ops.logical_and(is_same, is_pair)
