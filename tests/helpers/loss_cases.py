"""Losses and their data, which several test files share."""

import keras
import numpy as np
from keras import ops

from custom_layers.common.private_keras import set_mask
from oracle import array, run_layer


def softmax(x, axis=-1):
    x = np.exp(x - x.max(axis, keepdims=True))
    return x / x.sum(axis, keepdims=True)


def data(kind, shape, seed=0):
    """Values of a kind of target or prediction, of that shape."""
    if kind == "labels":
        return array(*shape[:-1], low=0, high=shape[-1], dtype="int32", seed=seed)
    if kind == "binary":
        return array(*shape, low=0, high=2, dtype="int32", seed=seed)
    if kind == "sign":
        return 2.0 * array(*shape, low=0, high=2, dtype="int32", seed=seed) - 1
    if kind == "onehot":
        return np.eye(shape[-1])[data("labels", shape, seed)]
    if kind == "share":
        return array(*shape, low=0.02, high=0.98, seed=seed, dtype="float64")
    if kind == "positive":
        return array(*shape, low=0.1, high=5.0, seed=seed, dtype="float64")
    x = array(*shape, seed=seed, dtype="float64")
    if kind == "distribution":
        return softmax(x)
    if kind == "unit":
        return x / np.linalg.norm(x, axis=-1, keepdims=True)
    return {"real": 1.5 * x, "logits": 4 * x}[kind]


# (class, arguments, kind of y_true, kind of y_pred, shape of y_pred)
ROWS = [
    ("MeanSquaredError", {}, "real", "real", (4, 3)),
    ("MeanSquaredError", {}, "real", "real", (2, 3, 5)),
    ("MeanAbsoluteError", {}, "real", "real", (4, 3)),
    ("MeanAbsolutePercentageError", {}, "real", "real", (4, 3)),
    ("MeanSquaredLogarithmicError", {}, "positive", "positive", (4, 3)),
    ("MeanSquaredLogarithmicError", {}, "real", "real", (4, 3)),
    ("Huber", {}, "real", "real", (4, 3)),
    ("Huber", {"delta": 0.3}, "real", "real", (4, 3)),
    ("LogCosh", {}, "real", "real", (4, 3)),
    ("CosineSimilarity", {}, "real", "real", (4, 3)),
    ("CosineSimilarity", {"axis": 1}, "real", "real", (4, 3, 2)),
    ("Poisson", {}, "positive", "positive", (4, 3)),
    ("KLDivergence", {}, "distribution", "distribution", (4, 3)),
    ("KLDivergence", {}, "onehot", "distribution", (2, 4, 3)),
    ("BinaryCrossentropy", {}, "binary", "share", (4, 3)),
    ("BinaryCrossentropy", {"label_smoothing": 0.2}, "share", "share", (4, 3)),
    ("BinaryCrossentropy", {"from_logits": True}, "binary", "logits", (4, 3)),
    ("BinaryCrossentropy", {"axis": 1}, "binary", "share", (4, 3, 2)),
    (
        "BinaryCrossentropy",
        {"from_logits": True, "label_smoothing": 0.1},
        "share",
        "logits",
        (4, 1),
    ),
    ("CategoricalCrossentropy", {}, "onehot", "distribution", (4, 3)),
    ("CategoricalCrossentropy", {}, "distribution", "positive", (4, 3)),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "onehot", "share", (4, 3)),
    ("CategoricalCrossentropy", {"from_logits": True}, "onehot", "logits", (2, 4, 3)),
    ("CategoricalCrossentropy", {"axis": 1}, "distribution", "positive", (4, 3, 2)),
    (
        "CategoricalCrossentropy",
        {"from_logits": True, "label_smoothing": 0.3},
        "distribution",
        "logits",
        (4, 5),
    ),
    ("SparseCategoricalCrossentropy", {}, "labels", "distribution", (4, 3)),
    ("SparseCategoricalCrossentropy", {}, "labels", "share", (4, 3)),
    (
        "SparseCategoricalCrossentropy",
        {"ignore_class": 1},
        "labels",
        "share",
        (2, 5, 3),
    ),
    (
        "SparseCategoricalCrossentropy",
        {"from_logits": True, "ignore_class": 0},
        "labels",
        "logits",
        (2, 5, 3),
    ),
    (
        "SparseCategoricalCrossentropy",
        {"from_logits": True},
        "labels",
        "logits",
        (4, 7),
    ),
    ("BinaryFocalCrossentropy", {}, "binary", "share", (4, 3)),
    ("BinaryFocalCrossentropy", {"from_logits": True}, "share", "real", (4, 3)),
    (
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "alpha": 0.1, "gamma": 0.5, "axis": 1},
        "binary",
        "share",
        (4, 3, 2),
    ),
    (
        "BinaryFocalCrossentropy",
        {"label_smoothing": 0.1, "gamma": 1.0},
        "binary",
        "share",
        (4, 3),
    ),
    ("CategoricalFocalCrossentropy", {}, "onehot", "positive", (4, 3)),
    (
        "CategoricalFocalCrossentropy",
        {"from_logits": True, "label_smoothing": 0.1},
        "onehot",
        "real",
        (4, 3),
    ),
    (
        "CategoricalFocalCrossentropy",
        {"alpha": [0.125, 0.25, 0.5], "gamma": 0.5},
        "onehot",
        "share",
        (2, 4, 3),
    ),
    ("CategoricalGeneralizedCrossEntropy", {}, "labels", "distribution", (4, 3)),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.8}, "labels", "share", (2, 4, 3)),
    ("Hinge", {}, "sign", "real", (4, 3)),
    ("Hinge", {}, "binary", "real", (4, 3)),
    ("SquaredHinge", {}, "sign", "real", (4, 3)),
    ("SquaredHinge", {}, "binary", "real", (2, 3, 2)),
    ("CategoricalHinge", {}, "onehot", "real", (4, 3)),
    ("Dice", {"axis": (1, 2)}, "binary", "share", (4, 3, 2)),
    ("Dice", {}, "binary", "share", (4, 3)),
    ("Tversky", {"alpha": 0.3, "beta": 0.7, "axis": 1}, "binary", "share", (4, 3)),
    ("Tversky", {"alpha": 0.9}, "binary", "share", (4, 3)),
    ("Circle", {}, "labels", "unit", (8, 3)),
    (
        "Circle",
        {"gamma": 8.0, "margin": 0.25, "remove_diagonal": False},
        "labels",
        "unit",
        (6, 2),
    ),
]


class AsLayer(keras.layers.Layer):
    """A loss as a layer of y_pred, so that the oracle can run it."""

    def __init__(self, loss, y_true, weight=None, mask=None):
        super().__init__(dtype=loss.dtype)
        self.loss, self.y_true, self.weight, self.mask = loss, y_true, weight, mask
        self.built = True

    def call(self, y_pred):
        y_pred = y_pred * 1
        if self.mask is not None:
            set_mask(y_pred, ops.convert_to_tensor(self.mask))
        return self.loss(self.y_true, y_pred, self.weight)


def both_of(classes, kwargs, y_true, y_pred, dtype, **options):
    """What the oracle finds out about our loss and about Keras's."""
    for cls in classes:
        layer = AsLayer(cls(**kwargs, dtype=dtype), y_true, **options)
        yield run_layer(layer, y_pred.astype(dtype))


def function_name(name):
    """CTC -> ctc, KLDivergence -> kl_divergence, LogCosh -> log_cosh."""
    name = name.replace("KLD", "KlD").replace("CTC", "Ctc")
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
