"""Metrics against scikit-learn, SciPy, Keras and published numbers; properties."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.common.private_keras import set_mask
from custom_layers.metrics import (
    AUC,
    CohenKappa,
    F1Score,
    FBetaScore,
    GeometricMean,
    HammingLoss,
    MatthewsCorrelationCoefficient,
    MeanIoU,
    MultiLabelConfusionMatrix,
    Perplexity,
    Precision,
    R2Score,
    SparseTopKCategoricalAccuracy,
    SpearmansRank,
    TopKCategoricalAccuracy,
)
from metric_formulas import (
    LABELS,
    ROWS,
    SCORES,
    SEVERAL,
    SHARES,
    WEIGHT,
    error_of_row,
    result_of,
)
from oracle import array, components

JAX = keras.backend.backend() == "jax"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}({row[1]})"[:60])
def test_is_the_formula(row):
    assert error_of_row(components()[row[0]], row) < 1e-4


IN_KERAS = [
    row
    for row in ROWS
    if hasattr(keras.metrics, row[0]) and "num_regressors" not in row[1]
]


@pytest.mark.parametrize("row", IN_KERAS, ids=lambda row: f"{row[0]}({row[1]})"[:60])
def test_same_as_keras(row):
    name, kwargs, y, p, _ = row
    if JAX and name == "MeanIoU":
        pytest.skip("Keras's counts are integers of 64 bits, which JAX lacks")
    theirs = getattr(keras.metrics, name)(**kwargs)
    ours = components()[name].from_config(theirs.get_config())
    p = p.astype("int32" if name == "MeanIoU" else "float32")
    found, wanted = (result_of(m, y, p, WEIGHT) for m in (ours, theirs))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_r_squared_is_adjusted_by_the_number_of_samples():
    """Keras counts values: with two outputs, twice as many."""
    y = array(10, 2)
    metric = R2Score(num_regressors=3)
    metric.update_state(y, 0.5 * y)
    plain = R2Score()
    plain.update_state(y, 0.5 * y)
    wanted = 1 - (1 - float(plain.result())) * 9 / 6
    assert float(metric.result()) == pytest.approx(wanted, rel=1e-5)


def test_the_numbers_that_addons_documents():
    kappa = CohenKappa(num_classes=5, sparse_labels=True)
    y, p = [4, 4, 3, 4, 2, 4, 1, 1], [4, 4, 3, 4, 4, 2, 1, 1]
    kappa.update_state(y, p)
    assert float(kappa.result()) == pytest.approx(0.61904764)
    kappa.reset_state()
    kappa.update_state(y, p, sample_weight=[1, 1, 2, 5, 10, 2, 3, 3])
    assert float(kappa.result()) == pytest.approx(0.37209308)
    hamming = HammingLoss("multilabel", threshold=0.8)
    y = [[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 0, 1]]
    p = [[0.82, 0.5, 0.9, 0.0], [0, 1, 0.4, 0.98], [0.89, 0.79, 0, 0.3]]
    hamming.update_state(y, p)
    assert float(hamming.result()) == pytest.approx(0.16666667)


def test_kappa_of_numbers_rounds_them():
    metric = CohenKappa(num_classes=3, regression=True)
    metric.update_state([0, 1, 2, 2], [0.4, 1.2, 2.6, -0.7])
    whole = CohenKappa(num_classes=3, sparse_labels=True)
    whole.update_state([0, 1, 2, 2], [0, 1, 2, 0])
    assert float(metric.result()) == float(whole.result())


def test_r_squared_of_values_far_from_zero():
    """Keras's difference of two large sums loses the digits."""
    y = 2000 + 10 * array(200, 1, low=0.0, high=1.0)
    p = y + 0.5 * array(200, 1, seed=1)
    shifted, plain = R2Score(), R2Score()
    for start in range(0, 200, 20):
        part = slice(start, start + 20)
        shifted.update_state(y[part], p[part])
        plain.update_state(y[part] - 2000, p[part] - 2000)
    assert float(shifted.result()) == pytest.approx(float(plain.result()), abs=1e-4)


def test_ranks_are_exact_once_the_cut_points_separate_all_values():
    stats = pytest.importorskip("scipy.stats")
    y, p = np.arange(20.0), np.random.default_rng(0).permutation(20).astype("float32")
    metric = SpearmansRank(0.5, 18.5, 0.5, 18.5, 19, 19)
    metric.update_state(y, p)
    assert float(metric.result()) == pytest.approx(stats.spearmanr(y, p)[0], abs=1e-6)


MASKED = [
    (CohenKappa(4), np.eye(4)[LABELS], SCORES),
    (MatthewsCorrelationCoefficient(4), np.eye(4)[LABELS], SCORES),
    (HammingLoss("multiclass"), np.eye(4)[LABELS], SCORES),
    (MultiLabelConfusionMatrix(3), SEVERAL, SHARES),
    (F1Score("macro"), SEVERAL, SHARES),
    (R2Score(), SHARES, SHARES**2),
    (Precision(), SEVERAL, SHARES),
    (AUC(), SEVERAL, SHARES),
    (SpearmansRank(), SHARES, SHARES**2),
    (Perplexity(), LABELS, SCORES),
    (MeanIoU(4, sparse_y_pred=False), LABELS, SCORES),
    (TopKCategoricalAccuracy(2), np.eye(4)[LABELS], SCORES),
    (SparseTopKCategoricalAccuracy(2), LABELS, SCORES),
]


@pytest.mark.parametrize("case", MASKED, ids=lambda case: type(case[0]).__name__)
def test_what_a_mask_hides_does_not_count(case):
    metric, y, p = case
    mask = np.arange(len(y)) % 3 > 0
    metric.reset_state()
    metric.update_state(y[mask], p[mask].astype("float32"))
    wanted = ops.convert_to_numpy(metric.result())
    metric.reset_state()
    tensor = ops.convert_to_tensor(p.astype("float32"))
    set_mask(tensor, ops.convert_to_tensor(mask))
    metric.update_state(y, tensor)
    np.testing.assert_allclose(metric.result(), wanted, rtol=1e-5)


def test_a_metric_that_saw_nothing_says_zero():
    for metric in (CohenKappa(2), F1Score(), R2Score(), AUC(), Perplexity()):
        assert float(metric.result()) == 0
    metric = GeometricMean()
    assert float(metric.result()) == 0
    metric.update_state([2.0, 0.0])
    assert float(metric.result()) == 0


@pytest.mark.slow
def test_fit_reports_them_all():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Softmax()])
    metrics = [
        CohenKappa(4),
        FBetaScore("macro", beta=2.0),
        R2Score(),
        AUC(),
        Precision(top_k=1),
        TopKCategoricalAccuracy(k=2),
        HammingLoss("multiclass"),
    ]
    model.compile(loss="mse", metrics=metrics, jit_compile=JAX)
    y = np.eye(4)[LABELS]
    found = model.evaluate(SCORES, y, batch_size=8, verbose=0, return_dict=True)
    p = ops.convert_to_numpy(model(SCORES.astype("float32")))
    for metric in metrics:
        metric.reset_state()
        metric.update_state(y, p)
        assert found[metric.name] == pytest.approx(float(metric.result()), rel=1e-4)


def test_a_score_of_minus_infinity_makes_no_other_answer_wrong():
    """A class that is not allowed; TensorFlow's own kernel calls such a row wrong."""
    metric = SparseTopKCategoricalAccuracy(k=1)
    metric.update_state([0, 0, 1, 3], [[3.0, 2.0, -np.inf]] * 4)
    assert float(metric.result()) == 0.5  # classes 1 and 3 are not the highest


def test_auc_counts_scores_above_each_threshold_and_no_tie_or_nan():
    scores = np.array([0.0, 0.25, 0.5, 0.5, 0.75, 1.0, np.nan, 0.3], "float32")
    truth = np.array([0, 1, 0, 1, 1, 1, 1, 0])
    weight = np.array([1, 2, 3, 1, 0.5, 1, 1, 2], "float32")
    metric = AUC(thresholds=[0.25, 0.5, 0.75])
    metric.update_state(truth, scores, weight)
    levels = np.array([-1e-7, 0.25, 0.5, 0.75, 1 + 1e-7], "float32")
    is_above = weight * (scores > levels[:, None])
    np.testing.assert_allclose(metric.positives, is_above @ truth, atol=1e-5)
    np.testing.assert_allclose(
        metric.false_positives, is_above @ (1 - truth), atol=1e-5
    )


REFUSALS = [
    (lambda: CohenKappa(1), "`num_classes` must be at least 2"),
    (lambda: CohenKappa(3, weightage="cubic"), "`weightage` argument must be"),
    (lambda: HammingLoss("both"), "`mode` argument must be"),
    (lambda: MultiLabelConfusionMatrix(2).update_state(SEVERAL, SHARES), "2 labels"),
    (lambda: SpearmansRank(1.0, 0.0), "`actual_min` must be below `actual_max`"),
    (lambda: FBetaScore(beta=0), "`beta` must be above 0"),
    (lambda: F1Score(threshold=2), "`threshold` must be above 0 and at most 1"),
    (lambda: F1Score().update_state([1, 0], [1, 0]), "F1Score expects y_true"),
    (lambda: R2Score(num_regressors=-1), "`num_regressors` must be at least 0"),
    (lambda: Precision(thresholds=[0.5, 2.0]), "`thresholds` must be numbers"),
    (lambda: TopKCategoricalAccuracy(0), "`k`"),
    (lambda: AUC(multi_label=True), "multi_label must be False"),
    (lambda: AUC(num_thresholds=1), "`num_thresholds` must be at least 2"),
    (lambda: AUC(thresholds=[-1.0]), "`thresholds` must be numbers from 0 to 1"),
]


@pytest.mark.one_backend
@pytest.mark.parametrize(("refused", "message"), REFUSALS)
def test_refuses(refused, message):
    with pytest.raises(ValueError, match=message):
        refused()
