"""Writing into caches: the portable operations write what the fast one does."""

import keras
import numpy as np
import pytest

from custom_layers.common.caches import cache_with, portable_caches
from custom_layers.layers import TransformerDecoderBlock


@pytest.mark.parametrize("tokens", [1, 3])
@pytest.mark.parametrize("others", [(), (2, 4)])
@pytest.mark.parametrize("index", [0, 2, 4])
@pytest.mark.parametrize("before", [(2,), (2, 3)])
def test_both_ways_write_the_same_rows(tokens, others, index, before):
    rng = np.random.default_rng(0)
    cache, new = (
        rng.normal(size=(*before, rows, *others)).astype("float32")
        for rows in (7, tokens)
    )
    axis = len(before)
    expected = cache.copy()
    expected[(*[slice(None)] * axis, slice(index, index + tokens))] = new
    for place in (index, keras.ops.convert_to_tensor(index)):
        arrays = [keras.ops.convert_to_tensor(x) for x in (new, cache)]
        fast = cache_with(*arrays, place, axis)
        with portable_caches():
            portable = cache_with(*arrays, place, axis)
        for found in (fast, portable):
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), expected)


def test_a_portable_block_answers_as_the_block_does():
    keras.utils.set_random_seed(0)
    block, x = TransformerDecoderBlock(8, 2, max_wavelength=100), np.ones((1, 5, 4))
    block(x)
    x = np.random.default_rng(0).normal(size=(1, 5, 4)).astype("float32")
    cache = other = block.empty_cache(1, 6)
    for index in range(5):
        y, cache = block.step(x[:, index : index + 1], cache, index)
        with portable_caches():
            z, other = block.step(x[:, index : index + 1], other, index)
        for a, b in zip(keras.tree.flatten([y, cache]), keras.tree.flatten([z, other])):
            np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (a, b)))
