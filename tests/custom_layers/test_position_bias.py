"""Biases of attention scores by position: ALiBi, and the buckets of T5."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import ALiBi, RelativePositionBias
from oracle import array, assert_close, run_layer
from transformer_formulas import np_alibi, np_bucket, np_relative_bias

KINDS = {
    "both directions": (8, 6, True),
    "one direction": (8, 6, False),
    "few buckets": (4, 2, True),
    "odd": (7, 20, False),
}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        (8, [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]),
        (16, [2 ** (-h / 2) for h in range(1, 17)]),
        (3, [2 ** (-8 / 3), 2 ** (-16 / 3), 2**-8]),
    ],
)
def test_the_slopes_of_alibi_are_those_of_the_paper(heads, expected):
    y = ALiBi()(ops.zeros((heads, 1, 2)), start_index=1)
    found = -ops.convert_to_numpy(y)[:, 0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("start", [0, 3])
def test_alibi_is_the_papers_formula(start):
    scores = array(2, 6, 3, 7)
    bias = np_alibi(6, start + 3, 7)[:, start:]
    for place in (start, ops.convert_to_tensor(start)):
        y = ALiBi()(scores, start_index=place)
        assert_close(y, scores + bias)


def test_the_buckets_of_t5_begin_at_its_distances():
    """Of 32 buckets up to 128: 8 of a direction hold one distance each."""
    layer = RelativePositionBias()
    first = [min(n for n in range(200) if layer.bucket(-n) == b) for b in range(16)]
    assert first == [*range(8), 8, 12, 16, 23, 32, 46, 64, 91]
    assert layer.bucket(1) == 17
    assert layer.bucket(10_000) == 31
    assert layer.bucket(-10_000) == 15
    causal = RelativePositionBias(bidirectional=False)
    assert [causal.bucket(place) for place in (5, 0, -1, -16, -128)] == [
        0,
        0,
        1,
        16,
        31,
    ]


@kinds
def test_buckets_are_the_papers_formula(kind):
    layer = RelativePositionBias(*kind)
    for place in range(-30, 31):
        assert layer.bucket(place) == np_bucket(place, *kind), place


@kinds
@pytest.mark.parametrize("start", [0, 4])
def test_relative_bias_is_the_papers_formula_and_its_gradient_a_sum(kind, start):
    layer, scores = RelativePositionBias(*kind), array(2, 3, 5, 9)
    layer.build(scores.shape)
    table = array(kind[0], 3, seed=5)
    layer.set_weights([table])
    found = run_layer(layer, scores, start_index=start)
    bias = np_relative_bias(table, start + 5, 9, *kind[1:])[:, start:]
    assert_close(found["output 0"], scores + bias)
    upstream = array(*scores.shape, seed=3)  # as run_layer has it
    expected = np.zeros_like(table)
    for b, h, i, j in np.ndindex(*scores.shape):
        expected[np_bucket(j - i - start, *kind), h] += upstream[b, h, i, j]
    assert_close(found["gradient to embeddings"], expected)


def test_the_last_bucket_has_all_that_is_farther():
    layer = RelativePositionBias(8, max_distance=20, bidirectional=False)
    y = ops.convert_to_numpy(layer(ops.zeros((2, 1, 40)), start_index=39))
    assert len(np.unique(y[0, 0, :26])) == 1  # 14 and farther
    assert len(np.unique(y[0, 0])) == 8


@pytest.mark.parametrize("make", [ALiBi, RelativePositionBias])
def test_only_the_distance_counts(make):
    layer = make()
    scores = ops.zeros((4, 3, 9))
    early = ops.convert_to_numpy(layer(scores, start_index=1))
    late = ops.convert_to_numpy(layer(scores, start_index=6))
    np.testing.assert_array_equal(late[..., 5:], early[..., :4])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: RelativePositionBias(0), "`num_buckets`.*positive integer"),
        (lambda: RelativePositionBias(8, 0), "`max_distance`.*positive integer"),
        (lambda: RelativePositionBias(7), "must be even"),
        (lambda: RelativePositionBias(2), "at least 2 buckets"),
        (lambda: RelativePositionBias(32, 8), "`max_distance`"),
        (lambda: ALiBi()(array(3, 4)), r"scores \(..., heads, T, S\)"),
        (lambda: ALiBi()(keras.Input((None, 3, 4))), "must be known"),
    ],
)
def test_refuses(make, says):
    with pytest.raises(ValueError, match=says):
        make()
