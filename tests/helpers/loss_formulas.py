"""Formulas of losses that Keras lacks, in NumPy from their papers, with loops.

Each takes y_true and y_pred in float64 and returns the sum of the loss over the batch.
"""

import functools

import numpy as np

from loss_cases import AsLayer, data
from oracle import array, run_layer

LABELS = np.array([0, 1, 0, 2, 1, 0])
SEVERAL = np.array(
    [[1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0], [1, 1, 1]], "int32"
)
BOXES = np.array([[4.0, 3, 7, 5], [5, 6, 10, 7], [0, 0, 2, 2], [1, 1, 3, 4]])
OTHERS = np.array([[3.0, 4, 6, 8], [14, 14, 15, 15], [0.5, 0.5, 1.5, 1], [2, 2, 1, 3]])


def log_sum(values):
    return np.log(np.sum(np.exp(values)))


def giou(y_true, y_pred, mode="giou"):
    def side(low, high):
        return max(0.0, high - low)

    total = 0
    for a, b in zip(y_true, y_pred):
        both = np.prod([side(max(a[i], b[i]), min(a[i + 2], b[i + 2])) for i in (0, 1)])
        areas = [side(box[0], box[2]) * side(box[1], box[3]) for box in (a, b)]
        either = sum(areas) - both
        total += 1 - both / either
        if mode == "giou":
            pairs = [(min(a[i], b[i]), max(a[i + 2], b[i + 2])) for i in (0, 1)]
            around = np.prod([side(*pair) for pair in pairs])
            total += (around - either) / around
    return total


def weighted_kappa(y_true, y_pred, power=2):
    """1 - kappa, from the matrices of observed and of expected ratings."""
    B, C = y_pred.shape
    observed = np.zeros((C, C))
    for truth, p in zip(y_true, y_pred):
        observed[truth.argmax()] += p
    expected = np.outer(y_true.sum(0), observed.sum(0)) / B
    w = np.array([[abs(c - d) ** power for d in range(C)] for c in range(C)])
    return np.log((w * observed).sum() / (w * expected).sum() + 1e-6)


def sparsemax_loss(y_true, y_pred):
    """Martins and Astudillo, equation 14, with the support of the definition."""
    total = 0
    for q, z in zip(y_true, y_pred):
        ordered = np.sort(z)[::-1]
        k = max(
            j for j in range(1, len(z) + 1) if 1 + j * ordered[j - 1] > sum(ordered[:j])
        )
        tau = (sum(ordered[:k]) - 1) / k
        support = z[z > tau]
        total += -q @ z + np.sum(support**2 - tau**2) / 2 + q @ q / 2
    return total


def lifted_struct(labels, x, margin=1.0):
    """Song et al., equation 4; the sum over a batch is its size times the mean."""
    B = len(x)
    d = np.sqrt(np.sum((x[:, None] - x[None]) ** 2, -1) + np.eye(B))
    costs = []
    for i in range(B):
        for j in range(i + 1, B):
            if labels[i] == labels[j]:
                near = [
                    margin - d[a, k]
                    for a in (i, j)
                    for k in range(B)
                    if labels[k] != labels[a]
                ]
                costs.append(max(0, log_sum(near) + d[i, j]) ** 2 / 2)
    return B * np.mean(costs)


def n_pairs_multilabel(labels, s):
    total = 0
    for a, row in enumerate(s):
        shares = [labels[a] @ labels[j] for j in range(len(s))]
        if sum(shares):
            total += log_sum(row) - np.dot(shares, row) / sum(shares)
    return total


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def info_nce(_, pairs, temperature=0.5, symmetric=False):
    queries, keys = unit(pairs[:, 0]), unit(pairs[:, 1])
    s = queries @ keys.T / temperature
    one_way = sum(log_sum(s[i]) - s[i, i] for i in range(len(s)))
    other_way = sum(log_sum(s[:, i]) - s[i, i] for i in range(len(s)))
    return (one_way + other_way) / 2 if symmetric else one_way


def nt_xent(_, pairs, temperature=0.5):
    """SimCLR's algorithm 1: views 2k - 1 and 2k belong together."""
    z = unit(pairs.reshape(-1, pairs.shape[-1]))
    s = z @ z.T / temperature
    total = 0
    for i in range(len(z)):
        partner = i + 1 if i % 2 == 0 else i - 1
        total += log_sum(np.delete(s[i], i)) - s[i, partner]
    return total / 2


def supervised_contrastive(labels, x, temperature=0.5):
    z = unit(x)
    s = z @ z.T / temperature
    total = 0
    for i in range(len(z)):
        like = [p for p in range(len(z)) if p != i and labels[p] == labels[i]]
        if like:
            total += log_sum(np.delete(s[i], i)) - np.mean(s[i, like])
    return total


def arc_face(labels, cosines, margin=0.5, scale=4.0):
    total = 0
    for y, cos in zip(labels, cosines):
        z = scale * cos
        angle = np.arccos(cos[y]) + margin
        beyond = cos[y] - margin * np.sin(margin)
        z[y] = scale * (np.cos(angle) if angle < np.pi else beyond)
        total += log_sum(z) - z[y]
    return total


def focal_tversky(y_true, y_pred, alpha=0.7, beta=0.3, gamma=4 / 3):
    both = np.sum(y_true * y_pred)
    missed, false = np.sum(y_true * (1 - y_pred)), np.sum((1 - y_true) * y_pred)
    return (1 - both / (both + alpha * missed + beta * false)) ** (1 / gamma)


def jaccard(wrong, truth):
    """1 - IoU if exactly the places in the set `wrong` are wrong."""
    places = {i for i, is_object in enumerate(truth) if is_object}
    union = places | set(wrong)
    return 1 - len(places - set(wrong)) / len(union) if union else 0.0


def lovasz(errors, truth):
    """Berman et al., equation 9: the extension, from values of the set function."""
    order = [int(i) for i in np.argsort(-errors, kind="stable")]
    total = 0
    for k in range(len(order)):
        cost, before = (jaccard(order[:n], truth) for n in (k + 1, k))
        total += errors[order[k]] * (cost - before)
    return total


def lovasz_hinge(y_true, y_pred, per_sample=True):
    rows = zip(y_true, y_pred) if per_sample else [(y_true.ravel(), y_pred.ravel())]
    return sum(lovasz(np.maximum(0, 1 - (2 * y - 1) * z), y) for y, z in rows)


def lovasz_softmax(labels, p, classes="present", per_sample=False):
    C = p.shape[-1]
    rows = zip(labels, p) if per_sample else [(labels.ravel(), p.reshape(-1, C))]
    total = 0
    for y, scores in rows:
        chosen = sorted(set(y.tolist())) if classes == "present" else range(C)
        of_class = [lovasz(np.abs((y == c) - scores[:, c]), y == c) for c in chosen]
        total += np.mean(of_class)
    return total


PAIRS = data("real", (5, 2, 3), seed=2)
COSINES = np.concatenate([data("share", (5, 4), seed=2), [[-0.95, 0.1, 0.2, 0.3]]])
MAPS = data("distribution", (3, 6, 4), seed=2)
CLASSES_OF_MAPS = data("labels", (3, 6, 3), seed=1)  # no place has the last class
BINARY = data("binary", (3, 7), seed=1)
ONE_HOT = data("onehot", (5, 4), seed=1)
SHARES = data("distribution", (5, 4), seed=2)

# (class, arguments, the formula, its arguments, y_true, y_pred)
ROWS = [
    ("GIoU", {}, giou, {}, BOXES, OTHERS),
    ("GIoU", {"mode": "iou"}, giou, {"mode": "iou"}, BOXES, OTHERS),
    ("WeightedKappa", {}, weighted_kappa, {}, ONE_HOT, SHARES),
    (
        "WeightedKappa",
        {"num_classes": 4, "weightage": "linear"},
        weighted_kappa,
        {"power": 1},
        ONE_HOT,
        SHARES,
    ),
    (
        "SparsemaxLoss",
        {},
        sparsemax_loss,
        {},
        ONE_HOT,
        data("real", (5, 4), seed=2),
    ),
    ("SparsemaxLoss", {}, sparsemax_loss, {}, SHARES, array(5, 4, dtype="float64")),
    (
        "LiftedStruct",
        {"margin": 0.7},
        lifted_struct,
        {"margin": 0.7},
        LABELS,
        data("real", (6, 3)),
    ),
    (
        "NPairsMultilabel",
        {},
        n_pairs_multilabel,
        {},
        SEVERAL,
        data("real", (6, 6)),
    ),
    ("InfoNCE", {"temperature": 0.5}, info_nce, {}, np.zeros(5), PAIRS),
    (
        "InfoNCE",
        {"temperature": 0.5, "symmetric": True},
        info_nce,
        {"symmetric": True},
        np.zeros(5),
        PAIRS,
    ),
    ("NTXent", {}, nt_xent, {}, np.zeros(5), PAIRS),
    (
        "SupervisedContrastive",
        {"temperature": 0.5},
        supervised_contrastive,
        {},
        LABELS,
        data("real", (6, 3)),
    ),
    ("ArcFace", {"scale": 4.0}, arc_face, {}, LABELS, COSINES),
    (
        "FocalTversky",
        {},
        focal_tversky,
        {},
        BINARY,
        data("share", (3, 7), seed=2),
    ),
    ("LovaszHinge", {}, lovasz_hinge, {}, BINARY, data("real", (3, 7), seed=2)),
    (
        "LovaszHinge",
        {"per_sample": False},
        lovasz_hinge,
        {"per_sample": False},
        BINARY,
        data("real", (3, 7), seed=2),
    ),
    ("LovaszSoftmax", {}, lovasz_softmax, {}, CLASSES_OF_MAPS, MAPS),
    (
        "LovaszSoftmax",
        {"classes": "all", "per_sample": True},
        lovasz_softmax,
        {"classes": "all", "per_sample": True},
        CLASSES_OF_MAPS,
        MAPS,
    ),
]


def slope(formula, x):
    """The gradient of a function of x, by central differences."""
    found = np.zeros_like(x)
    for at in np.ndindex(*x.shape):
        ends = []
        for step in (1e-6, -1e-6):
            moved = x.copy()
            moved[at] += step
            ends.append(formula(moved))
        found[at] = (ends[0] - ends[1]) / 2e-6
    return found


def error_of_row(cls, row):
    """How far the loss is from its formula: the largest error of value and gradient."""
    _, kwargs, formula, of_formula, y_true, y_pred = row
    formula = functools.partial(formula, y_true, **of_formula)
    found = run_layer(AsLayer(cls(**kwargs, reduction="sum"), y_true), y_pred)
    value, gradient = formula(y_pred.copy()), slope(formula, y_pred)
    own = found["gradient to input 0"] / array(seed=3)
    errors = [
        abs(float(found["output 0"]) - value) / max(abs(value), 1e-3),
        np.abs(own - gradient).max() / np.abs(gradient).max(),
    ]
    return float(np.nan_to_num(max(errors), nan=np.inf))


def error_of_loss(name, cls):
    """The largest error over the rows of that loss."""
    return max(error_of_row(cls, row) for row in ROWS if row[0] == name)
