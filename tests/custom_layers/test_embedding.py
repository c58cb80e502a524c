"""Embedding against Keras, and BigramEmbedding against its formula."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import BigramEmbedding, Embedding
from oracle import Case, array, assert_close, assert_same_layer, keras_counterpart


def embedding(*shape, dtype="int32", **more):
    x = array(*shape, dtype=dtype, low=-2, high=5)
    return Case("Embedding", {"input_dim": 5, "output_dim": 3, **more}, x)


CASES = [
    embedding(4),
    embedding(2, 3, mask_zero=True, embeddings_regularizer="l2"),
    embedding(2, 3, 2, embeddings_constraint="non_neg", activity_regularizer="l1"),
    embedding(2, 3, dtype="int64"),
    Case("Embedding", {"input_dim": 5, "output_dim": 2}, array(2, 3, low=0, high=5)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_keras(case):
    assert_same_layer(case)


def test_takes_keras_arguments_in_its_order():
    theirs = inspect.signature(keras.layers.Embedding).parameters
    left_out = ["quantization_config"]
    theirs = {k: v.default for k, v in theirs.items() if k not in left_out}
    ours = {k: v.default for k, v in inspect.signature(Embedding).parameters.items()}
    assert list(ours.items()) == list(theirs.items())


def test_loads_the_weights_and_the_config_of_keras():
    theirs, ours = keras_counterpart("Embedding")(5, 3), Embedding(5, 3)
    left_out = {"quantization_config"}
    assert ours.get_config().keys() == theirs.get_config().keys() - left_out
    for layer in (ours, theirs):
        layer.build((2, 4))
    store = {}
    theirs.save_own_variables(store)
    ours.load_own_variables({k: np.asarray(v) for k, v in store.items()})
    np.testing.assert_array_equal(ours.get_weights()[0], theirs.get_weights()[0])
    assert len(ours.weights) == len(theirs.weights) == 1


def test_the_table_has_the_constraint_of_its_name():
    layer = Embedding(5, 3, embeddings_constraint="max_norm")
    layer.build((2, 4))
    assert type(layer.weights[0].constraint) is keras.constraints.MaxNorm


def test_embedding_masks_zeros_only_when_asked():
    x = np.array([[1, 0, 2], [0, 0, 4]])
    np.testing.assert_array_equal(
        Embedding(5, 2, mask_zero=True).compute_mask(x), x != 0
    )
    assert Embedding(5, 2).compute_mask(x) is None
    y = Embedding(5, 2, mask_zero=True)(x)
    np.testing.assert_array_equal(y._keras_mask, x != 0)


@pytest.mark.parametrize("wrap", [lambda w: w, lambda w: [w]])
def test_embedding_starts_from_given_weights(wrap):
    rows = array(5, 3)
    layer = Embedding(5, 3, weights=wrap(rows))
    assert_close(layer(np.array([3, 1])), rows[[3, 1]], rtol=0)


def test_embedding_of_large_integers_is_exact_in_float16():
    layer = Embedding(5000, 2, dtype="mixed_float16")
    rows = ops.convert_to_numpy(layer(np.array([4097.0, 4096.0])))
    assert rows.dtype == "float16"
    weights = layer.get_weights()[0].astype("float16")
    np.testing.assert_array_equal(rows, weights[[4097, 4096]])


def test_embedding_warns_of_the_retired_input_length():
    with pytest.warns(UserWarning, match="input_length"):
        Embedding(5, 3, input_length=7)


tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow's own kinds of tensor"
)


@tensorflow_only
def test_embedding_of_a_ragged_tensor_is_ragged():
    import tensorflow as tf

    rows = array(5, 3)
    x = tf.ragged.constant([[1, 2], [3]])
    y = Embedding(5, 3, weights=rows)(x)
    assert isinstance(y, tf.RaggedTensor)
    np.testing.assert_array_equal(y.flat_values, rows[[1, 2, 3]])


@tensorflow_only
def test_sparse_integers_give_what_dense_ones_give_and_sparse_gradients():
    import tensorflow as tf

    layer = Embedding(5, 3)
    dense = tf.constant([[0, 2, 0, 4]], "int32")
    sparse = tf.sparse.from_dense(dense)
    assert_close(layer(sparse), layer(dense))
    with tf.GradientTape() as tape:
        y = layer(sparse)
    gradient = tape.gradient(y, layer.trainable_weights[0].value)
    assert isinstance(gradient, tf.IndexedSlices)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Embedding(0, 3), "`input_dim` must be a positive integer"),
        (lambda: Embedding(True, 3), "`input_dim` must be a positive integer"),
        (lambda: Embedding(3, 2.0), "`output_dim` must be a positive integer"),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Bigrams


def test_a_pair_has_the_vector_of_its_bucket_and_padding_has_none():
    layer = BigramEmbedding(50, 3)
    tokens = np.array([[7, 2, 9], [2, 9, 0]], "int32")
    y, (E,) = ops.convert_to_numpy(layer(tokens)), layer.get_weights()
    for row, line in enumerate(tokens):
        for t, (first, second) in enumerate(zip(line, [*line[1:], 0])):
            expected = E[(40_503 * int(first) + int(second)) % 50] * (first != 0)
            np.testing.assert_array_equal(y[row, t], expected)
    assert np.abs(y[0]).min() > 0


def test_the_order_within_a_pair_counts():
    layer = BigramEmbedding(10_000, 3)
    y = ops.convert_to_numpy(layer(np.array([[3, 5, 3, 5, 4]])))
    np.testing.assert_array_equal(y[0, 0], y[0, 2])
    assert np.abs(y[0, 0] - y[0, 1]).max() > 0


def test_large_token_numbers_wrap_as_32_bit_integers():
    layer = BigramEmbedding(1000, 2)
    token = 2_000_000
    wrapped = (40_503 * token + 2**31) % 2**32 - 2**31
    y = ops.convert_to_numpy(layer(np.array([[token]], "int32")))
    np.testing.assert_array_equal(y[0, 0], layer.get_weights()[0][wrapped % 1000])


@pytest.mark.parametrize("sizes", [(0, 4), (8, 0), (2.5, 4)])
def test_refuses_sizes_that_are_not_positive_integers(sizes):
    with pytest.raises(
        ValueError, match=r"Received .*, but .* must be a positive integer"
    ):
        BigramEmbedding(*sizes)
