"""Metrics: of generated samples whose quality is known, and of sequences."""

import pickle

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.metrics import (
    FrechetDistance,
    ModeOverlap,
    token_accuracy,
    whole_answers,
)
from numpy_formulas import CHECKS, frechet_distance, judge
from oracle import array, components

needs_float64 = pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="JAX has no float64 by default"
)
CENTRES = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0], [5.0, 5.0]], "float32")


@pytest.mark.parametrize(
    "name", ["FrechetDistance", "ModeOverlap", "token_accuracy", "whole_answers"]
)
def test_is_the_formula(name):
    assert CHECKS[name](components()[name]) < 1e-4


def distance(real, generated, batch=50):
    metric = FrechetDistance(judge())
    for start in range(0, len(real), batch):
        part = slice(start, start + batch)
        metric.update_state(real[part], generated[part])
    return float(metric.result())


@needs_float64
@pytest.mark.parametrize("batch", [200, 50, 30])
def test_the_frechet_distance_is_the_papers_formula_over_all_batches(batch):
    x = array(200, 3) @ array(3, 3, seed=1) + 5
    y = array(200, 3, seed=2) @ array(3, 3, seed=3) + 6
    assert distance(x, y, batch) == pytest.approx(frechet_distance(x, y), rel=1e-6)


def test_the_frechet_distance_of_two_gaussians_on_a_line_is_known():
    """(m - n)^2 + (s - t)^2, of the means m, n and the standard deviations s, t."""
    x = np.array([[-1.0], [1.0]] * 50, "float32")
    metric = FrechetDistance(judge(1))
    metric.update_state(x, 3 * x + 10)
    scale = 100 / 99  # of a variance over 100 samples
    assert float(metric.result()) == pytest.approx(100 + 4 * scale, rel=1e-5)


def test_the_frechet_distance_of_images_to_themselves_is_zero():
    x = array(100, 3)
    assert distance(x, x) == pytest.approx(0, abs=1e-5)


def test_the_frechet_distance_sees_a_missing_mode():
    x = array(100, 3)
    x[:, 0] += np.where(np.arange(100) < 50, 5, -5)
    one_mode = np.concatenate([x[:50], x[:50]])
    assert distance(x, one_mode) > 10


@needs_float64
def test_a_large_mean_does_not_spoil_the_frechet_distance():
    x, y = array(100, 3), array(100, 3, seed=1)
    assert distance(x + 1000, y + 1000) == pytest.approx(distance(x, y), rel=1e-3)


def test_samples_that_are_not_finite_have_no_distance_and_stop_nothing():
    y = array(100, 3)
    y[7, 1] = np.nan
    assert np.isnan(distance(array(100, 3), y))


def test_a_metric_that_saw_nothing_says_zero():
    assert float(FrechetDistance(judge()).result()) == 0
    metric = ModeOverlap(CENTRES, 0.5)
    assert float(metric.result()) == 0
    assert metric.figures() == {"modes": 0, "high-quality share": 0, "mode overlap": 0}


def test_a_judge_may_have_one_output():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Identity()])
    x, y = array(50, 3), array(50, 3, seed=1)
    metric = FrechetDistance(model)
    metric.update_state(x, y)
    assert float(metric.result()) == pytest.approx(distance(x, y), rel=1e-4)


def test_pickling_keeps_the_judges_weights_and_a_configuration_does_not():
    """Which its docstring says, so that nobody trusts a judge with random weights."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    metric = FrechetDistance(model)
    same = pickle.loads(pickle.dumps(metric))
    other = FrechetDistance.from_config(metric.get_config())
    found = []
    for each in (metric, same, other):
        each.update_state(array(50, 3), array(50, 3, seed=1))
        found.append(float(each.result()))
    assert found[0] == pytest.approx(found[1])
    assert found[0] != pytest.approx(found[2])
    other.judge.set_weights(model.get_weights())
    other.reset_state()
    other.update_state(array(50, 3), array(50, 3, seed=1))
    assert float(other.result()) == pytest.approx(found[0], rel=1e-4)


def figures(points):
    metric = ModeOverlap(CENTRES, 0.5)
    metric.update_state(None, np.asarray(points, "float32"))
    return metric.figures()


def test_points_spread_over_all_modes_overlap_wholly():
    assert figures(np.repeat(CENTRES, 10, axis=0)) == {
        "modes": 4,
        "high-quality share": 1,
        "mode overlap": 1,
    }


def test_a_collapsed_generator_has_quality_and_little_overlap():
    assert figures(np.repeat(CENTRES[:1], 100, axis=0)) == {
        "modes": 1,
        "high-quality share": 1,
        "mode overlap": pytest.approx(0.25),
    }


def test_points_between_modes_are_of_no_quality():
    found = figures(np.full((10, 2), 2.5))
    assert found["modes"] == found["high-quality share"] == found["mode overlap"] == 0


def test_near_ends_at_three_standard_deviations():
    assert figures([[1.49, 0.0]])["modes"] == 1
    assert figures([[1.51, 0.0]])["modes"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((CENTRES[0], 0.5), r"`centres` must have the shape \(modes, D\).*\(2,\)"),
        ((CENTRES, 0.0), "`spread` must be above 0. Received: spread=0.0"),
    ],
)
def test_mode_overlap_refuses_what_cannot_work(arguments, message):
    with pytest.raises(ValueError, match=message):
        ModeOverlap(*arguments)


def test_padding_counts_in_neither_token_metric():
    y = np.array([[1, 2], [2, 1]])
    scores = np.eye(3)[[[1, 2], [2, 2]]]
    padded = np.pad(y, [(0, 0), (0, 3)])
    for fill in (0, 1):  # what the model says of padding, right and wrong
        wider = np.concatenate([scores, np.eye(3)[np.full((2, 3), fill)]], axis=1)
        for metric in (token_accuracy, whole_answers):
            ours, without = metric(padded, wider), metric(y, scores)
            np.testing.assert_array_equal(
                ops.convert_to_numpy(ours), ops.convert_to_numpy(without)
            )


def test_a_batch_of_padding_alone_is_finite():
    y, scores = np.zeros((2, 3), "int32"), np.ones((2, 3, 4), "float32")
    np.testing.assert_array_equal(
        ops.convert_to_numpy(token_accuracy(y, scores)), [0, 0]
    )
    np.testing.assert_array_equal(
        ops.convert_to_numpy(whole_answers(y, scores)), [True, True]
    )


def test_fit_reports_the_token_metrics():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Embedding(4, 4)])
    model.layers[0].set_weights([np.eye(4)])  # it says what it reads
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss=loss, metrics=[token_accuracy, whole_answers])
    x, y = np.array([[1, 2, 3], [3, 2, 0]]), np.array([[1, 2, 1], [3, 2, 0]])
    found = model.evaluate(x, y, verbose=0, return_dict=True)
    assert found["token_accuracy"] == pytest.approx(4 / 5)
    assert found["whole_answers"] == pytest.approx(1 / 2)
