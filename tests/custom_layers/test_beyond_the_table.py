"""Places beyond a table are an error, or NaN where the program runs already."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    CachedMultiHeadAttention,
    Embedding,
    PositionEmbedding,
    TokenAndPositionEmbedding,
    TransformerDecoderBlock,
)
from oracle import array

BACKEND = keras.backend.backend()


def table():
    layer = PositionEmbedding(6)
    layer.build((None, None, 4))
    return layer


@pytest.mark.parametrize(("start", "length"), [(0, 7), (4, 3), (6, 1), (-1, 2)])
def test_positions_beyond_the_table_are_refused(start, length):
    x = ops.zeros((2, length, 4))
    message = "(The table has|`sequence_length` is) 6"
    with pytest.raises(ValueError, match=message):
        table()(x, start_index=start)
    tokens = ops.zeros((2, length), "int32")
    with pytest.raises(ValueError, match=message):
        TokenAndPositionEmbedding(5, 6, 4)(tokens, start_index=start)


def read(start):
    """What the table gives for 3 positions from `start`, a tensor; None if it fails."""
    try:
        y = table()(ops.zeros((1, 3, 4)), start_index=ops.convert_to_tensor(start))
    except Exception:  # each backend has its own
        return None
    return ops.convert_to_numpy(y)


def test_positions_known_late_are_an_error_or_nan():
    assert np.all(np.isfinite(read(3)))
    beyond = read(4)
    assert beyond is None or np.all(np.isnan(beyond))


def test_the_rows_at_the_end_of_the_table_are_read():
    layer = table()
    y = layer(ops.zeros((1, 2, 4)), start_index=np.int64(4))
    y = ops.convert_to_numpy(y)
    np.testing.assert_array_equal(y[0], layer.get_weights()[0][4:])


def test_an_integer_beyond_the_vocabulary_is_an_error_or_nan():
    layer = Embedding(5, 3)
    try:
        y = ops.convert_to_numpy(layer(np.array([[1, 5]])))
    except Exception:
        assert BACKEND != "jax"
    else:
        assert np.all(np.isnan(y[0, 1]))


def test_a_step_beyond_the_cache_is_refused():
    layer = CachedMultiHeadAttention(2, 4)
    layer.build((2, 3, 6), (2, 3, 6))
    x, cache = array(2, 1, 6), layer.empty_cache(2, length=3)
    layer.step(x, cache, index=2)
    with pytest.raises(ValueError, match="The cache has 3 places"):
        layer.step(x, cache, index=3)


@pytest.mark.parametrize("known", [True, False])
def test_a_block_does_not_overwrite_the_end_of_its_cache(known):
    """A write beyond the end would move to the last place on JAX and TensorFlow."""
    layer = TransformerDecoderBlock(8, num_heads=2)
    x = array(2, 1, 6)
    layer(x)
    cache = layer.empty_cache(2, length=3)
    index = 3 if known else ops.convert_to_tensor(3)
    try:
        y, _ = layer.step(ops.convert_to_tensor(x), cache, index)
    except Exception:
        return
    assert not known
    assert np.all(np.isnan(ops.convert_to_numpy(y)))
