"""Influence of words: how much each word of a text speaks for a class."""

from collections.abc import Sequence

import keras
import numpy as np


def influence(
    model: keras.Model, ids: Sequence[int] | np.ndarray, label: int, unknown: int
) -> np.ndarray:
    """Influence of each word of a text: what erasing the word does to an answer.

    influence[t] = log-odds(label | text) - log-odds(label | text with t unknown)
    log-odds(label) = log(p[label] / (1 - p[label]))

    Args:
        model: a model that takes word ids (B, T) and returns logits (B, classes).
        ids: the ids of the words of one text, (T,), without padding.
        label: one of the classes.
        unknown: the id that stands for a word outside the vocabulary.

    Returns: array (T,), above 0 for a word that speaks for the label.
    Raises: ValueError for ids that are not one text.

    >>> scores = keras.initializers.Constant([[0.0, 0.0], [0.0, 0.0], [0.0, 4.0]])
    >>> words = keras.layers.Embedding(3, 2, scores)
    >>> model = keras.Sequential([words, keras.layers.GlobalAveragePooling1D()])
    >>> influence(model, [2, 1], label=1, unknown=1).round(4).tolist()
    [2.0, 0.0]

    Paper: Li, Monroe, Jurafsky, "Understanding neural networks through representation
    erasure", 2016. https://arxiv.org/abs/1612.08220
    """
    ids = np.asarray(ids)
    if ids.ndim != 1:
        raise ValueError(
            f"`ids` must be the words of one text, (T,). Received: shape={ids.shape}"
        )
    is_erased = np.eye(len(ids), dtype=bool)
    erased = np.where(is_erased, unknown, ids)  # T, T: row t lacks word t
    texts = np.vstack([ids, erased])
    logits = model.predict(texts, batch_size=64, verbose=0)
    odds = _log_odds(logits, label)
    return odds[0] - odds[1:]


def _log_odds(logits: np.ndarray, label: int) -> np.ndarray:
    """log(p[label] / (1 - p[label])), where 1 - p[label] is summed over the others."""
    log_p = _log_softmax(logits)
    p = np.exp(np.delete(log_p, label, axis=1))
    others = p.sum(axis=1)
    smallest = 1e-300  # others may be rounded to 0, which has no logarithm
    return log_p[:, label] - np.log(others + smallest)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    largest = logits.max(-1, keepdims=True)
    z = logits.astype("float64") - largest
    total = np.exp(z).sum(-1, keepdims=True)
    return z - np.log(total)
