"""Initializers against Keras's draws, their properties and their refusals."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.initializers import (
    Constant,
    GlorotUniform,
    HeNormal,
    Identity,
    Orthogonal,
    RandomNormal,
    VarianceScaling,
)
from oracle import assert_close, components, keras_counterpart

SCALINGS = [
    {"scale": scale, "mode": mode, "distribution": distribution, "seed": 3}
    for scale, mode, distribution in [
        (1.0, "fan_in", "truncated_normal"),
        (2.0, "fan_out", "normal"),
        (0.3, "fan_avg", "untruncated_normal"),
        (2.0, "fan_avg", "UNIFORM"),
    ]
]
CASES = [
    *(("VarianceScaling", kwargs) for kwargs in SCALINGS),
    *(
        (f"{author}{distribution}", {"seed": 3})
        for author in ("Glorot", "He", "Lecun")
        for distribution in ("Normal", "Uniform")
    ),
    ("GlorotUniform", {"seed": 3, "input_axes": [0], "output_axes": [1, -1]}),
    ("RandomNormal", {"seed": 3}),
    ("RandomNormal", {"mean": 1.0, "stddev": 2.0, "seed": 3}),
    ("TruncatedNormal", {"seed": 3}),
    ("TruncatedNormal", {"mean": 1.0, "stddev": 2.0, "seed": 3}),
    ("RandomUniform", {"seed": 3}),
    ("RandomUniform", {"minval": 1.0, "maxval": 2.0, "seed": 3}),
    ("Orthogonal", {"seed": 3}),
    ("Orthogonal", {"gain": 0.5, "seed": 3}),
    ("Constant", {}),
    ("Constant", {"value": 2.5}),
    ("Constant", {"value": np.arange(4.0)}),
    ("Zeros", {}),
    ("Ones", {}),
    ("Identity", {}),
    ("Identity", {"gain": 0.5}),
]
SHAPES = [(3, 4), (7, 4), (), (4,), (3, 3, 2, 4), (1, 5, 4)]


def fits(name, kwargs, shape):
    matrices_only = {"Identity": len(shape) == 2, "Orthogonal": len(shape) >= 2}
    needs_an_axis = (
        isinstance(kwargs.get("value"), np.ndarray) or "input_axes" in kwargs
    )
    return matrices_only.get(name, True) and (len(shape) > 1 or not needs_an_axis)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)
def test_same_draw_as_keras(name, kwargs, shape):
    if not fits(name, kwargs, shape):
        pytest.skip("not its shape")
    ours = components()[name](**kwargs)
    theirs = keras_counterpart(name)(**kwargs)
    np.testing.assert_array_equal(ours(shape), theirs(shape))
    if name != "Orthogonal":  # QR has no half precision
        half = ours(shape, dtype="bfloat16")
        assert keras.backend.standardize_dtype(half.dtype) == "bfloat16"
    if name != "Identity":  # Keras's forgets its gain
        assert ours.get_config().keys() == theirs.get_config().keys()


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)
def test_config_gives_the_same_values_again(name, kwargs):
    config = keras.saving.serialize_keras_object(components()[name](**kwargs))
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is components()[name]
    np.testing.assert_array_equal(again((4, 4)), components()[name](**kwargs)((4, 4)))


@pytest.mark.parametrize("name", sorted({name for name, _ in CASES}))
def test_a_layer_takes_it_and_its_model_loads(name, tmp_path):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(4, kernel_initializer=components()[name]()),
        ]
    )
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.layers[0].kernel_initializer) is components()[name]


def test_an_integer_seed_repeats_and_a_generator_moves_on():
    fixed = RandomNormal(seed=1)
    assert_close(fixed((3, 4)), fixed((3, 4)))
    moving = RandomNormal(seed=keras.random.SeedGenerator(1))
    assert np.all(np.asarray(moving((3, 4))) != np.asarray(moving((3, 4))))


def test_a_seed_may_be_an_integer_of_numpy():
    initializer = RandomNormal(seed=np.int64(1))
    assert_close(initializer((3, 4)), RandomNormal(seed=1)((3, 4)))
    config = keras.saving.serialize_keras_object(initializer)
    again = keras.saving.deserialize_keras_object(json.loads(json.dumps(config)))
    assert_close(again((3, 4)), initializer((3, 4)))


def test_set_random_seed_governs_an_unseeded_one():
    draws = []
    for _ in range(2):
        keras.utils.set_random_seed(5)
        draws.append(np.asarray(GlorotUniform()((3, 4))))
    assert_close(draws[0], draws[1])
    assert np.all(np.asarray(GlorotUniform()((3, 4))) != draws[0])


def test_a_clone_of_an_unseeded_one_draws_anew():
    initializer = RandomNormal()
    assert np.all(
        np.asarray(initializer.clone()((3, 4))) != np.asarray(initializer((3, 4)))
    )


@pytest.mark.parametrize("name", ["truncated_normal", "untruncated_normal", "uniform"])
@pytest.mark.parametrize(("mode", "n"), [("fan_in", 300), ("fan_out", 200)])
def test_variance_is_the_scale_over_the_fan(name, mode, n):
    w = VarianceScaling(2.0, mode, name, seed=1)((300, 200))
    assert_close(np.var(np.asarray(w)), 2.0 / n, rtol=0.02)


def test_he_keeps_the_signal_through_thirty_relu_layers():
    x = np.random.default_rng(0).normal(size=(64, 256)).astype("float32")
    generator = keras.random.SeedGenerator(1)
    for _ in range(30):
        x = np.maximum(x @ np.asarray(HeNormal(seed=generator)((256, 256))), 0)
    assert 0.1 < np.mean(x**2) / 0.5 < 10  # half of the units are off


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (3, 3, 2, 8)])
def test_orthogonal_rows_or_columns_are_orthonormal(shape):
    w = np.asarray(Orthogonal(gain=2.0, seed=1234)(shape)).reshape(-1, shape[-1])
    product = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)


def test_orthogonal_is_even_over_all_rotations():
    """Without the sign correction LAPACK's Q has a first column that points one way."""
    generator = keras.random.SeedGenerator(1)
    initializer = Orthogonal(seed=generator)
    corners = [float(initializer((3, 3))[0, 0]) for _ in range(200)]
    assert abs(np.mean(corners)) < 0.15


def test_identity_leaves_the_input_alone():
    x = np.arange(6.0).reshape(2, 3)
    assert_close(x @ np.asarray(Identity()((3, 3))), x)
    assert np.asarray(Identity(2)((2, 3), dtype="int32")).tolist() == [
        [2, 0, 0],
        [0, 2, 0],
    ]


def test_constant_may_be_boolean():
    w = Constant(True)((2,), dtype="bool")
    assert keras.backend.standardize_dtype(w.dtype) == "bool"
    assert bool(ops.all(w))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VarianceScaling(0), "Argument `scale` must be positive"),
        (lambda: VarianceScaling(mode="fan"), "Invalid `mode` argument:.*'fan'"),
        (lambda: VarianceScaling(distribution="x"), "Invalid `distribution` argument:"),
        (lambda: RandomNormal(seed="1"), "`seed`.*expected an integer"),
        (lambda: GlorotUniform(seed=1.5), "`seed`.*expected an integer"),
        (lambda: Orthogonal()((3,)), "must be at least two-dimensional"),
        (lambda: Identity()((3, 3, 3)), "only be used for 2D matrices.*rank 3"),
    ],
)
def test_refuses_what_cannot_work(make, message):
    with pytest.raises(ValueError, match=message):
        make()
