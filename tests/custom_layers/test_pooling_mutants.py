"""Classic mistakes in pooling layers: each must differ from its formula in NumPy."""

import functools

import numpy as np
import pytest
from keras import ops

from custom_layers.layers import MaxPoolingWithArgmax2D
from mutation import mutated
from oracle import array
from pooling_formulas import (
    adaptive_pool,
    correlation,
    max_and_place,
    net_vlad,
    spatial_pyramid,
    unpooled,
)

pytestmark = pytest.mark.one_backend  # the mistakes are in the formulas
TOKENS = np.array([[1, 2, 2, 4], [3, 0, 1, 0]])
X = array(2, 5, 7, 3)


def errors(found, desired):
    """Relative to the largest value of `desired`."""
    found = ops.convert_to_numpy(found)
    assert found.shape == desired.shape
    return np.abs(found - desired).max() / np.abs(desired).max()


def _average(cls):
    return errors(cls((3, 4))(X), adaptive_pool(X, (3, 4), np.mean))


def _maximum(cls):
    return errors(cls((3, 4))(X), adaptive_pool(X, (3, 4), np.max))


def _pyramid(cls):
    y = cls([1, (2, 3)], pooling="max")(X)
    return errors(y, spatial_pyramid(X, [(1, 1), (2, 3)], np.max))


def _argmax(cls):
    geometry, x = ((3, 2), (2, 3), "same"), np.round(X) - 2  # negative, with ties
    return errors(cls(*geometry)(x)[1], max_and_place(x, *geometry)[1])


def _unpooling(cls):
    geometry = (3, 2), (2, 1), "valid"
    values, indices = MaxPoolingWithArgmax2D(*geometry)(X)
    y = cls(*geometry)(values, indices)
    indices = ops.convert_to_numpy(indices)
    return errors(y, unpooled(ops.convert_to_numpy(values), indices, X.shape[1:]))


def _net_vlad(cls):
    layer, weights = cls(4), [array(3, 4), array(4, seed=2), array(3, 4, seed=3)]
    layer.build((None, None, 3))
    layer.set_weights(weights)
    mask = np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1]], "bool")
    x = array(2, 5, 3)
    return errors(layer(x, mask=mask), net_vlad(x, *weights, mask))


def _bag(combiner):
    def check(cls):
        E, w = array(5, 3) - 2, array(2, 4, seed=1, low=0.1, high=1.0)
        layer = cls(5, 3, mask_zero=True, combiner=combiner)
        layer.build()
        layer.set_weights([E])
        if combiner == "max":
            desired = [np.max(E[t[t != 0]], axis=0) for t in TOKENS]
            return errors(layer(TOKENS), np.array(desired))
        w_real = w * (TOKENS != 0)
        desired = np.einsum("bt,btd->bd", w_real, E[TOKENS])
        if combiner == "mean":
            desired = desired / w_real.sum(1, keepdims=True)
        return errors(layer(TOKENS, weights=w), desired)

    return check


def _correlation(cls):
    arguments = 3, 2, 2, 1, 3
    f, g = array(2, 4, 5, 2), array(2, 4, 5, 2, seed=1)
    return errors(cls(*arguments)([f, g]), correlation(f, g, *arguments))


CHECKS = {  # what is checked: its file, and how
    "AdaptiveAveragePooling2D": ("pooling.adaptive_pooling", _average),
    "AdaptiveMaxPooling2D": ("pooling.adaptive_pooling", _maximum),
    "SpatialPyramidPooling2D": ("pooling.spatial_pyramid_pooling", _pyramid),
    "MaxPoolingWithArgmax2D": ("pooling.max_pooling_with_argmax", _argmax),
    "MaxUnpooling2D": ("pooling.max_unpooling", _unpooling),
    "NetVLAD": ("pooling.net_vlad", _net_vlad),
    "EmbeddingBag sum": ("embedding_bag", _bag("sum")),
    "EmbeddingBag mean": ("embedding_bag", _bag("mean")),
    "EmbeddingBag max": ("embedding_bag", _bag("max")),
    "CorrelationCost": ("correlation_cost", _correlation),
}
MUTANTS = {  # mistake: what is checked, text taken out, text put in
    "windows end at the floor": (
        "AdaptiveAveragePooling2D",
        "((i + 1) * length + count - 1) // count",
        "(i + 1) * length // count",
    ),
    "windows begin at the ceiling": (
        "AdaptiveMaxPooling2D",
        "i * length // count",
        "(i * length + count - 1) // count",
    ),
    "the last place of a shorter window counts twice": (
        "AdaptiveAveragePooling2D",
        "xp.where(is_own, longest / (end - start), 0.0)",
        "None",
    ),
    "every window divided by the longest": (
        "AdaptiveAveragePooling2D",
        "longest / (end - start), 0.0",
        "1.0, 0.0",
    ),
    "windows of one length, as in plain pooling": (
        "AdaptiveMaxPooling2D",
        "i * length // count",
        "i * (length // count)",
    ),
    "mean for maximum": (
        "SpatialPyramidPooling2D",
        'if pooling == "max"',
        'if pooling != "max"',
    ),
    "grids turned": ("SpatialPyramidPooling2D", "pool(grid,", "pool(grid[::-1],"),
    "places of all images": (
        "MaxPoolingWithArgmax2D",
        "index = index + ops.zeros_like",
        "index = index + ops.arange(2)[:, None, None, None] + ops.zeros_like",
    ),
    "the last of equal places": (
        "MaxPoolingWithArgmax2D",
        "candidate > best",
        "candidate >= best",
    ),
    "the whole margin before": (
        "MaxPoolingWithArgmax2D",
        "before = margin // 2",
        "before = margin",
    ),
    "a margin of zeros": (
        "MaxPoolingWithArgmax2D",
        'constant_values=-float("inf")',
        "constant_values=0.0",
    ),
    "overlapping windows added up": (
        "MaxUnpooling2D",
        "y = y / ops.maximum(windows, 1)",
        "pass",
    ),
    "all images in the first": (
        "MaxUnpooling2D",
        "ops.zeros_like(places) + images[:, None]",
        "ops.zeros_like(places)",
    ),
    "centres not taken off": (
        "NetVLAD",
        "V = V - ops.sum(a, axis=1, keepdims=True) * c",
        "pass",
    ),
    "centres taken off once": (
        "NetVLAD",
        "ops.sum(a, axis=1, keepdims=True) * c",
        "c",
    ),
    "clusters not normalized": ("NetVLAD", "V = _of_length_one(V)", "pass"),
    "shares over features, not over clusters": (
        "NetVLAD",
        "ops.softmax(ops.cast(scores, wide), axis=-1)",
        "ops.softmax(ops.cast(scores, wide), axis=1)",
    ),
    "masked features counted": ("NetVLAD", "a = ops.where(is_there, a, 0.0)", "pass"),
    "padding added up": (
        "EmbeddingBag sum",
        "w = ops.where(ops.not_equal(x, 0), w, 0.0)",
        "pass",
    ),
    "mean over all places": (
        "EmbeddingBag mean",
        "ops.divide_no_nan(y, ops.sum(w, axis=-1, keepdims=True))",
        "y / x.shape[-1]",
    ),
    "padding is the maximum": (
        "EmbeddingBag max",
        'ops.where(is_token, E_x, -float("inf"))',
        "ops.where(is_token, E_x, 0.0)",
    ),
    "displacements turned": (
        "CorrelationCost",
        "g[:, i : i + H, j : j + W]",
        "g[:, j : j + H, i : i + W]",
    ),
    "the first map moves": (
        "CorrelationCost",
        "f, g = as_floats(inputs, self.compute_dtype)",
        "g, f = as_floats(inputs, self.compute_dtype)",
    ),
    "sum over the channels": (
        "CorrelationCost",
        "ops.mean(f * g",
        "ops.sum(f * g",
    ),
}


def error_of(what, *change):
    path, check = CHECKS[what]
    room, _, file = f"custom_layers.layers.{path}".rpartition(".")
    return check(mutated(what.split()[0], room, [file], *change))


@functools.cache
def error_of_the_original(what):
    return error_of(what)


def test_everything_that_is_checked_has_a_mutant():
    assert {row[0] for row in MUTANTS.values()} == set(CHECKS)


@pytest.mark.parametrize("mistake", MUTANTS)
def test_mistake_is_found(mistake):
    what, *change = MUTANTS[mistake]
    assert error_of_the_original(what) < 1e-4
    assert error_of(what, *change) > 1e-3
