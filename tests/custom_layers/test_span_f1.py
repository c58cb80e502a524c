"""Span F1: what a span is, padding, potentials of a CRF, and what is refused."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.common.private_keras import set_mask
from custom_layers.layers import CRF, viterbi
from custom_layers.metrics import SpanF1
from metric_formulas import NAMED, NAMES, TAGS
from oracle import array

OUT, B_A, I_A, B_B, I_B = range(5)


def score(y, p, mask=None, **weights):
    metric = SpanF1(NAMES)
    p = ops.convert_to_tensor(np.array(p))
    if mask is not None:
        set_mask(p, ops.convert_to_tensor(mask))
    metric.update_state(np.array(y), p, **weights)
    return float(metric.result())


@pytest.mark.parametrize(
    ("truth", "answer", "expected"),
    [
        ([B_A, I_A, OUT], [B_A, I_A, OUT], 1),
        ([B_A, I_A, OUT], [I_A, I_A, OUT], 1),  # an I without a B begins a span
        ([B_A, I_A, OUT], [B_A, OUT, OUT], 0),  # an end is missing
        ([B_A, I_A, OUT], [OUT, I_A, OUT], 0),  # the beginning is missing
        ([B_A, I_A, OUT], [B_B, I_B, OUT], 0),  # another type
        ([B_A, I_A, OUT], [B_A, B_A, OUT], 0),  # two spans, of which none is right
        ([B_A, B_A, OUT], [B_A, B_A, OUT], 1),
        ([B_A, I_B, OUT], [B_A, B_B, OUT], 1),  # another type begins a span
        ([B_A, OUT, B_B], [B_A, OUT, OUT], 2 / 3),
        ([B_A, OUT, OUT], [B_A, OUT, B_B], 2 / 3),
        ([OUT, OUT, I_B], [OUT, OUT, B_B], 1),  # the last step ends a span
        ([OUT, OUT, OUT], [OUT, OUT, OUT], 0),
        ([OUT, OUT, OUT], [B_A, OUT, OUT], 0),
    ],
)
def test_a_span_is_right_if_its_ends_and_its_type_are(truth, answer, expected):
    assert score([truth], [answer]) == pytest.approx(expected)


def test_no_span_reaches_from_one_sequence_into_the_next():
    assert score([[OUT, B_A], [I_A, OUT]], [[OUT, B_A], [B_A, OUT]]) == 1


def test_what_a_mask_hides_stands_outside():
    mask = np.arange(7) < np.array([7, 3, 0] * 10)[:, None]
    cut_y, cut_p = np.where(mask, TAGS, OUT), np.where(mask, NAMED.argmax(-1), OUT)
    wanted = score(cut_y, cut_p)
    assert 0 < wanted < 1
    assert score(TAGS, NAMED, mask) == pytest.approx(wanted)
    assert score(TAGS, NAMED.argmax(-1), mask) == pytest.approx(wanted)


def test_a_number_that_is_no_tag_stands_outside():
    assert score([[B_A, -1, B_B, 99]], [[B_A, OUT, B_B, OUT]]) == 1


def test_potentials_count_by_their_best_tagging():
    layer = CRF()
    x = ops.convert_to_tensor(array(6, 5, 5))
    layer.build(x.shape)
    layer.set_weights([array(*w.shape, seed=i) for i, w in enumerate(layer.weights)])
    mask = ops.convert_to_tensor(np.arange(5) < np.array([5, 4, 3, 2, 1, 5])[:, None])
    psi = layer(x, mask=mask)
    y = TAGS[:6, :5]
    metric = SpanF1(NAMES)
    metric.update_state(y, psi)
    wanted = score(y, ops.convert_to_numpy(viterbi(psi)), np.asarray(mask))
    assert float(metric.result()) == pytest.approx(wanted)


def test_the_counts_of_all_batches_make_the_score():
    whole, parts = SpanF1(NAMES), SpanF1(NAMES)
    whole.update_state(TAGS, NAMED)
    for rows in (slice(0, 4), slice(4, None)):
        parts.update_state(TAGS[rows], NAMED[rows])
    assert float(parts.result()) == float(whole.result())
    parts.reset_state()
    assert float(parts.result()) == 0


@pytest.mark.slow
def test_fit_reports_it():
    words = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(6, 5, mask_zero=True)(words)
    model = keras.Model(words, x)
    jax = keras.backend.backend() == "jax"
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss=loss, metrics=[SpanF1(NAMES)], jit_compile=jax)
    ids = TAGS + 1
    ids[:, 5:] = 0  # padding
    found = model.evaluate(ids, TAGS, batch_size=8, verbose=0, return_dict=True)
    wanted = score(TAGS, model.predict(ids, verbose=0), ids > 0)
    assert found["span_f1"] == pytest.approx(wanted)


@pytest.mark.one_backend
def test_refuses_tags_without_spans_and_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="a name that begins with B- or I-"):
        SpanF1(["NOUN", "VERB"])
    with pytest.raises(ValueError, match="SpanF1 expects y_pred of the shape"):
        SpanF1(NAMES).update_state([1, 2], [1, 2])
    with pytest.raises(ValueError, match=r"must have the shape \(B, T\)"):
        SpanF1(NAMES).update_state(TAGS, NAMED[:, :6])
