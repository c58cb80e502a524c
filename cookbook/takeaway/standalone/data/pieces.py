"""Texts as word pieces, and their vectors by a frozen encoder, for a script."""

from typing import Any

import keras
import numpy as np

from cookbook.data.text.reviews import (
    VALIDATION_SHARE,
    Reviews,
    _by_length,
    generated_reviews,
)
from cookbook.data.text.words import cut_and_pad
from cookbook.sentences.vectors import BATCH
from cookbook.takeaway.standalone.data.batches import Batches
from cookbook.takeaway.standalone.data.sources import choose, hold_out
from cookbook.takeaway.standalone.data.texts import _labelled_texts


def load_review_pieces(
    name: str,
    default: str,
    vocabulary: Any,
    length: int,
    quick: bool = False,
) -> Reviews:
    """The text set `name` as ids of pieces, of which `length` are read of a text."""
    name, asked = choose(name, default, "generated_reviews", quick)
    (texts, y), (test_texts, y_test), classes = (
        generated_reviews() if name == "generated_reviews" else _labelled_texts(name)
    )
    rest, held_out = hold_out(len(texts), VALIDATION_SHARE, 0)
    rows = [vocabulary.ids(vocabulary.split(text)) for text in [*texts, *test_texts]]
    x = cut_and_pad(rows, length)
    x, x_test = x[: len(texts)], x[len(texts) :]
    held_out = held_out[_by_length(x[held_out])]
    order = _by_length(x_test)

    return Reviews(
        name=name,
        asked=asked,
        train=(x[rest], y[rest]),
        validation=(x[held_out], y[held_out]),
        test=(x_test[order], y_test[order]),
        classes=classes,
        vocabulary=vocabulary,
        test_texts=[test_texts[i] for i in order],
    )


def _kept_vectors(
    encoder: keras.Model, x: np.ndarray, name: str, config: Any
) -> np.ndarray:
    """float32 (N, D): the vectors of the texts x, int32 (N, T)."""
    lengths = (x != 0).sum(1)
    order = np.argsort(lengths, kind="stable")  # few lengths, each compiled once
    vectors = encoder.predict(Batches(x[order], lengths, BATCH), verbose=0)
    vectors[order] = vectors.copy()

    return vectors
