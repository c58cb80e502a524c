"""Bigrams: the formula, equal pairs with equal vectors, padding without any."""

import numpy as np
import pytest

from custom_layers.layers import BigramEmbedding


def test_a_pair_has_the_vector_of_its_bucket_and_padding_has_none():
    layer = BigramEmbedding(50, 3)
    tokens = np.array([[7, 2, 9], [2, 9, 0]], "int32")
    y, (E,) = np.array(layer(tokens)), layer.get_weights()
    for row, line in enumerate(tokens):
        for t, (first, second) in enumerate(zip(line, [*line[1:], 0])):
            expected = E[(40_503 * int(first) + int(second)) % 50] * (first != 0)
            np.testing.assert_array_equal(y[row, t], expected)
    assert np.abs(y[0]).min() > 0


def test_the_order_within_a_pair_counts():
    layer = BigramEmbedding(10_000, 3)
    y = np.array(layer(np.array([[3, 5, 3, 5, 4]])))
    np.testing.assert_array_equal(y[0, 0], y[0, 2])
    assert np.abs(y[0, 0] - y[0, 1]).max() > 0


def test_large_token_numbers_wrap_as_32_bit_integers():
    layer = BigramEmbedding(1000, 2)
    token = 2_000_000
    wrapped = (40_503 * token + 2**31) % 2**32 - 2**31
    y = np.array(layer(np.array([[token]], "int32")))
    np.testing.assert_array_equal(y[0, 0], layer.get_weights()[0][wrapped % 1000])


@pytest.mark.parametrize("sizes", [(0, 4), (8, 0), (2.5, 4)])
def test_refuses_sizes_that_are_not_positive_integers(sizes):
    with pytest.raises(
        ValueError, match=r"Received .*, but .* must be a positive integer"
    ):
        BigramEmbedding(*sizes)
