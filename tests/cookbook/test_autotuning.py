"""Automatic tuning of tf.data: no iterator waits for it, until that is undone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cookbook.training.autotuning import switch_off_autotuning


def tune(iterator):
    """Asks for the model by which tf.data tunes an iterator."""
    next(iterator)
    return tf.data.experimental.get_model_proto(iterator)


def numbers():
    return tf.data.Dataset.range(3).prefetch(tf.data.AUTOTUNE)


def test_no_iterator_tunes_itself():
    switch_off_autotuning()
    switch_off_autotuning()
    with pytest.raises(tf.errors.NotFoundError, match="iterator's analytical model"):
        tune(iter(numbers()))
    assert [int(n) for n in numbers()] == [0, 1, 2]


def test_the_undo_gives_tensorflow_its_own_method_back():
    undo = switch_off_autotuning()
    switched = tf.data.Dataset.__iter__
    try:
        undo()
        assert tf.data.Dataset.__iter__ is not switched
        assert tune(iter(numbers())).nodes
    finally:
        switch_off_autotuning()
    with pytest.raises(tf.errors.NotFoundError):
        tune(iter(numbers()))


def test_keras_begins_its_iterators_there(monkeypatch):
    switch_off_autotuning()
    begin, begun = tf.data.Dataset.__iter__, []

    def spy(dataset):
        begun.append(dataset)
        return begin(dataset)

    monkeypatch.setattr(tf.data.Dataset, "__iter__", spy)
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(loss="mse")
    x = np.ones((8, 2), "float32")
    for use in (lambda: model.fit(x, x, 4, verbose=0), lambda: model.predict(x, 4)):
        begun.clear()
        use()
        assert begun
