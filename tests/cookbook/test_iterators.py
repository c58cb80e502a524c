"""tf.data's iterators: none waits for its tuning."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from cookbook.training.iterators import end_at_once


def tune(iterator):
    """Asks for the model by which tf.data tunes an iterator."""
    next(iterator)
    tf.data.experimental.get_model_proto(iterator)


def test_no_iterator_tunes_itself():
    end_at_once()
    end_at_once()
    dataset = tf.data.Dataset.range(3).prefetch(tf.data.AUTOTUNE)
    with pytest.raises(tf.errors.NotFoundError, match="iterator's analytical model"):
        tune(iter(dataset))
    assert [int(n) for n in dataset] == [0, 1, 2]


def test_keras_begins_its_iterators_there(monkeypatch):
    end_at_once()
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
