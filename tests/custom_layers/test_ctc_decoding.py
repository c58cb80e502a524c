"""Decoding and alignment of CTC against all alignments, and errors by definition."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.generation import ctc_align, ctc_decode
from custom_layers.losses import CTC, ctc
from custom_layers.metrics import edit_distance, label_error_rate
from loss_cases import softmax
from oracle import array, assert_close


def collapse(path, blank=0):
    """What an alignment spells: repeats are one, then blanks go."""
    merged = [c for c, _ in itertools.groupby(path)]
    return tuple(c for c in merged if c != blank)


def probabilities(logits, blank=0):
    """{labels: the summed probability of all alignments that spell them}."""
    p = softmax(logits.astype("float64"))
    steps, classes = p.shape
    found = {}
    for path in itertools.product(range(classes), repeat=steps):
        labels = collapse(path, blank)
        chance = np.prod([p[t, c] for t, c in enumerate(path)])
        found[labels] = found.get(labels, 0.0) + chance
    return found


def without_padding(row):
    return tuple(c for c in ops.convert_to_numpy(row).tolist() if c >= 0)


def beam(logits, **options):
    labels, scores = ctc_decode(logits, strategy="beam_search", **options)
    return ops.convert_to_numpy(labels), ops.convert_to_numpy(scores)


@pytest.mark.parametrize("blank", [0, 1, 2])
def test_a_beam_of_full_width_sums_over_all_alignments(blank):
    logits = array(3, 5, 3, seed=4) * 2
    labels, scores = beam(logits, beam_width=120, top_paths=8, mask_index=blank)
    for row in range(3):
        expected = probabilities(logits[row], blank)
        best = sorted(expected, key=expected.get, reverse=True)[:8]
        found = [without_padding(path) for path in labels[:, row]]
        assert found == best
        assert_close(scores[row], np.log([expected[y] for y in best]).astype("f"), 1e-4)


def plain_beam(logits, width):
    """The same search over Python's dicts: {labels: [b, n]}."""
    p = softmax(logits.astype("float64"))
    rows = {(): [1.0, 0.0]}
    for frame in p:
        after = {}
        for y, (b, n) in rows.items():
            entry = after.setdefault(y, [0.0, 0.0])
            entry[0] += (b + n) * frame[0]
            if y:
                entry[1] += n * frame[y[-1]]
            for k in range(1, len(frame)):
                entry = after.setdefault((*y, k), [0.0, 0.0])
                entry[1] += frame[k] * (b if y[-1:] == (k,) else b + n)
        best = sorted(after, key=lambda y: -sum(after[y]))[:width]
        rows = {y: after[y] for y in best}
    return {y: np.log(sum(pair)) for y, pair in rows.items()}


@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_a_narrow_beam_keeps_the_likeliest_rows_of_each_frame(width):
    logits = array(2, 12, 4, seed=1) * 2
    labels, scores = beam(logits, beam_width=width, top_paths=width)
    for row in range(2):
        expected = plain_beam(logits[row], width)
        assert [without_padding(path) for path in labels[:, row]] == [*expected]
        assert_close(scores[row], np.array([*expected.values()], "f"), 1e-4)


def test_the_score_of_a_wide_beam_is_minus_the_loss():
    logits = array(2, 6, 3, seed=2)
    labels, scores = beam(logits, beam_width=200)
    loss = ctc(np.maximum(labels[0], 0), logits)
    assert_close(scores[:, 0], -ops.convert_to_numpy(loss), 1e-4)


def test_the_labels_of_a_beam_may_repeat():
    """Between two equal labels stands a blank, which greedy decoding hears as well."""
    logits = 9.0 * np.eye(3, dtype="f")[[[1, 1, 0, 1, 2, 2]]]
    for strategy in ("greedy", "beam_search"):
        labels, _ = ctc_decode(logits, strategy=strategy, beam_width=5)
        assert without_padding(labels[0, 0]) == (1, 1, 2)


@pytest.mark.parametrize("strategy", ["greedy", "beam_search"])
@pytest.mark.parametrize("mask_index", [0, 2, None])
@pytest.mark.parametrize("merge_repeated", [True, False])
def test_same_as_keras(strategy, mask_index, merge_repeated):
    if strategy == "beam_search" and mask_index is None:
        pytest.skip("Keras's backends differ")
    logits = array(4, 9, 5, seed=3) * 3
    options = {
        "sequence_lengths": np.array([9, 4, 1, 7]),
        "strategy": strategy,
        "beam_width": 30,
        "top_paths": 3,
        "mask_index": mask_index,
        "merge_repeated": merge_repeated,
    }
    ours = ctc_decode(logits, **options)
    theirs = keras.ops.ctc_decode(logits, **options)
    np.testing.assert_array_equal(*map(ops.convert_to_numpy, (ours[0], theirs[0])))
    assert_close(ours[1], ops.convert_to_numpy(theirs[1]), 1e-4)


@pytest.mark.parametrize("strategy", ["greedy", "beam_search"])
def test_frames_behind_the_length_may_hold_anything(strategy):
    short = array(1, 4, 3, seed=5) * 3
    rest = np.full((1, 3, 3), 50.0, "f")
    options = {"strategy": strategy, "beam_width": 6}
    alone = ctc_decode(short, **options)
    padded = ctc_decode(np.concatenate([short, rest], 1), [4], **options)
    assert without_padding(padded[0][0, 0]) == without_padding(alone[0][0, 0])
    assert_close(padded[1], ops.convert_to_numpy(alone[1]), 1e-5)


def test_paths_that_are_not_there_are_empty():
    labels, scores = beam(np.zeros((1, 1, 2), "f"), beam_width=5, top_paths=5)
    assert [without_padding(path) for path in labels[:, 0]].count(()) >= 3
    assert np.isfinite(scores).all()
    assert_close(np.exp(scores[0, :2]), np.array([0.5, 0.5], "f"))


@pytest.mark.parametrize("labels", [[1], [1, 1], [2, 1], [1, 2, 1], []], ids=str)
def test_an_alignment_is_the_likeliest_of_all(labels):
    logits = array(1, 6, 3, seed=7 + len(labels)) * 2
    p = softmax(logits[0].astype("float64"))
    ways = {
        path: np.prod([p[t, c] for t, c in enumerate(path)])
        for path in itertools.product(range(3), repeat=6)
        if collapse(path) == tuple(labels)
    }
    padded = np.array([labels + [0] * (4 - len(labels))])
    found = ops.convert_to_numpy(ctc_align(padded, logits))[0]
    assert tuple(found.tolist()) == max(ways, key=ways.get)


def test_an_alignment_ends_with_its_frames():
    logits = array(2, 8, 4, seed=9) * 2
    labels = np.array([[1, 3, 0], [2, -1, -1]])
    padded = ops.convert_to_numpy(ctc_align(labels, logits, [5, 3]))
    for row, length in enumerate([5, 3]):
        alone = ctc_align(labels[row : row + 1], logits[row : row + 1, :length])
        np.testing.assert_array_equal(
            padded[row, :length], ops.convert_to_numpy(alone)[0]
        )
        assert not padded[row, length:].any()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ctc_decode(np.zeros((2, 3))), r"`inputs`.*\(B, T, C\)"),
        (lambda: ctc_decode(np.zeros((1, 2, 3)), strategy="best"), "strategy"),
        (lambda: ctc_decode(np.zeros((1, 2, 3)), beam_width=0), "`beam_width`"),
        (lambda: ctc_decode(np.zeros((1, 2, 3)), mask_index=3), "`mask_index`.*3"),
        (
            lambda: ctc_decode(
                np.zeros((1, 2, 3)), strategy="beam_search", beam_width=2, top_paths=3
            ),
            "`top_paths`.*beam_width=2",
        ),
        (lambda: ctc_align([1, 2], np.zeros((1, 2, 3))), r"`y_true`.*\(B, N\)"),
        (lambda: ctc_align([[1]], np.zeros((2, 3))), r"`y_pred`.*\(B, T, C\)"),
    ],
)
def test_refuses(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def distance(y, p):
    """The edit distance by its recursive definition."""
    if not y or not p:
        return len(y) + len(p)
    return min(
        distance(y[1:], p[1:]) + (y[0] != p[0]),
        distance(y[1:], p) + 1,
        distance(y, p[1:]) + 1,
    )


def test_the_edit_distance_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    y = rng.integers(-1, 4, (20, 5))
    p = rng.integers(-1, 4, (20, 6))
    found = ops.convert_to_numpy(edit_distance(y, p))
    for row in range(20):
        texts = [tuple(x[x > 0]) for x in (y[row], p[row])]
        assert found[row] == distance(*texts)


def test_the_label_error_rate_counts_wrong_missing_and_surplus_labels():
    frames = [[1, 0, 2, 0, 3], [1, 0, 0, 0, 3], [1, 2, 2, 0, 2], [0, 0, 0, 0, 0]]
    logits = 9.0 * np.eye(4, dtype="f")[frames]
    labels = np.array([[1, 2, 3]] * 2 + [[1, 2, 0], [1, 2, 3]])
    found = ops.convert_to_numpy(label_error_rate(labels, logits))
    assert_close(found, np.array([0, 1 / 3, 1 / 2, 1], "f"))
    x = keras.Input((5, 4))
    model = keras.Model(x, keras.layers.Identity()(x))
    model.compile(loss=CTC(), metrics=[label_error_rate])
    measured = model.evaluate(logits, labels, verbose=0, return_dict=True)
    assert measured["label_error_rate"] == pytest.approx(np.mean(found), rel=1e-5)
