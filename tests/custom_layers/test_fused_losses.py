"""Cross-entropies as programs: equal to the plain ones, and gradients to match."""

import functools
import importlib.util
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest

from custom_layers.common import fused as mechanism
from custom_layers.losses import (
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
    TokenCrossentropy,
    crossentropy,
    fused,
    token_crossentropy,
)
from oracle import array, assert_close

pytestmark = [
    pytest.mark.one_backend,
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow", reason="the programs are TensorFlow's"
    ),
]
CLASSES = 12
USERS = [crossentropy, token_crossentropy]
NAMES = ["_surprise_of_labels", "_surprise_of_shares"]
LOGITS = {"from_logits": True, "reduction": None}
LABELS = array(4, 3, low=1, high=CLASSES, dtype="int32")
SHARES = array(4, 3, CLASSES, low=0, high=1)
WEIGHTS = array(4, 3, low=0, high=2)
CASES = [
    (SparseCategoricalCrossentropy, LOGITS, LABELS),
    (SparseCategoricalCrossentropy, {**LOGITS, "ignore_class": 3}, LABELS % 4),
    (SparseCategoricalCrossentropy, LOGITS, LABELS * 2 - 3),  # some are no class
    (CategoricalCrossentropy, LOGITS, SHARES),
    (CategoricalCrossentropy, {**LOGITS, "label_smoothing": 0.2}, SHARES),
    (TokenCrossentropy, {}, LABELS % 5),
    (TokenCrossentropy, {"label_smoothing": 0.2}, LABELS % 5),
]
MUTANTS = [
    ("of_label = tf.gather(z, labels, batch_dims=1)[:, None] - m",
     "of_label = tf.gather(z, labels, batch_dims=1)[:, None]"),
    ("loss = log_sum - (1 - smoothing) * of_label", "loss = log_sum - of_label"),
    ("smoothing * (mean - m)", "smoothing * mean"),
    ("p = tf.exp(z - m - log_sum)\n    t =", "p = tf.exp(z - m)\n    t ="),
    ("+ smoothing / z.shape[-1]", ""),
    ("(p - t) * upstream[0][:, None]", "p - t"),
    ("(p * total - t)", "(p - t)"),
    ("(log_total - z)", "(z - log_total)"),
    ("total = _sum_of_classes(lambda t: t, t)", "total = z[:, :1] * 0 + 1.0"),
]  # fmt: skip


@pytest.fixture
def without_compiling(monkeypatch):
    """What would be compiled runs step by step, so that a case takes milliseconds."""

    def uncompiled(function, **options):
        return lambda *inputs: function(*inputs, **options)

    monkeypatch.setattr(mechanism, "program_of", uncompiled)
    monkeypatch.setattr(fused, "can_fuse", lambda *tensors: True)
    monkeypatch.setattr(fused, "FUSED_CLASSES", 2)
    monkeypatch.setattr(fused, "PIECE_LENGTH", 8)  # so that 12 classes are two pieces


def results(cls, kwargs, y_true, scale=1.0):
    """The loss and its gradients to logits and truth."""
    import tensorflow as tf

    z, y_true = tf.constant(array(4, 3, CLASSES) * scale), tf.constant(y_true)
    inputs = [z, y_true] if y_true.dtype.is_floating else [z]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = cls(**kwargs)(y_true, z, sample_weight=WEIGHTS)
        total = tf.reduce_sum(tf.where(loss == loss, loss, 0.0))  # without NaN
    return [loss, *tape.gradient(total, inputs)]


def is_same(found, desired):
    return all(
        np.allclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True)
        for a, b in zip(found, desired, strict=True)
    )


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize(("cls", "kwargs", "y_true"), CASES)
def test_the_program_computes_what_the_plain_loss_does(
    cls, kwargs, y_true, scale, without_compiling, monkeypatch
):
    found = results(cls, kwargs, y_true, scale)
    with monkeypatch.context() as patch:
        patch.setattr(fused, "FUSED_CLASSES", 1_000)
        desired = results(cls, kwargs, y_true, scale)
    for actual, value in zip(found, desired, strict=True):
        np.testing.assert_allclose(actual, value, rtol=1e-5, atol=1e-6 * scale)
    for module in USERS:
        for name in NAMES:
            monkeypatch.setattr(module, name, None, raising=False)
    with pytest.raises(TypeError, match="NoneType"):
        results(cls, kwargs, y_true)


@pytest.mark.parametrize(("old", "new"), MUTANTS)
def test_mistakes_in_the_formulas_are_found(old, new, without_compiling, monkeypatch):
    desired = [results(*case) for case in CASES]
    path = Path(fused.__file__)
    text = path.read_text()
    assert old in text
    specification = importlib.util.find_spec("custom_layers.losses.fused")
    mutant = importlib.util.module_from_spec(specification)
    exec(compile(text.replace(old, new), str(path), "exec"), vars(mutant))
    for module in USERS:
        for name in NAMES:
            monkeypatch.setattr(module, name, getattr(mutant, name), raising=False)
    assert not all(map(is_same, map(results, *zip(*CASES)), desired))


def test_logits_behind_a_softmax_are_used(without_compiling):
    loss = SparseCategoricalCrossentropy(reduction=None)
    z = keras.ops.convert_to_tensor(array(4, 3, CLASSES) * 100)
    y = loss(LABELS, keras.activations.softmax(z))
    assert_close(y, SparseCategoricalCrossentropy(**LOGITS)(LABELS, z))
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        loss = SparseCategoricalCrossentropy(from_logits=True)
        loss(LABELS, keras.activations.softmax(z))
    assert "remove one of the two" in str(found[0].message)


def test_probabilities_other_axes_and_half_precision_take_the_plain_formula(
    monkeypatch,
):
    import tensorflow as tf

    for name in NAMES:
        monkeypatch.setattr(crossentropy, name, None)
    monkeypatch.setattr(fused, "FUSED_CLASSES", 2)
    z, y = tf.constant(array(4, 3, 3)), tf.constant(LABELS[:, :3] % 3)
    for options, dtype in [
        ({}, "float32"),
        ({"from_logits": True, "axis": 1}, "float32"),
        ({"from_logits": True, "dtype": "float64"}, "float64"),
    ]:
        loss = SparseCategoricalCrossentropy(**options)
        tf.function(loss, autograph=False)(y, tf.nn.softmax(tf.cast(z, dtype)))
    loss = SparseCategoricalCrossentropy(from_logits=True)
    loss(y, z)  # not in a graph
    with pytest.raises(TypeError, match="NoneType"):
        tf.function(loss, autograph=False)(y, z)


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "kwargs", "y_true"), [CASES[1], CASES[4], CASES[6]])
def test_compiled_it_is_the_plain_loss(cls, kwargs, y_true, monkeypatch):
    import tensorflow as tf

    found = []
    for classes, jit_compile in [(2, False), (2, True), (1_000, False)]:
        monkeypatch.setattr(fused, "FUSED_CLASSES", classes)
        call = functools.partial(results, cls, kwargs, y_true)
        step = tf.function(call, jit_compile=jit_compile, autograph=False)
        found.append(step())
    assert is_same(found[0], found[2])
    assert is_same(found[1], found[2])
