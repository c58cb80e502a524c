"""Classic mistakes in losses, made on purpose: each must differ from Keras's loss."""

import numpy as np
import pytest

from loss_cases import ROWS, both_of, data
from mutation import mutated
from oracle import keras_counterpart

pytestmark = pytest.mark.one_backend  # the mistakes are in the formulas
PACKAGE = "custom_layers.losses"
SHARED = ["base", "labels", "crossentropy"]  # files that other files import

MUTANTS = {  # loss, file, old, new
    "sum over the features": (
        "MeanSquaredError",
        "regression",
        "ops.mean(ops.square(y_true - y_pred), axis=-1)",
        "ops.sum(ops.square(y_true - y_pred), axis=-1)",
    ),
    "mean over the batch too": (
        "MeanAbsoluteError",
        "regression",
        "ops.mean(ops.abs(y_true - y_pred), axis=-1)",
        "ops.mean(ops.abs(y_true - y_pred), axis=0)",
    ),
    "negation forgotten": (
        "CosineSimilarity",
        "cosine_similarity",
        "return -ops.clip(cosine",
        "return ops.clip(cosine",
    ),
    "percentage of the prediction": (
        "MeanAbsolutePercentageError",
        "regression",
        "ops.maximum(ops.abs(y_true)",
        "ops.maximum(ops.abs(y_pred)",
    ),
    "line does not meet the parabola": (
        "Huber",
        "robust_regression",
        "delta * (size - 0.5 * delta)",
        "delta * size",
    ),
    "logarithm without one": (
        "MeanSquaredLogarithmicError",
        "regression",
        "log_pred = ops.log(1 + ",
        "log_pred = ops.log(",
    ),
    "divergence the other way round": (
        "KLDivergence",
        "distribution",
        "ops.log(y_true / y_pred)",
        "ops.log(y_pred / y_true)",
    ),
    "rate without its logarithm": (
        "Poisson",
        "distribution",
        "y_true * log_pred",
        "y_true * y_pred",
    ),
    "no is not counted": (
        "BinaryCrossentropy",
        "crossentropy",
        " + (1 - y_true) * ops.log(1 - p)",
        "",
    ),
    "labels smoothed to one": (
        "CategoricalCrossentropy",
        "crossentropy",
        "+ label_smoothing / classes",
        "+ label_smoothing",
    ),
    "probabilities taken as they are": (
        "CategoricalCrossentropy",
        "crossentropy",
        "p = z / ops.where(ops.equal(total, 0), ops.ones_like(total), total)",
        "p = z",
    ),
    "ignored class in the mean": (
        "SparseCategoricalCrossentropy",
        "crossentropy",
        "        set_mask(loss, is_counted)\n",
        "",
    ),
    "focus on the easy": (
        "BinaryFocalCrossentropy",
        "focal",
        "ops.maximum(miss, keras",
        "ops.maximum(1 - miss, keras",
    ),
    "alpha for no": (
        "BinaryFocalCrossentropy",
        "focal",
        "y_true * alpha + (1 - y_true) * (1 - alpha)",
        "y_true * (1 - alpha) + (1 - y_true) * alpha",
    ),
    "zero and one as they are": (
        "Hinge",
        "hinge",
        "lambda: 2 * y_true - 1, lambda",
        "lambda: y_true, lambda",
    ),
    "the truth among the wrong": (
        "CategoricalHinge",
        "hinge",
        "(1 - y_true) * y_pred",
        "y_pred",
    ),
    "Jaccard for Dice": ("Dice", "dice", "(sizes + ", "(sizes - both + "),
    "alpha and beta swapped": (
        "Tversky",
        "dice",
        "alpha * missed + beta * false",
        "beta * missed + alpha * false",
    ),
    "a sample is its own like": (
        "Circle",
        "circle",
        "_off_diagonal(is_same) if remove_diagonal else is_same",
        "is_same",
    ),
    "weights of a cosine face": (
        "Circle",
        "circle",
        "gamma * ops.relu(s + margin) * (s - margin)",
        "gamma * (s - margin)",
    ),
}


def worst_error(cls, name):
    """Largest relative error to Keras over the table's rows of that loss."""
    errors = []
    for _, kwargs, true, pred, shape in (row for row in ROWS if row[0] == name):
        y_true, y_pred = data(true, shape, seed=1), data(pred, shape, seed=2)
        classes = cls, keras_counterpart(name)
        for reduction in None, "sum_over_batch_size":
            arguments = {**kwargs, "reduction": reduction}
            ours, theirs = both_of(classes, arguments, y_true, y_pred, "float32")
            for key, desired in theirs.items():
                if np.shape(ours[key]) != np.shape(desired):
                    return np.inf
                if np.all(np.isfinite(desired)):
                    scale = np.abs(desired).max() + 1e-30
                    errors.append(np.abs(ours[key] - desired).max() / scale)
    return max(errors)


@pytest.mark.parametrize("mistake", MUTANTS)
def test_mistake_is_found(mistake):
    name, file, old, new = MUTANTS[mistake]
    files = [*(each for each in SHARED if each != file), file]
    assert worst_error(mutated(name, PACKAGE, files), name) < 1e-5
    assert worst_error(mutated(name, PACKAGE, files, old, new), name) > 1e-3
