"""No two weights of a layer start alike, whichever initializer they share."""

import inspect
import itertools

import keras
import numpy as np
import pytest
from keras import ops

import examples
from custom_layers import initializers
from custom_layers.layers import (
    CRF,
    Bidirectional,
    MultiHeadAttention,
    TokenAndPositionEmbedding,
)
from making import CLASSES, LAYERS, example_input, make
from oracle import call_layer

RANDOM = {
    "name": lambda: "random_normal",
    "Keras's object": lambda: keras.initializers.RandomNormal(),
    "our object": lambda: initializers.RandomNormal(),
    "object with a generator of seeds": lambda: keras.initializers.RandomNormal(
        seed=keras.random.SeedGenerator()
    ),
}


def random_starts(name, make_one):
    """A random initializer for each argument of the layer that takes one."""
    arguments = {
        argument
        for base in CLASSES[name].__mro__
        for argument in inspect.signature(base.__init__).parameters
        if argument.endswith("initializer")
    }
    return {a: make_one() for a in arguments & set(make(name).get_config())}


def is_alike(a, b):
    """Whether two arrays agree up to a factor, as far as the shorter of them goes."""
    a, b = np.ravel(a), np.ravel(b)
    size = min(len(a), len(b))
    a, b = a[:size], b[:size]
    if size < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return False  # a constant start, or too short to tell
    return abs(np.dot(a, b)) > 0.9999 * np.linalg.norm(a) * np.linalg.norm(b)


def assert_all_apart(layer):
    """No two weights start alike, nor two slices of one weight."""
    starts = [(w.path, ops.convert_to_numpy(w)) for w in layer.trainable_weights]
    for (path, a), (other, b) in itertools.combinations(starts, 2):
        assert not is_alike(a, b), f"{path} and {other} start alike"
    for path, a in starts:
        for axis in range(a.ndim):
            slices = np.moveaxis(a, axis, 0)
            for i, j in itertools.combinations(range(len(slices)), 2):
                assert not is_alike(slices[i], slices[j]), f"{path}, axis {axis}"


def layer_with(name, starts):
    """The layer of its row in `examples`, or the layer that runs it if it is a cell."""
    arguments = examples.LAYERS[name][0]
    arguments = arguments() if callable(arguments) else arguments
    layer = CLASSES[name](**{**arguments, **starts})
    return examples.CELLS[name](layer) if name in examples.CELLS else layer


# The waves of a Fourier transform, which is symmetric.
WITH_FIXED_STARTS = {"STFTSpectrogram"}


@pytest.mark.one_backend
@pytest.mark.parametrize("kind", RANDOM)
@pytest.mark.parametrize("name", [n for n in LAYERS if n not in WITH_FIXED_STARTS])
def test_no_two_weights_start_alike(name, kind):
    layer = layer_with(name, random_starts(name, RANDOM[kind]))
    x = keras.tree.map_structure(ops.convert_to_tensor, example_input(name))
    call_layer(layer, x)
    assert_all_apart(layer)


@pytest.mark.parametrize("kind", RANDOM)
def test_the_two_directions_start_apart(kind):
    layer = Bidirectional(keras.layers.GRU(3, kernel_initializer=RANDOM[kind]()))
    layer.build((2, 4, 5))
    assert_all_apart(layer)


def test_token_5_at_place_3_is_not_token_3_at_place_5():
    layer = TokenAndPositionEmbedding(10, sequence_length=6, embedding_dim=4)
    y = ops.convert_to_numpy(layer(np.array([[0, 0, 0, 5, 0, 3]])))[0]
    assert np.abs(y[3] - y[5]).max() > 1e-3


def test_a_fixed_seed_repeats_its_draw():
    """As Keras documents it: whoever gives a seed asks for these numbers."""
    layer = CRF(keras.initializers.RandomNormal(seed=1))
    layer.build((2, 4, 3))
    np.testing.assert_array_equal(layer.start, layer.end)


def test_a_generator_of_seeds_goes_on_from_weight_to_weight():
    seed = keras.random.SeedGenerator(7)
    start = keras.initializers.RandomNormal(seed=seed)
    layer = MultiHeadAttention(2, 3, kernel_initializer=start)
    layer.build((2, 4, 6), (2, 4, 6))
    assert_all_apart(layer)


def test_a_function_is_an_initializer_too():
    layer = CRF(lambda shape, dtype: ops.ones(shape, dtype))
    layer.build((2, 4, 3))
    assert float(ops.sum(layer.end)) == 3
