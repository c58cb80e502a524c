"""Transformers in a training step on TensorFlow: the fused rotation, and `fit`."""

import functools

import keras
import numpy as np
import pytest

from custom_layers.layers import RotaryEmbedding, TransformerDecoderBlock, positions
from oracle import array, assert_close

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="pieces are fused on TensorFlow"
)
SHAPE = 8, 50, 4, 64  # B, T, heads, D: large enough to be fused


def in_a_step(layer, x, dy, jit_compile=False):
    """y, dx, and the gradient of sum(dx ** 2) to dy, in a graph that trains."""
    import tensorflow as tf

    @tf.function(autograph=False, jit_compile=jit_compile)
    def step(x, dy):
        with tf.GradientTape() as outer:
            outer.watch(dy)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = layer(x, start_index=3, training=True)
            dx = inner.gradient(y, x, dy)
            size = tf.reduce_sum(dx**2)
        return y, dx, outer.gradient(size, dy)

    return step(tf.constant(x), tf.constant(dy))


def test_the_fused_rotation_is_the_plain_one(monkeypatch):
    turned = []

    def counted(*arguments):
        turned.append(arguments)
        return turn(*arguments)

    turn = positions._turned_at_once
    monkeypatch.setattr(positions, "_turned_at_once", counted)
    layer, inputs = RotaryEmbedding(100), (array(*SHAPE), array(*SHAPE, seed=1))
    fast = in_a_step(layer, *inputs)
    assert turned
    within = in_a_step(layer, *inputs, jit_compile=True)
    monkeypatch.setattr(positions, "_fuses", lambda *_: False)
    plain = in_a_step(layer, *inputs)
    for one, other, expected in zip(fast, within, plain):
        assert_close(one, expected, 1e-5)
        assert_close(other, expected, 1e-5)


def test_only_a_training_step_is_fused(monkeypatch):
    def refuse(*_):
        raise AssertionError("expected the plain rotation")

    monkeypatch.setattr(positions, "_turned_at_once", refuse)
    import tensorflow as tf

    layer, x = RotaryEmbedding(), tf.constant(array(*SHAPE))
    layer(x, training=True)  # operations that run one by one
    tf.function(lambda: layer(x))()
    for others in ({"dtype": "float16"}, {"feature_axis": 2}):
        other = RotaryEmbedding(**others)
        tf.function(functools.partial(other, x, training=True))()


def trained_weights():
    """The weights after an epoch of two batches, of which the last one is smaller."""
    keras.utils.set_random_seed(0)
    x = keras.Input((20, 64))
    y = TransformerDecoderBlock(64, 2, 0.1, max_wavelength=100)(x)
    model = keras.Model(x, y)
    model.compile("sgd", "mse", jit_compile=False)
    numbers = array(20, 20, 64)
    model.fit(numbers, numbers, batch_size=16, verbose=0)
    assert np.isfinite(model.evaluate(numbers, numbers, verbose=0))
    return model.get_weights()


@pytest.mark.slow
def test_a_model_trains_the_same_twice():
    for one, other in zip(trained_weights(), trained_weights()):
        np.testing.assert_array_equal(one, other)
