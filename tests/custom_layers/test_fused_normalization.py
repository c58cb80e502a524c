"""Normalizations as programs: equal to the plain ones, and only in a training step."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest

from custom_layers.common import fused as mechanism
from custom_layers.layers import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
)
from custom_layers.layers.normalization import (
    batch_normalization,
    fused,
    group_normalization,
    layer_normalization,
    rms_normalization,
)
from oracle import array, assert_close, run_layer

pytestmark = [
    pytest.mark.one_backend,
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow", reason="the programs are TensorFlow's"
    ),
]
USERS = [
    batch_normalization,
    group_normalization,
    layer_normalization,
    rms_normalization,
]
CASES = [
    (LayerNormalization, {}, (6, 5)),
    (LayerNormalization, {"scale": False, "center": False}, (3, 5, 4)),
    (LayerNormalization, {"axis": [2, 3], "epsilon": 0.1}, (2, 3, 5, 4)),
    (LayerNormalization, {"dtype": "mixed_bfloat16"}, (6, 5)),
    (RMSNormalization, {"dtype": "mixed_float16"}, (6, 5)),
    (RMSNormalization, {}, (3, 5, 4)),
    (RMSNormalization, {"axis": [-1, -2]}, (3, 2, 5, 4)),
    (GroupNormalization, {"groups": 2}, (3, 5, 4)),
    (GroupNormalization, {"groups": -1, "center": False}, (2, 3, 5, 4)),
    (GroupNormalization, {"groups": 1}, (6, 4)),
    (GroupNormalization, {"groups": 2, "dtype": "mixed_bfloat16"}, (3, 5, 4)),
    (BatchNormalization, {"dtype": "mixed_float16"}, (3, 5, 4)),
    (BatchNormalization, {"momentum": 0.3}, (7, 4)),
    (BatchNormalization, {"scale": False}, (2, 3, 5, 4)),
]
MUTANTS = [
    ("dx = dx - dy @ column", "pass"),
    ("    dx = dy * gamma - centered * slope\n", "    dx = dy * gamma\n"),
    ("along_x_hat = tf.reshape(product * inverse", "along_x_hat = tf.reshape(product"),
    ("mean = rows @ column", "mean = 0.0 * rows @ column"),
    ("dx = dx - mean_g", "pass"),
    ("dx = dx - centered * slope", "pass"),
    ("_pooled(gamma * mean_dy, groups)", "_pooled(mean_dy, groups)"),
    ("dbeta * places,", "dbeta,"),
    ("tf.reduce_mean(means, 0, keepdims=True)", "means[:1]"),
]  # fmt: skip


@pytest.fixture
def without_compiling(monkeypatch):
    """What would be compiled runs step by step, so that a case takes milliseconds."""

    def uncompiled(function, **options):
        return lambda *inputs: function(*inputs, **options)

    monkeypatch.setattr(mechanism, "program_of", uncompiled)
    monkeypatch.setattr(fused, "can_fuse", lambda training, *tensors: training)
    monkeypatch.setattr(fused, "FUSED_VALUES", 1)
    monkeypatch.setattr(fused, "FUSED_CHANNELS", 1)


def forbid(monkeypatch):
    """Makes it an error to fuse a normalization."""
    for name in ("_normalize_channels", "_normalize_places"):
        for module in USERS:
            monkeypatch.setattr(module, name, None, raising=False)


def results(cls, kwargs, shape):
    """Output, gradients and state of a training call."""
    layer = cls(**kwargs)
    layer.build(shape)
    for i, weight in enumerate(layer.trainable_weights):
        weight.assign(array(*weight.shape, seed=i))
    return run_layer(layer, array(*shape) * 3 + 2, training=True)


def assert_same(found, desired):
    assert found.keys() == desired.keys()
    largest = max(np.abs(value).max() for value in desired.values())
    for key, value in desired.items():
        np.testing.assert_allclose(
            found[key], value, rtol=1e-5, atol=1e-6 * largest, err_msg=key
        )


def is_same(found, desired):
    try:
        assert_same(found, desired)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize(("cls", "kwargs", "shape"), CASES)
def test_the_program_computes_what_the_plain_layer_does(
    cls, kwargs, shape, without_compiling, monkeypatch
):
    found = results(cls, kwargs, shape)
    with monkeypatch.context() as patch:
        patch.setattr(fused, "FUSED_VALUES", 1e9)
        desired = results(cls, kwargs, shape)
    assert_same(found, desired)
    forbid(monkeypatch)
    with pytest.raises(TypeError, match="NoneType"):
        results(cls, kwargs, shape)


@pytest.mark.parametrize(("old", "new"), MUTANTS)
def test_mistakes_in_the_gradients_are_found(old, new, without_compiling, monkeypatch):
    desired = [results(*case) for case in CASES]
    path = Path(fused.__file__)
    text = path.read_text()
    assert old in text
    name = "custom_layers.layers.normalization.fused"
    mutant = importlib.util.module_from_spec(importlib.util.find_spec(name))
    exec(compile(text.replace(old, new), str(path), "exec"), vars(mutant))
    for module in USERS:
        for function in ("_normalize_channels", "_normalize_places"):
            if hasattr(module, function):
                monkeypatch.setattr(module, function, getattr(mutant, function))
    assert not all(map(is_same, map(results, *zip(*CASES)), desired))


@pytest.mark.parametrize(
    ("cls", "kwargs", "call"),
    [
        (LayerNormalization, {}, {}),
        (LayerNormalization, {}, {"training": False}),
        (LayerNormalization, {"axis": 1}, {"training": True}),
        (LayerNormalization, {"rms_scaling": True}, {"training": True}),
        (RMSNormalization, {}, {}),
        (GroupNormalization, {"groups": 2}, {}),
        (GroupNormalization, {"groups": 2, "axis": 1}, {"training": True}),
        (BatchNormalization, {}, {}),
        (BatchNormalization, {"axis": 1}, {"training": True}),
        (BatchNormalization, {"renorm": True}, {"training": True}),
        (BatchNormalization, {"synchronized": True}, {"training": True}),
        (BatchNormalization, {"trainable": False}, {"training": True}),
        (BatchNormalization, {}, {"training": True, "mask": np.ones((64, 50), bool)}),
    ],
)
def test_what_is_no_plain_training_step_takes_the_plain_formula(
    cls, kwargs, call, monkeypatch
):
    import tensorflow as tf

    forbid(monkeypatch)
    if "rms_scaling" in kwargs:
        monkeypatch.setattr("warnings.warn", lambda *args, **options: None)
    layer, x = cls(**kwargs), array(64, 50, 32)
    layer(x, training=True)  # not in a graph
    tf.function(lambda x: layer(x, **call), autograph=False)(x)
    layer, small = cls(**kwargs), array(8, 50, 32)
    layer(small)
    tf.function(lambda x: layer(x, training=True), autograph=False)(small)


def network():
    model = keras.Sequential(
        [
            LayerNormalization(),
            GroupNormalization(4),
            BatchNormalization(momentum=0.5),
            RMSNormalization(),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    return model


def trained(x, y):
    keras.utils.set_random_seed(2)
    model = network()
    model.fit(x, y, batch_size=16, epochs=2, verbose=0)
    return [keras.ops.convert_to_numpy(w) for w in model.weights]


@pytest.mark.slow
def test_fit_learns_the_weights_of_the_plain_layers_and_the_same_ones_twice(
    monkeypatch,
):
    x, y = array(24, 70, 16) + 1, array(24, 1)  # the last batch has 8 samples
    monkeypatch.setattr(fused, "FUSED_VALUES", 10_000)
    once, twice = trained(x, y), trained(x, y)
    for a, b in zip(once, twice):
        np.testing.assert_array_equal(a, b)
    forbid(monkeypatch)
    monkeypatch.setattr(fused, "FUSED_VALUES", 10**9)
    for a, b in zip(once, trained(x, y)):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(
    "make", [LayerNormalization, BatchNormalization], ids=lambda cls: cls.__name__
)
def test_second_derivatives_are_those_of_the_plain_layer(
    make, jit_compile, monkeypatch
):
    import tensorflow as tf

    layer, x, c = make(), tf.constant(array(3, 5, 16)), array(3, 5, 16, seed=1)
    layer(x)

    def penalty(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.reduce_sum(c * tf.sin(layer(x, training=True)))
            value = tf.reduce_sum(tape.gradient(y, x) ** 2)
        return outer.gradient(value, x)

    found = []
    for values in (1, 10**9):
        monkeypatch.setattr(fused, "FUSED_VALUES", values)
        step = tf.function(penalty, jit_compile=jit_compile, autograph=False)
        found.append(step(x))
    assert_close(*found, rtol=1e-4)


@pytest.mark.slow
def test_a_trained_model_is_saved_and_exported_without_programs(tmp_path, monkeypatch):
    import tensorflow as tf

    monkeypatch.setattr(fused, "FUSED_VALUES", 10_000)
    x = array(16, 70, 16)
    model = network()
    model.fit(x, array(16, 1), verbose=0)
    model.export(str(tmp_path), verbose=False)
    served = tf.saved_model.load(str(tmp_path))
    assert_close(served.serve(x), model.predict(x, verbose=0))
    graph = served.signatures["serving_default"].graph.as_graph_def()
    assert "_XlaMustCompile" not in str(graph)


def test_an_empty_batch_leaves_the_averages_alone(without_compiling):
    layer = BatchNormalization()
    layer.build((None, 5, 4))
    assert layer(np.zeros((0, 5, 4), "float32"), training=True).shape == (0, 5, 4)
    assert not np.any(layer.moving_mean)


def test_a_large_mean_does_not_spoil_the_variance(without_compiling):
    x = array(64, 32, 16) + 3e4
    for layer in (LayerNormalization(), GroupNormalization(4), BatchNormalization()):
        found = np.asarray(layer(x, training=True))
        assert np.std(found) == pytest.approx(1, abs=1e-3)
