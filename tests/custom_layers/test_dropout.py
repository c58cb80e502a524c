"""Dropout and its relatives: statistics, shapes of the noise, seeds, refusals."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    StochasticDepth,
)
from oracle import array, assert_close, keras_counterpart, run_layer

N = 200_000
LAYERS = [
    Dropout,
    AlphaDropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    StochasticDepth,
]
RANK = {SpatialDropout1D: 3, SpatialDropout2D: 4, SpatialDropout3D: 5}


def train(layer, x):
    return ops.convert_to_numpy(layer(ops.convert_to_tensor(x), training=True))


def input_of(cls):
    return array(4, *range(2, RANK.get(cls, 3) + 1), low=1.0, high=2.0)


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.3, 0.5, 0.9, 0.999])
def test_the_share_of_dropped_units_is_the_rate(rate):
    y = train(Dropout(rate, seed=1), np.ones(N, "float32"))
    deviation = np.sqrt(rate * (1 - rate) / N)
    assert abs(np.mean(y == 0) - rate) < 4 * deviation
    np.testing.assert_allclose(y[y != 0], 1 / (1 - rate), rtol=1e-6)


def test_units_fall_independently_of_their_neighbours_and_of_the_last_call():
    layer = Dropout(0.3, seed=1)
    first, second = (train(layer, np.ones(N, "float32")) == 0 for _ in range(2))
    for lag in (1, 2, 3, 4, 5, 8, 16, 64):
        both = np.mean(first[lag:] & first[:-lag])
        assert abs(both - 0.09) < 4 * np.sqrt(0.09 * 0.91 / N), lag
    assert abs(np.mean(first & second) - 0.09) < 4 * np.sqrt(0.09 * 0.91 / N)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 9])
def test_any_number_of_units_gets_its_noise(n):
    kept = [train(Dropout(0.5, seed=s), np.ones(n)) != 0 for s in range(20)]
    assert np.all(np.any(kept, axis=0))
    assert not np.any(np.all(kept, axis=0))


def test_gradient_passes_the_kept_units_only():
    layer, x = Dropout(0.4, seed=1), array(5, 6, low=1.0, high=2.0)
    results = run_layer(layer, x, training=True)
    m = results["output 0"] / x
    assert_close(results["gradient to input 0"], m * array(5, 6, seed=3))


def test_rate_1_silences_all_and_rate_0_none():
    x = array(3, 4)
    assert not train(Dropout(1.0), x).any()
    np.testing.assert_array_equal(train(Dropout(0), x), x)


@pytest.mark.parametrize("cls", LAYERS)
def test_inference_changes_nothing(cls):
    x = input_of(cls)
    np.testing.assert_array_equal(ops.convert_to_numpy(cls(0.5)(x)), x)


@pytest.mark.parametrize("cls", LAYERS)
def test_the_seed_repeats_the_noise_and_each_call_draws_anew(cls):
    x = np.repeat(input_of(cls), 16, axis=0)
    one, two = cls(0.5, seed=7), cls(0.5, seed=7)
    first, again = train(one, x), train(one, x)
    assert not np.array_equal(first, again)
    np.testing.assert_array_equal(train(two, x), first)
    np.testing.assert_array_equal(train(two, x), again)
    assert not np.array_equal(train(cls(0.5, seed=8), x), first)


@pytest.mark.parametrize("cls", LAYERS)
def test_the_mean_of_the_output_is_the_input(cls):
    shape = {2: (300, 100), 3: (300, 1, 100), 4: (300, 1, 1, 100)}
    shape |= {5: (300, 1, 1, 1, 100)}
    rank = 2 if cls is not StochasticDepth else 1
    shape = (30_000,) if rank == 1 else shape[RANK.get(cls, 2)]
    x = np.zeros(shape) if cls is AlphaDropout else np.full(shape, 2.0)
    y = train(cls(0.3, seed=1), x.astype("float32"))
    assert abs(np.mean(y) - np.mean(x)) < 5 * 2.0 / np.sqrt(30_000)


@pytest.mark.parametrize(
    ("layer", "shape", "noise"),
    [
        (Dropout(0.5, (None, 1, None), 1), (8, 5, 9), (8, 1, 9)),
        (Dropout(0.5, (1, 5, 1), 1), (8, 5, 9), (1, 5, 1)),
        (AlphaDropout(0.5, [None, 1, None], 1), (8, 5, 9), (8, 1, 9)),
        (SpatialDropout1D(0.5, 1), (8, 5, 9), (8, 1, 9)),
        (SpatialDropout2D(0.5, None, 1), (8, 2, 3, 9), (8, 1, 1, 9)),
        (SpatialDropout2D(0.5, "channels_first", 1), (8, 9, 2, 3), (8, 9, 1, 1)),
        (SpatialDropout3D(0.5, None, 1), (8, 2, 3, 2, 9), (8, 1, 1, 1, 9)),
        (SpatialDropout3D(0.5, "channels_first", 1), (8, 9, 2, 3, 2), (8, 9, 1, 1, 1)),
        (StochasticDepth(0.5, 1), (32, 3, 2), (32, 1, 1)),
    ],
)
def test_noise_is_shared_along_the_axes_where_its_shape_is_1(layer, shape, noise):
    y = train(layer, np.ones(shape, "float32"))
    first = y[tuple(slice(n) for n in noise)]
    np.testing.assert_array_equal(y, np.broadcast_to(first, shape))
    assert len(np.unique(first)) == 2
    for axis, n in enumerate(noise):
        if n > 1:
            assert np.any(first != np.roll(first, 1, axis))


def test_alpha_dropout_keeps_mean_0_and_variance_1():
    y = train(AlphaDropout(0.3, seed=1), array(N))
    assert abs(y.mean()) < 0.01
    assert abs(y.std() - 1) < 0.01


def test_alpha_dropout_is_a_line_through_the_value_of_the_dropped():
    """Each x has one of two values; both are the ones that Keras gives it."""
    x = np.linspace(-2, 2, 2000, dtype="float32")
    ours, theirs = (
        train(cls(0.3, seed=1), x) for cls in (AlphaDropout, keras.layers.AlphaDropout)
    )
    dropped = [
        np.unique(y)[np.unique(y, return_counts=True)[1] > 9] for y in (ours, theirs)
    ]
    assert_close(dropped[0], dropped[1], rtol=1e-6)
    both = (ours != dropped[0]) & (theirs != dropped[1])
    assert both.sum() > 500
    assert_close(ours[both], theirs[both], rtol=1e-6)


@pytest.mark.parametrize("layer", [GaussianDropout(0.2, seed=1), GaussianNoise(0.5, 1)])
def test_gaussian_noise_is_normal(layer):
    """Both layers have deviation 0.5 on an input of ones."""
    e = (train(layer, np.ones(N, "float32")) - 1) / 0.5
    error = 4 / np.sqrt(N)
    assert abs(e.mean()) < error
    assert abs(e.var() - 1) < error * np.sqrt(2)
    assert abs((e**3).mean()) < error * np.sqrt(15)
    assert abs((e**4).mean() - 3) < error * np.sqrt(96)
    for bound, share in ((1, 0.158655), (2, 0.022750), (3, 0.001350)):
        for tail in (e > bound, e < -bound):
            assert abs(tail.mean() - share) < error * np.sqrt(share)
    for lag in (1, N // 2):  # the two of a pair lie half the numbers apart
        assert abs((e[lag:] * e[:-lag]).mean()) < error * 1.5
        assert abs((e[lag:] ** 2 * e[:-lag] ** 2).mean() - 1) < error * 6


@pytest.mark.parametrize("cls", LAYERS)
def test_half_precision_stays_half(cls):
    layer = cls(0.5, dtype="float16")
    y = layer(ops.cast(input_of(cls), "float16"), training=True)
    assert keras.backend.standardize_dtype(y.dtype) == "float16"


@pytest.mark.parametrize("cls", LAYERS[:-1])
def test_config_keys_are_keras(cls):
    theirs = keras_counterpart(cls.__name__)
    assert cls(0.5).get_config().keys() == theirs(0.5).get_config().keys()


@pytest.mark.parametrize("cls", LAYERS)
@pytest.mark.parametrize("strength", [-0.5, 1.5])
def test_refuses_a_strength_outside_0_to_1(cls, strength):
    name = "stddev" if cls is GaussianNoise else "rate"
    with pytest.raises(ValueError, match=f"`{name}`.*float value between 0 and 1"):
        cls(strength)


@pytest.mark.parametrize("cls", [AlphaDropout, GaussianDropout])
def test_refuses_a_rate_of_1_where_the_formula_divides_by_0(cls):
    with pytest.raises(ValueError, match="below 1"):
        cls(1)


@pytest.mark.parametrize("cls", [Dropout, AlphaDropout])
@pytest.mark.parametrize("noise_shape", ["Invalid", 3, (2, 1.5), (2, -1), (0, 2)])
def test_refuses_what_is_not_a_noise_shape(cls, noise_shape):
    with pytest.raises(ValueError, match=r"`noise_shape`\. Expected"):
        cls(0.5, noise_shape=noise_shape)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (SpatialDropout1D(0.5), (2, 3)),
        (SpatialDropout2D(0.5), (2, 3, 4)),
        (SpatialDropout3D(0.5), (2, 3, 4, 5)),
    ],
)
def test_refuses_an_input_of_other_rank(layer, shape):
    with pytest.raises(ValueError, match="expected ndim"):
        layer(np.ones(shape))


def test_refuses_an_unknown_data_format():
    with pytest.raises(ValueError, match="data_format"):
        SpatialDropout2D(0.5, data_format="channels_middle")


def test_stochastic_depth_adds_the_residual_to_the_shortcut_of_a_list():
    """As TensorFlow Addons calls it: StochasticDepth(...)([shortcut, residual])."""
    shortcut, residual = array(64, 3, 2), array(64, 3, 2, seed=1)
    layer = StochasticDepth(0.25, seed=3)
    assert_close(layer([shortcut, residual]), shortcut + residual)
    y = ops.convert_to_numpy(layer([shortcut, residual], training=True))
    added = y - shortcut
    is_silent = np.all(added == 0, axis=(1, 2))
    assert 0 < is_silent.sum() < 40
    assert_close(added[~is_silent], residual[~is_silent] / 0.75, rtol=1e-5)
    assert layer.compute_output_shape([(None, 3, 2), (None, 3, 2)]) == (None, 3, 2)
    symbolic = layer([keras.Input((3, 2)), keras.Input((3, 2))])
    assert symbolic.shape == (None, 3, 2)
    with pytest.raises(ValueError, match=r"or a list \[shortcut, residual\]"):
        layer([shortcut, residual, residual])


def test_stochastic_depth_of_a_list_keeps_the_mask_of_the_shortcut():
    x = keras.layers.Masking()(np.ones((2, 3, 4), "float32"))
    y = StochasticDepth(0.5)([x, x])
    np.testing.assert_array_equal(ops.convert_to_numpy(y._keras_mask), np.ones((2, 3)))
