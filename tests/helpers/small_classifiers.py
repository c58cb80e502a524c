"""Classifiers with weights set by hand, whose answers a test can foretell."""

import keras
import numpy as np

from custom_layers.layers import (
    Conv2D,
    Dense,
    Embedding,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
)

WORDS = ["good", "bad", "film"]


def text_model():
    """Counts good words (class 1) against bad ones (class 0)."""
    ids = keras.Input((None,), dtype="int32")
    is_word = keras.ops.not_equal(ids, 0)
    mean = GlobalAveragePooling1D()(Embedding(5, 2)(ids), mask=is_word)
    model = keras.Model(ids, mean)
    model.set_weights([np.array([[0, 0], [0, 0], [-1, 1], [1, -1], [0, 0]]) * 9.0])
    return model


def image_model():
    """Bright images are of class 1."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            Conv2D(2, 3, activation="relu", kernel_initializer="ones"),
            GlobalAveragePooling2D(),
            Dense(2),
        ]
    )
    model.layers[-1].set_weights([np.array([[0, 0.01]] * 2), np.array([0, -1])])
    return model
