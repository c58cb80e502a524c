"""CTC against every alignment written out, against Keras, and at its edges."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.losses import CTC, ctc
from loss_cases import AsLayer, softmax
from oracle import array, assert_close, run_layer


def collapse(path):
    """What an alignment spells: repeats are one, then blanks go."""
    merged = [c for c, _ in itertools.groupby(path)]
    return [c for c in merged if c != 0]


def by_brute_force(labels, logits):
    """-log of the summed probability of all C^T alignments that spell the labels."""
    p = softmax(logits.astype("float64"))
    steps, classes = p.shape
    total = sum(
        np.prod([p[t, c] for t, c in enumerate(path)])
        for path in itertools.product(range(classes), repeat=steps)
        if collapse(path) == labels
    )
    return -np.log(total)


@pytest.mark.parametrize(
    "labels",
    [[1], [2, 1], [1, 1], [2, 2, 1], [1, 2, 1], [1, 1, 1], [2, 1, 2, 1, 2], []],
    ids=str,
)
def test_is_the_sum_over_all_alignments(labels):
    logits = array(1, 5, 3, seed=len(labels))
    padded = np.array([labels + [0] * (6 - len(labels))])
    expected = by_brute_force(labels, logits[0])
    np.testing.assert_allclose(ctc(padded, logits)[0], expected, rtol=1e-5)


@pytest.mark.parametrize("reduction", [None, "sum", "sum_over_batch_size"])
@pytest.mark.parametrize("shape", [(3, 8, 5), (2, 30, 4), (1, 4, 2)], ids=str)
def test_same_as_keras(shape, reduction):
    rows, steps, classes = shape
    y_pred = array(*shape, seed=1)
    y_true = array(rows, steps // 3, low=1, high=classes, dtype="int32")
    y_true[0, -1:] = 0
    weight = array(rows, low=0.5, high=2.0)
    ours, theirs = (
        run_layer(AsLayer(cls(reduction=reduction), y_true, weight), y_pred)
        for cls in (CTC, keras.losses.CTC)
    )
    for key in theirs:
        assert_close(ours[key], theirs[key], 1e-5, key)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="Keras computes in float32 in places on JAX and torch",
)
def test_gradient_is_that_of_finite_differences():
    y_true = np.array([[1, 1, 2], [2, 0, 0]])
    y_pred = array(2, 6, 3, dtype="float64")
    result = run_layer(AsLayer(CTC("sum", dtype="float64"), y_true), y_pred)
    step = 1e-5
    for at in np.ndindex(y_pred.shape):
        up, down = y_pred.copy(), y_pred.copy()
        up[at] += step
        down[at] -= step
        slope = (ctc(y_true, up) - ctc(y_true, down)) / (2 * step)
        expected = float(ops.sum(slope)) * array(seed=3)
        assert result["gradient to input 0"][at] == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_is_right_for_logits_of_ten_thousand(dtype):
    logits = np.array([[[0.0, 1e4], [1e4, 0.0], [0.0, 1e4]]], dtype=dtype)
    assert float(ctc([[1, 1]], logits)[0]) == 0
    wrong = ctc([[1, 0]], logits)[0]  # any one of the three moments is wrong
    rel = {"float32": 1e-6, "float16": 1e-3}[dtype]
    assert float(wrong) == pytest.approx(1e4 - np.log(3), rel=rel)


def test_labels_that_do_not_fit_have_no_gradient_and_spoil_nothing():
    y_true = np.array([[1, 1, 1], [1, 2, 0]])
    y_pred = array(2, 4, 3)
    both = run_layer(AsLayer(CTC(None), y_true), y_pred)
    alone = run_layer(AsLayer(CTC(None), y_true[1:]), y_pred[1:])
    assert both["output 0"][0] > 1e29
    np.testing.assert_allclose(both["output 0"][1], alone["output 0"][0], rtol=1e-6)
    gradient = both["gradient to input 0"]
    assert np.all(gradient[0] == 0)
    assert np.all(np.isfinite(gradient))


def test_a_model_learns_where_the_labels_lie():
    model = keras.Sequential([keras.Input((6, 4)), keras.layers.Dense(4)])
    model.compile(keras.optimizers.Adam(0.3), CTC())
    x = np.eye(4, dtype="f")[[[0, 1, 1, 0, 2, 3], [3, 0, 3, 2, 2, 0]]]
    y = np.array([[1, 2, 3], [3, 3, 2]])
    for _ in range(60):
        loss = model.train_on_batch(x, y)
    assert loss < 0.3


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        (np.ones((2, 3, 1)), np.ones((2, 5, 4)), r"`y_true`.*\(B, N\)"),
        (np.ones((2, 3)), np.ones((5, 4)), r"`y_pred`.*\(B, T, C\)"),
        (np.ones((2, 3)), np.ones((2, 5, 4), "complex64"), "real numbers"),
    ],
)
def test_refuses_other_ranks(y_true, y_pred, message):
    with pytest.raises(ValueError, match=message):
        ctc(y_true, y_pred)
