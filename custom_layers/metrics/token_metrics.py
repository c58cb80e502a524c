"""Metrics of sequence models, in which padding (token 0) does not count."""

import keras
from keras import ops


def _is_right(y_true, y_pred):
    """(B, T): whether the token with the highest score is the true one."""
    best = ops.argmax(y_pred, axis=-1)
    best = ops.cast(best, y_true.dtype)
    return ops.equal(best, y_true)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def token_accuracy(y_true, y_pred):
    """Share of the tokens that a sequence model predicts from the tokens before them.

    accuracy = number of (y != 0 and argmax(y_pred) == y) / number of (y != 0)

    Args:
        y_true: integer tokens (B, T), padded with 0.
        y_pred: scores or probabilities (B, T, V).

    Returns: (B,), the accuracy over the whole batch, once per sequence. Keras averages
        it over batches.

    >>> y_true = keras.ops.array([[1, 2, 0]])
    >>> y_pred = keras.ops.one_hot([[1, 1, 1]], 3)  # right, wrong, padding
    >>> [float(share) for share in token_accuracy(y_true, y_pred)]
    [0.5]
    """
    y_true = ops.convert_to_tensor(y_true)
    is_token = ops.cast(ops.not_equal(y_true, 0), "float32")
    is_right = ops.cast(_is_right(y_true, y_pred), "float32")
    right = ops.sum(is_right * is_token)
    tokens = ops.maximum(ops.sum(is_token), 1)
    share = right / tokens
    once_per_sequence = ops.ones_like(is_token[:, 0])
    return once_per_sequence * share


@keras.saving.register_keras_serializable(package="keras_cookbook")
def whole_answers(y_true, y_pred):
    """Share of the sequences in which a sequence model predicts every token.

    is_whole = all over t of (argmax(y_pred[t]) == y[t] or y[t] == 0)

    Each token is predicted from the true tokens before it. If all of them are right, a
    greedy search, which feeds back its own answers, finds the same sequence.

    Args:
        y_true: integer tokens (B, T), padded with 0.
        y_pred: scores or probabilities (B, T, V).

    Returns: (B,) of booleans, whose mean is the share.

    >>> y_true = keras.ops.array([[1, 2], [1, 0]])
    >>> y_pred = keras.ops.one_hot([[1, 1], [1, 1]], 3)
    >>> [bool(whole) for whole in whole_answers(y_true, y_pred)]
    [False, True]
    """
    y_true = ops.convert_to_tensor(y_true)
    is_padding = ops.equal(y_true, 0)
    is_right = ops.logical_or(_is_right(y_true, y_pred), is_padding)
    return ops.all(is_right, axis=-1)
