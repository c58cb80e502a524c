"""The plain formula of attention and its fast version: equal, and NumPy's formula."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import blockwise_attention, scaled_dot_product
from oracle import array, assert_close, run_layer


def numbers(*shape, seed=0):
    return ops.convert_to_tensor(array(*shape, seed=seed))


def is_seen(*shape):
    """A random mask that lets every query see key 0."""
    return (array(*shape, low=0, high=2, dtype="int32") > 0) | (np.arange(300) == 0)


PADDING = np.arange(300) < np.array([[[210]], [[30]]])
KEEP = 2 * (array(2, 300, 300, seed=7) > 0).astype("float32")  # dropout of one half
HIDDEN = is_seen(2, 300, 300) & (np.arange(300)[:, None] != 7)  # query 7 sees no key
OPTIONS = {
    "no mask": {},
    "causal": {"causal": True},
    "window": {"window": 20},
    "causal window": {"causal": True, "window": 140},
    "mask": {"mask": is_seen(2, 300, 300)},
    "a query without keys": {"mask": HIDDEN},
    "the same, with dropout": {"mask": HIDDEN, "keep": KEEP},
    "causal mask": {"mask": is_seen(2, 300, 300), "causal": True},
    "causal padding": {"mask": PADDING, "causal": True},
    "dropout": {"keep": KEEP, "causal": True},
}
attentions = pytest.mark.parametrize(
    "attention", [scaled_dot_product, blockwise_attention]
)


class OfFunction(keras.layers.Layer):
    """A layer that calls one of the two functions, for `run_layer`."""

    def __init__(self, attention, options):
        super().__init__()
        self.attention, self.options = attention, options
        self.built = True

    def call(self, inputs):
        return self.attention(*inputs, **self.options)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_attention_in_blocks_has_the_values_and_gradients_of_the_plain_one(options):
    options = {
        key: ops.convert_to_tensor(value) if isinstance(value, np.ndarray) else value
        for key, value in options.items()
    }
    inputs = [array(2, 300, 4), array(2, 300, 4, seed=1), array(2, 300, 3, seed=2)]
    fast = run_layer(OfFunction(blockwise_attention, options), inputs)
    plain = run_layer(OfFunction(scaled_dot_product, options), inputs)
    assert len(plain) == 4  # y, and the gradients to Q, K and V
    for key in plain:
        assert_close(fast[key], plain[key], 1e-5, key)


@attentions
def test_the_scale_is_one_over_the_root_of_the_number_of_features(attention):
    Q, K, V = (array(2, 5, 4, seed=i) for i in range(3))
    scores = Q @ K.transpose(0, 2, 1) / np.sqrt(4)
    P = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    tensors = (ops.convert_to_tensor(x) for x in (Q, K, V))
    assert_close(attention(*tensors), P @ V)


@attentions
def test_dropout_keeps_the_expected_weights(attention):
    V = ops.eye(4)
    keep = keras.random.dropout(ops.ones((4000, 3, 4)), 0.5, seed=1)
    Q = ops.tile(numbers(1, 3, 2), (4000, 1, 1))
    K = ops.tile(numbers(1, 4, 2), (4000, 1, 1))
    plain = attention(Q[:1], K[:1], V)
    dropped = attention(Q, K, V, keep=keep)
    assert_close(ops.mean(dropped, axis=0), plain[0], rtol=0.05)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="nested tapes")
def test_the_second_derivative_is_that_of_the_plain_formula():
    import tensorflow as tf

    Q, K, V = (tf.constant(array(2, 4, 3, seed=i)) for i in range(3))

    def twice(function):
        with tf.GradientTape() as outer:
            outer.watch(Q)
            with tf.GradientTape() as inner:
                inner.watch(Q)
                y = tf.reduce_sum(function(Q, K, V) ** 3)
            slope = tf.reduce_sum(inner.gradient(y, Q) ** 2)
        return outer.gradient(slope, Q)

    def formula(Q, K, V):
        return tf.nn.softmax(Q @ tf.transpose(K, (0, 2, 1)) / 3**0.5) @ V

    for function in (scaled_dot_product, blockwise_attention):
        assert_close(twice(function), twice(formula))


def test_one_query_sees_any_number_of_keys():
    """A graph may know the number of queries, and not that of keys."""
    layer = OfFunction(blockwise_attention, {"causal": True})
    query, keys = keras.Input((1, 4)), keras.Input((None, 4))
    model = keras.Model([query, keys], layer([query, keys, keys]))
    q, k = numbers(2, 1, 4), numbers(2, 5, 4)
    assert_close(model.predict([q, k], verbose=0), k[:, :1])  # it sees the first alone
