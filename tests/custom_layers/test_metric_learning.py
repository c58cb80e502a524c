"""Metric learning against the formulas of the papers, written out with loops."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.losses import (
    Circle,
    Contrastive,
    NPairs,
    TripletHard,
    TripletSemiHard,
    circle,
)
from loss_cases import AsLayer, data
from oracle import array, run_layer

LABELS = np.array([0, 1, 0, 2, 1, 0, 2, 1])
DISTANCES = {
    "L2": lambda a, b: np.sqrt(np.sum((a - b) ** 2)),
    "squared-L2": lambda a, b: np.sum((a - b) ** 2),
    "angular": lambda a, b: 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b),
}


def triplet_sets(labels):
    """(anchor, its like ones, its unlike ones) of each sample."""
    for a, label in enumerate(labels):
        like = [p for p in range(len(labels)) if labels[p] == label and p != a]
        yield a, like, [n for n in range(len(labels)) if labels[n] != label]


def semi_hard(labels, x, margin, d):
    """FaceNet: mean over all like pairs of the batch."""
    costs = []
    for a, like, unlike in triplet_sets(labels):
        for p in like:
            away = [d(x[a], x[n]) for n in unlike]
            farther = [far for far in away if far > d(x[a], x[p])]
            chosen = min(farther) if farther else max(away)
            costs.append(max(0, d(x[a], x[p]) - chosen + margin))
    return np.mean(costs)


def batch_hard(labels, x, margin, d, soft):
    """Hermans et al., equation 5: mean over all anchors."""
    costs = []
    for a, like, unlike in triplet_sets(labels):
        worst = max(d(x[a], x[p]) for p in like) - min(d(x[a], x[n]) for n in unlike)
        costs.append(np.log1p(np.exp(worst)) if soft else max(0, worst + margin))
    return np.mean(costs)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("margin", [0.2, 1.0])
@pytest.mark.parametrize("metric", DISTANCES)
def test_triplets_are_those_of_the_papers(metric, margin, seed):
    x, d = array(8, 3, seed=seed), DISTANCES[metric]
    loss = TripletSemiHard(margin, metric)(LABELS, x)
    assert float(loss) == pytest.approx(semi_hard(LABELS, x, margin, d), rel=1e-5)
    for soft in (False, True):
        loss = TripletHard(margin, soft, metric)(LABELS[:, None], x)
        expected = batch_hard(LABELS, x, margin, d, soft)
        assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_semi_hard_takes_the_farthest_where_none_is_farther_than_the_pair():
    x = np.array([[0.0], [5.0], [1.0], [2.0]])
    labels = np.array([0, 0, 1, 1])
    loss = TripletSemiHard(reduction=None)(labels, x)
    # Anchor 0, pair at 5: both unlike ones are nearer, 2 is the farther of them.
    # The share of one anchor of four with one pair each is its loss: 5 - 2 + 1.
    assert float(loss[0]) == pytest.approx(4)


def test_n_pairs_is_a_softmax_over_the_batch():
    s = array(8, 8)
    costs = []
    for a, row in enumerate(s):
        like = [j for j in range(8) if LABELS[j] == LABELS[a]]
        log_p = row - np.log(np.sum(np.exp(row)))
        costs.append(-np.mean(log_p[like]))
    np.testing.assert_allclose(NPairs(None)(LABELS, s), costs, rtol=1e-5)
    # With one like column a row: log(1 + sum(exp(s_n - s_p))), Sohn's equation 7.
    s = array(4, 4)
    costs = [np.log(1 + sum(np.exp(np.delete(s[i] - s[i, i], i)))) for i in range(4)]
    np.testing.assert_allclose(NPairs(None)(np.arange(4), s), costs, rtol=1e-5)


def test_contrastive_pulls_like_pairs_and_pushes_unlike_ones_up_to_the_margin():
    y_true, d = np.array([1, 0, 1, 0.0]), np.array([0.3, 0.3, 2.0, 2.0])
    y = Contrastive(margin=1.5, reduction=None)(y_true, d)
    np.testing.assert_allclose(y, [0.09, 1.44, 4.0, 0.0], rtol=1e-6)


def test_circle_is_the_formula_of_the_paper():
    x, gamma, m = data("unit", (8, 3)), 16.0, 0.25
    s = x @ x.T
    expected = []
    for a, like, unlike in triplet_sets(LABELS):
        up = [np.exp(gamma * max(0, s[a, n] + m) * (s[a, n] - m)) for n in unlike]
        down = [
            np.exp(-gamma * max(0, 1 + m - s[a, p]) * (s[a, p] - 1 + m)) for p in like
        ]
        expected.append(np.log(1 + sum(up) * sum(down)))
    y = Circle(gamma, m, reduction=None)(LABELS, x)
    np.testing.assert_allclose(y, expected, rtol=1e-4)


def test_circle_against_a_reference_set_is_keras():
    x, refs = data("unit", (5, 3)).astype("f"), data("unit", (7, 3), seed=1).astype("f")
    arguments = {
        "ref_labels": LABELS[:7],
        "ref_embeddings": refs,
        "remove_diagonal": False,
        "gamma": 10.0,
    }
    ours = circle(LABELS[:5], x, **arguments)
    theirs = keras.losses.circle(LABELS[:5], x, **arguments)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


LOSSES = [
    TripletSemiHard(reduction="sum"),
    TripletHard(reduction="sum"),
    TripletHard(soft=True, reduction="sum"),
    Circle(reduction="sum"),
]


def describe(loss):
    return f"{loss.name}-{getattr(loss, 'soft', '')}"


@pytest.mark.parametrize("loss", LOSSES, ids=describe)
def test_gradient_is_that_of_finite_differences(loss):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Keras computes in float32 in places on JAX and torch")
    loss = type(loss).from_config({**loss.get_config(), "dtype": "float64"})
    x = data("unit", (8, 3))
    result = run_layer(AsLayer(loss, LABELS), x)
    gradient = result["gradient to input 0"] / array(seed=3)
    for at in [(0, 0), (3, 1), (7, 2)]:
        up, down = x.copy(), x.copy()
        up[at] += 1e-6
        down[at] -= 1e-6
        slope = float(loss(LABELS, up) - loss(LABELS, down)) / 2e-6
        assert gradient[at] == pytest.approx(slope, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=describe)
@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0, 0, 0, 0], [0, 0, 0, 1]])
def test_what_has_no_triplet_is_finite_and_so_is_its_gradient(loss, labels):
    x = data("unit", (4, 3)).astype("f")
    x[1] = x[0]  # a distance of 0 has no slope either
    result = run_layer(AsLayer(loss, np.array(labels)), x)
    assert all(np.all(np.isfinite(value)) for value in result.values())
    if labels != [0, 0, 0, 1]:
        assert result["output 0"] == 0
        assert np.all(result["gradient to input 0"] == 0)


def test_an_anchor_without_a_like_one_is_left_out_of_the_mean():
    x = array(4, 3)
    loss = TripletHard()
    alone, labels = [0, 0, 0, 1], [0, 0, 0, 1]
    per_anchor = ops.convert_to_numpy(TripletHard(reduction=None)(labels, x))
    assert per_anchor[3] == 0
    assert float(loss(alone, x)) == pytest.approx(per_anchor[:3].mean())


@pytest.mark.parametrize("loss", LOSSES, ids=describe)
def test_training_draws_like_samples_together(loss):
    x = data("unit", (8, 3)).astype("f")
    labels = np.array([0, 1] * 4)
    before = float(loss(labels, x))
    for _ in range(30):
        gradient = run_layer(AsLayer(loss, labels), x)["gradient to input 0"]
        gradient = gradient / array(seed=3)
        x = x - 0.1 * gradient / np.linalg.norm(gradient)
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
    assert float(loss(labels, x)) < 0.9 * before


@pytest.mark.parametrize("cls", [TripletSemiHard, TripletHard, NPairs, Circle])
def test_sample_weights_weigh_anchors(cls):
    x = array(8, 8)
    weight = array(8, low=0.0, high=2.0)
    each = ops.convert_to_numpy(cls(reduction=None)(LABELS, x))
    total = float(cls(reduction="sum")(LABELS, x, weight))
    assert total == pytest.approx(float(np.sum(each * weight)), rel=1e-5)


@pytest.mark.parametrize("cls", [TripletSemiHard, TripletHard, NPairs, Circle])
@pytest.mark.parametrize("shapes", [((4, 2), (4, 3)), ((4,), (4, 3, 2)), ((4,), (4,))])
def test_refuses_shapes_that_are_not_a_batch_of_embeddings(cls, shapes):
    y_true, y_pred = (np.ones(shape) for shape in shapes)
    with pytest.raises(ValueError, match=r"must have the shapes \(B,\) and \(B, D\)"):
        cls()(y_true, y_pred)


def test_refuses_an_unknown_metric_and_a_margin_of_zero():
    with pytest.raises(ValueError, match="`distance_metric` argument must be 'L2' or"):
        TripletHard(distance_metric="cosine")
    with pytest.raises(ValueError, match="`margin` must be above 0"):
        Contrastive(margin=0)
