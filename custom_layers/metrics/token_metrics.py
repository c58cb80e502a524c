"""Metrics of sequence models, in which padding does not count.

Padding is token 0, any negative number, and whatever the mask of y_pred hides.
"""

import keras
from keras import ops

from ..common.private_keras import mask_of


def _is_token(y_true, mask):
    """(B, T): whether a place holds a token, not padding."""
    is_token = y_true > 0
    if mask is None:
        return is_token
    return ops.logical_and(is_token, mask)


def _is_right(y_true, y_pred):
    """(B, T): whether the token with the highest score is the true one."""
    best = ops.argmax(y_pred, axis=-1)
    best = ops.cast(best, y_true.dtype)
    return ops.equal(best, y_true)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def token_accuracy(y_true, y_pred):
    """Share of the tokens that a sequence model predicts from the tokens before them.

    accuracy = number of (y > 0 and argmax(y_pred) == y) / number of (y > 0)

    Args:
        y_true: integer tokens (B, T), padded with 0.
        y_pred: scores or probabilities (B, T, V).

    Returns: (B,), the accuracy over the whole batch, once per sequence; if y_pred
        carries a mask (B, T), once per place of the mask, because Keras then weighs
        the places. Keras averages it over batches.

    >>> y_true = keras.ops.array([[1, 2, 0]])
    >>> y_pred = keras.ops.one_hot([[1, 1, 1]], 3)  # right, wrong, padding
    >>> [float(share) for share in token_accuracy(y_true, y_pred)]
    [0.5]
    """
    y_true = ops.convert_to_tensor(y_true)
    mask = mask_of(y_pred)
    is_token = ops.cast(_is_token(y_true, mask), "float32")
    is_right = ops.cast(_is_right(y_true, y_pred), "float32")
    right = ops.sum(is_right * is_token)
    tokens = ops.maximum(ops.sum(is_token), 1)
    share = right / tokens
    places = is_token
    if mask is None:
        places = is_token[:, 0]
    once = ops.ones_like(places)
    return once * share


@keras.saving.register_keras_serializable(package="keras_cookbook")
def whole_answers(y_true, y_pred):
    """Share of the sequences in which a sequence model predicts every token.

    is_whole = all over t of (argmax(y_pred[t]) == y[t] or y[t] <= 0)

    Each token is predicted from the true tokens before it. If all of them are right, a
    greedy search, which feeds back its own answers, finds the same sequence.

    Args:
        y_true: integer tokens (B, T), padded with 0.
        y_pred: scores or probabilities (B, T, V).

    Returns: (B,) of booleans, whose mean is the share. If y_pred carries a mask (B, T),
        then (B, T) of numbers, whose mean over the places of the mask is the share of
        the sequences that are not masked as a whole.

    >>> y_true = keras.ops.array([[1, 2], [1, 0]])
    >>> y_pred = keras.ops.one_hot([[1, 1], [1, 1]], 3)
    >>> [bool(whole) for whole in whole_answers(y_true, y_pred)]
    [False, True]
    """
    y_true = ops.convert_to_tensor(y_true)
    mask = mask_of(y_pred)
    is_padding = ops.logical_not(_is_token(y_true, mask))
    is_right = ops.logical_or(_is_right(y_true, y_pred), is_padding)
    is_whole = ops.all(is_right, axis=-1)
    return is_whole if mask is None else _spread(is_whole, mask)


def _spread(values, mask):
    """Values (B,) as (B, T), whose mean over the mask's places is that of values."""
    mask = ops.cast(mask, "float32")
    lengths = ops.sum(mask, axis=1)
    is_row = ops.cast(lengths > 0, "float32")
    rows = ops.sum(is_row)
    mean_length = ops.divide_no_nan(ops.sum(lengths), rows)
    share = ops.divide_no_nan(mean_length, lengths)
    values = ops.cast(values, "float32")
    values = ops.expand_dims(values * share, 1)
    return values * ops.ones_like(mask)
