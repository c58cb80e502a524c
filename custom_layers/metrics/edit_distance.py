"""Edit distance: how many labels of a sequence are wrong, missing or too many."""

import keras
from keras import ops

from ..generation.ctc_decoding import ctc_decode
from ..losses.ctc import _check_rank, _without_gaps

_MANY = 2**30  # labels, more than there ever are


def edit_distance(y_true, y_pred):
    """How many labels have to be inserted, left out or replaced to make one the other.

    d[i, j] = min(d[i-1, j-1] + (y[i] != p[j]), d[i-1, j] + 1, d[i, j-1] + 1)
    for the first i labels of y and the first j of p, with d[i, 0] = i, d[0, j] = j.

    Args:
        y_true: labels (B, N); numbers below 1 are padding.
        y_pred: labels (B, M), likewise.

    Returns: (B,), int32.
    Raises: ValueError for other ranks.

    >>> y_true = [[3, 1, 4, 1, 5], [2, 7, 0, 0, 0]]
    >>> y_pred = [[3, 4, 1, 5, 5], [2, 7, -1, -1, -1]]
    >>> edit_distance(y_true, y_pred).numpy().tolist()  # a 1 is missing, a 5 too many
    [2, 0]

    Paper: Wagner, Fischer, "The string-to-string correction problem", 1974.
    https://doi.org/10.1145/321796.321811
    """
    y, N = _labels(y_true, "y_true")
    p, M = _labels(y_pred, "y_pred")
    N = ops.expand_dims(N, 1)
    M = ops.expand_dims(M, 1)

    longest = p.shape[1]
    place = ops.arange(longest + 1)
    is_before = place <= ops.expand_dims(place, 1)
    start = ops.zeros_like(M) + place  # B, longest + 1

    def row(d, now):
        y, is_label = now
        y = ops.expand_dims(y, 1)
        is_label = ops.expand_dims(is_label, 1)

        is_wrong = ops.not_equal(p, y)
        replaced = d[:, :-1] + ops.cast(is_wrong, "int32")
        missing = d[:, 1:] + 1
        best = ops.minimum(replaced, missing)
        first = d[:, :1] + 1
        best = ops.concatenate([first, best], axis=1)

        # d[i, j] = min over k <= j of best[k] + (j - k), for j - k labels too many
        ahead = ops.expand_dims(best - place, 1)
        ahead = ops.where(is_before, ahead, _MANY)
        best = ops.min(ahead, axis=-1) + place

        d = ops.where(is_label, best, d)
        return d, d

    places = ops.arange(y.shape[1])
    is_label = places < N
    each = (
        ops.transpose(y),
        ops.transpose(is_label),
    )
    d, _ = ops.scan(row, start, each)

    distance = ops.take_along_axis(d, M, axis=1)
    return ops.squeeze(distance, 1)


def _labels(labels, name: str):
    """(the labels without gaps, how many there are)."""
    labels = ops.convert_to_tensor(labels)
    labels = ops.cast(labels, "int32")
    _check_rank(labels, name, "(B, N)")

    is_label = labels > 0
    labels = ops.where(is_label, labels, -1)
    return _without_gaps(labels, None)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def label_error_rate(y_true, y_pred):
    """Label error rate of a network trained with CTC, decoded greedily.

    rate = edit_distance(y, ctc_decode(y_pred)) / number of labels in y

    For speech it is called word error rate or phone error rate. It may exceed 1.

    Args:
        y_true: labels (B, N), with 0 or negative numbers as padding.
        y_pred: logits (B, T, C), whose class 0 is the blank.

    Returns: (B,).
    Raises: ValueError for other ranks.

    >>> frames = [[0, 1, 1, 0, 2], [0, 3, 0, 0, 0]]
    >>> logits = 9.0 * keras.ops.one_hot(frames, 4)
    >>> label_error_rate([[1, 2], [1, 2]], logits).numpy().tolist()
    [0.0, 1.0]

    Paper: Graves, Fernandez, Gomez and Schmidhuber, "Connectionist temporal
    classification", 2006. https://doi.org/10.1145/1143844.1143891
    """
    z = ops.convert_to_tensor(y_pred)
    T = z.shape[1]
    first = z[:, 0, 0]
    length = ops.full_like(first, T)
    decoded, _ = ctc_decode(z, length)

    wrong = edit_distance(y_true, decoded[0])
    wrong = ops.cast(wrong, "float32")

    _, count = _labels(y_true, "y_true")
    count = ops.maximum(count, 1)
    return wrong / ops.cast(count, "float32")
