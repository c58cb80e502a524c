"""Metrics of scikit-learn and SciPy, and formulas in NumPy, beside ours.

Each formula takes all of y_true, y_pred and the weights, which are whole numbers: a
sample of weight 2 counts as two samples.
"""

import functools

import numpy as np
import scipy.stats
import sklearn.metrics as sk
from keras import ops

from loss_cases import data
from oracle import array

N = 30
LABELS = data("labels", (N, 4), seed=1)
ONE_HOT = np.eye(4)[LABELS]
SCORES = 0.7 * ONE_HOT + data("distribution", (N, 4), seed=2)
SEVERAL = data("binary", (N, 3), seed=3)
SHARES = data("share", (N, 3), seed=4)
POSITIVE = data("positive", (N,), seed=5)
VALUES = array(N, 2, seed=6)
FOUND = VALUES + 0.3 * array(N, 2, seed=7)
GRADES = np.round(4 * array(N, low=0.0, high=1.0, seed=8)) / 4
GUESSES = np.round(4 * (0.5 * GRADES + 0.5 * array(N, low=0.0, high=1.0, seed=9))) / 4
WEIGHT = array(N, low=0, high=3, dtype="int32", seed=10)
TOKENS = data("labels", (N, 3, 5), seed=11)
LOGITS = data("logits", (N, 3, 5), seed=12)


def repeated(function):
    """The formula of samples with whole weights, from one that knows no weights."""
    return lambda y, p, w: function(np.repeat(y, w), np.repeat(p, w))


def of_classes(function, **options):
    return lambda y, p, w: function(
        np.argmax(y, -1), np.argmax(p, -1), sample_weight=w, **options
    )


def above(function, threshold=0.5, **options):
    def formula(y, p, w):
        return function(y, (p > threshold).astype(int), sample_weight=w, **options)

    return formula


def highest(p):
    return np.eye(p.shape[-1])[np.argmax(p, -1)].astype(int)


def tau(variant):
    return repeated(lambda y, p: scipy.stats.kendalltau(y, p, variant=variant)[0])


def perplexity(y, z, w):
    p = np.exp(z - z.max(-1, keepdims=True))
    p = p / p.sum(-1, keepdims=True)
    is_token = (y != 0) * w[:, None]
    of_truth = np.take_along_axis(p, y[..., None], -1)[..., 0]
    return np.exp(-np.sum(np.log(of_truth) * is_token) / np.sum(is_token))


def adjusted_r2(y, p, w):
    n = np.sum(w > 0)
    return 1 - (1 - sk.r2_score(y, p, sample_weight=w)) * (n - 1) / (n - 3)


def at_thresholds(function):
    def formula(y, p, w):
        return [above(function, t)(y[:, 1], p[:, 1], w) for t in (0.25, 0.75)]

    return formula


def best_two(function):
    def formula(y, p, w):
        rows = np.sort(p, -1)[:, -2:-1]
        chosen = (p >= rows).astype(int)
        return function(
            y.ravel(), chosen.ravel(), sample_weight=np.repeat(w, y.shape[1])
        )

    return formula


def mean_iou(y, p, w):
    return sk.jaccard_score(y, p, sample_weight=w, average="macro")


def top_two(y, p, w):
    labels = np.argmax(y, -1) if y.ndim == 2 else y
    return sk.top_k_accuracy_score(labels, p, k=2, sample_weight=w)


def area_of_precision(y, p, w):
    """Davis and Goadrich: many points between two thresholds, joined by trapezoids."""
    levels = np.array([-1e-7, *np.linspace(0, 1, 12)[1:-1], 1 + 1e-7])
    tp = np.array([np.sum(w * y * (p > level)) for level in levels])
    fp = np.array([np.sum(w * (1 - y) * (p > level)) for level in levels])
    area = 0
    for k in range(len(levels) - 1):
        share = np.linspace(1e-9, 1, 20001)
        true = tp[k + 1] + share * (tp[k] - tp[k + 1])
        false = fp[k + 1] + share * (fp[k] - fp[k + 1])
        if tp[k] > tp[k + 1]:
            area += np.trapezoid(true / (true + false), true / tp[0])
    return area


NAMES = ["O", "B-a", "I-a", "B-b", "I-b"]
TAGS = data("labels", (N, 7, 5), seed=13)
NAMED = 4 * np.eye(5)[TAGS] + data("logits", (N, 7, 5), seed=14)


def spans_of(tags):
    """{(first step, last step, type)}, read from left to right as people do."""
    found, first, kind = set(), None, ""
    for t, name in enumerate([*(NAMES[tag] for tag in tags), "O"]):
        prefix, _, type_ = name.partition("-")
        if first is not None and (prefix != "I" or type_ != kind):
            found.add((first, t - 1, kind))
            first = None
        if first is None and prefix != "O":
            first, kind = t, type_
    return found


def span_f1(y, p, w):
    counts = np.zeros(3)
    for true, scores, weight in zip(y, p, w):
        true, guess = spans_of(true), spans_of(np.argmax(scores, -1))
        counts += weight * np.array([len(true & guess), len(true), len(guess)])
    return 2 * counts[0] / (counts[1] + counts[2])


TENTHS = np.floor(SHARES[:, 0] * 10) / 10 + 0.05  # between the thresholds
EXACT = {"thresholds": np.linspace(0, 1, 11).tolist()}
RANKS = {"actual_cutpoints": 5, "preds_cutpoints": 5}
MICRO = {"average": "micro"}
SEVERAL_LEVELS = {"thresholds": [0.25, 0.75], "class_id": 1}

# (class, arguments, y_true, y_pred, the formula)
ROWS = [
    *(
        (
            "CohenKappa",
            {"num_classes": 4, "weightage": kind},
            ONE_HOT,
            SCORES,
            of_classes(sk.cohen_kappa_score, weights=kind),
        )
        for kind in (None, "linear", "quadratic")
    ),
    (
        "MatthewsCorrelationCoefficient",
        {"num_classes": 4},
        ONE_HOT,
        SCORES,
        of_classes(sk.matthews_corrcoef),
    ),
    (
        "MatthewsCorrelationCoefficient",
        {"num_classes": 1},
        SEVERAL[:, :1],
        SHARES[:, :1],
        above(sk.matthews_corrcoef),
    ),
    (
        "HammingLoss",
        {"mode": "multilabel", "threshold": 0.5},
        SEVERAL,
        SHARES,
        above(sk.hamming_loss),
    ),
    (
        "HammingLoss",
        {"mode": "multiclass"},
        ONE_HOT,
        SCORES,
        of_classes(sk.hamming_loss),
    ),
    (
        "MultiLabelConfusionMatrix",
        {"num_classes": 3},
        SEVERAL,
        SHARES,
        above(sk.multilabel_confusion_matrix),
    ),
    (
        "SpearmansRank",
        RANKS,
        GRADES,
        GUESSES,
        repeated(lambda y, p: scipy.stats.spearmanr(y, p)[0]),
    ),
    ("KendallsTauB", RANKS, GRADES, GUESSES, tau("b")),
    ("KendallsTauC", RANKS, GRADES, GUESSES, tau("c")),
    *(
        (
            "FBetaScore",
            {"average": average, "beta": 2.0, "threshold": 0.5},
            SEVERAL,
            SHARES,
            above(sk.fbeta_score, beta=2.0, average=average),
        )
        for average in (None, "micro", "macro", "weighted")
    ),
    (
        "F1Score",
        {"average": "macro"},
        ONE_HOT,
        SCORES,
        lambda y, p, w: sk.f1_score(y, highest(p), average="macro", sample_weight=w),
    ),
    *(
        (
            "R2Score",
            {"class_aggregation": ours},
            VALUES,
            FOUND,
            lambda y, p, w, theirs=theirs: sk.r2_score(
                y, p, sample_weight=w, multioutput=theirs
            ),
        )
        for ours, theirs in [
            (None, "raw_values"),
            ("uniform_average", "uniform_average"),
            ("variance_weighted_average", "variance_weighted"),
        ]
    ),
    ("R2Score", {"num_regressors": 2}, VALUES, FOUND, adjusted_r2),
    ("Precision", {}, SEVERAL[:, 0], SHARES[:, 0], above(sk.precision_score)),
    ("Recall", {}, SEVERAL[:, 0], SHARES[:, 0], above(sk.recall_score)),
    ("Precision", SEVERAL_LEVELS, SEVERAL, SHARES, at_thresholds(sk.precision_score)),
    ("Recall", SEVERAL_LEVELS, SEVERAL, SHARES, at_thresholds(sk.recall_score)),
    ("Precision", {"top_k": 2}, SEVERAL, SHARES, best_two(sk.precision_score)),
    ("Recall", {"top_k": 2}, SEVERAL, SHARES, best_two(sk.recall_score)),
    (
        "Perplexity",
        {"from_logits": True, "mask_token_id": 0},
        TOKENS,
        LOGITS,
        perplexity,
    ),
    ("MeanIoU", {"num_classes": 4}, LABELS, np.argmax(SCORES, -1), mean_iou),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT, SCORES[:, ::-1], top_two),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, LABELS, SCORES[:, ::-1], top_two),
    (
        "AUC",
        EXACT,
        SEVERAL[:, 0],
        TENTHS,
        lambda y, p, w: sk.roc_auc_score(y, p, sample_weight=w),
    ),
    (
        "AUC",
        {"curve": "PR", "num_thresholds": 12},
        SEVERAL[:, 0],
        SHARES[:, 0],
        area_of_precision,
    ),
    ("SpanF1", {"tags": NAMES}, TAGS, NAMED, span_f1),
    ("GeometricMean", {}, POSITIVE, None, repeated(lambda y, _: scipy.stats.gmean(y))),
    ("HarmonicMean", {}, POSITIVE, None, repeated(lambda y, _: scipy.stats.hmean(y))),
]


def result_of(metric, y, p, w=None):
    """The result after two batches of different sizes."""
    for part in (slice(0, 11), slice(11, None)):
        arguments = [x[part] for x in (y, p) if x is not None]
        weight = None if w is None else w[part]
        metric.update_state(*arguments, sample_weight=weight)
    return ops.convert_to_numpy(metric.result())


def error_of_row(cls, row):
    """How far the metric is from the formula, with weights and without."""
    _, kwargs, y, p, formula = row
    errors = []
    for w in (WEIGHT, np.ones_like(WEIGHT)):
        other = y if p is None else p
        wanted = np.array(formula(y, other, w), "float64")
        found = result_of(cls(**kwargs), y, p, None if w.all() else w)
        if found.shape != wanted.shape:
            return np.inf
        errors.append(np.abs(found - wanted).max() / np.abs(wanted).max())
    return float(np.nan_to_num(max(errors), nan=np.inf))


def error_of_metric(name, cls):
    """The largest error over the rows of that metric."""
    return max(error_of_row(cls, row) for row in ROWS if row[0] == name)


ERRORS = {row[0]: functools.partial(error_of_metric, row[0]) for row in ROWS}
