"""Metrics of sequences: what counts is what is there, never the padding, number 0."""

import keras
from keras import ops


def _is_right(y_true, y_pred):
    return ops.equal(ops.cast(ops.argmax(y_pred, -1), y_true.dtype), y_true)


@keras.saving.register_keras_serializable(package="keras_cookbook")
def token_accuracy(y_true, y_pred):
    """Share of the tokens that are guessed, given all those before."""
    there = ops.cast(ops.not_equal(y_true, 0), "float32")
    is_right = ops.cast(_is_right(y_true, y_pred), "float32")
    share = ops.sum(is_right * there) / ops.maximum(ops.sum(there), 1)
    return ops.ones_like(there[:, 0]) * share


@keras.saving.register_keras_serializable(package="keras_cookbook")
def whole_answers(y_true, y_pred):
    """Share of the rows without a wrong token, of (B,) rows.

    Given all tokens before, each is guessed right: so a greedy search finds them, too.
    """
    is_right = ops.logical_or(_is_right(y_true, y_pred), ops.equal(y_true, 0))
    return ops.all(is_right, axis=-1)
