"""Reported faults of Keras's losses, activations, regularizers and initializers."""

import warnings

import keras
import numpy as np
from keras import ops

from known_faults import fault, gradient, is_finite, reloaded
from oracle import array

KERAS = "keras-team/keras/issues/"
ADDONS = "tensorflow/addons/issues/"


@fault("sparsemax", KERAS + "23425", [0.0, 0.25, 0.75], "[0, 0, 0.25]")
def sparsemax_with_two_values_above_zero(lib):
    """Values do not sum to 1 where two or more are above 0."""
    return lib.activations.sparsemax(ops.array([0.0, 0.5, 1.0]))


@fault("CategoricalCrossentropy", KERAS + "23451", 0.639, "1.60")
def label_smoothing_along_another_axis(lib):
    """Label smoothing counts the classes along the last axis, whatever `axis` says."""
    p = np.array([[[0.8], [0.1], [0.1]]], "float32")
    y = np.array([[[1.0], [0.0], [0.0]]], "float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return lib.losses.CategoricalCrossentropy(label_smoothing=0.3, axis=1)(y, p)


@fault("CategoricalFocalCrossentropy", KERAS + "23451", 0.095, "0.28")
def focal_label_smoothing_along_another_axis(lib):
    """Label smoothing counts the classes along the last axis, whatever `axis` says."""
    p = np.array([[[0.8], [0.1], [0.1]]], "float32")
    y = np.array([[[1.0], [0.0], [0.0]]], "float32")
    loss = lib.losses.CategoricalFocalCrossentropy
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return loss(label_smoothing=0.3, axis=1)(y, p)


@fault("SparseCategoricalCrossentropy", KERAS + "19825", [1, 2, 2])
def ignored_class_with_a_trailing_axis(lib):
    """`ignore_class` with labels of shape (..., 1) fails."""
    loss = lib.losses.SparseCategoricalCrossentropy(ignore_class=7, reduction=None)
    return list(loss(np.zeros((1, 2, 2, 1)), np.full((1, 2, 2, 3), 1 / 3)).shape)


@fault("SparseCategoricalCrossentropy", "keras-team/tf-keras/issues/734", 0.6931)
def ignored_class_outside_the_classes(lib):
    """The loss is NaN with ignore_class=-1."""
    loss = lib.losses.SparseCategoricalCrossentropy(ignore_class=-1, reduction="sum")
    return loss(np.array([-1, 1]), np.full((2, 2), 0.5, "float32"))


@fault("SparseCategoricalCrossentropy", KERAS + "15012", 0.0, "60")
def labels_that_float16_cannot_hold(lib):
    """In mixed precision, labels above 2,048 are rounded to other classes."""
    z = np.zeros((1, 2100), "float16")
    z[0, 2049] = 60.0
    loss = lib.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float16")
    return loss(np.array([2049]), z)


@fault("SparseCategoricalCrossentropy", "keras-team/keras/pull/23286", 1, "lost")
def axis_in_the_configuration(lib):
    """The configuration loses `axis`, so that a saved model has another loss."""
    loss = lib.losses.SparseCategoricalCrossentropy(axis=1)
    return reloaded(loss, keras.losses).get_config()["axis"]


@fault("CosineSimilarity", "keras-team/keras/pull/23286", 1, "lost")
def axis_in_the_configuration_of_cosine_similarity(lib):
    """The configuration loses `axis`, so that a saved model has another loss."""
    loss = lib.losses.CosineSimilarity(axis=1)
    return reloaded(loss, keras.losses).get_config()["axis"]


@fault("Huber", "keras-team/keras/pull/23286", 6.0, "3.5")
def delta_in_the_configuration(lib):
    """The configuration loses `delta`, so that a saved model has another loss."""
    return reloaded(lib.losses.Huber(delta=2.0), keras.losses)([[0.0]], [[4.0]])


@fault("Huber", "keras-team/keras/pull/23573", "ValueError", "0 for every sample")
def delta_of_zero(lib):
    """`delta=0` is accepted, and every loss is 0."""
    return lib.losses.Huber(delta=0.0)([[0.0]], [[4.0]])


@fault("CategoricalCrossentropy", KERAS + "17029", "SyntaxWarning")
def softmax_over_one_class(lib):
    """With one class the loss is 0 whatever the model says, silently."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lib.losses.CategoricalCrossentropy()([[1.0]], [[0.5]])
    return caught[0].category.__name__ if caught else "silent"


@fault("BinaryCrossentropy", KERAS + "15528", 0.6931)
def label_smoothing_of_half_precision(lib):
    """Label smoothing fails on predictions in float16."""
    loss = lib.losses.BinaryCrossentropy(label_smoothing=0.5)
    return loss(np.array([[1.0]]), np.array([[0.5]], "float16"))


@fault("MeanSquaredError", "tensorflow/tensorflow/issues/37770", 1.0)
def labels_that_lack_the_last_axis(lib):
    """Labels (B,) against predictions (B, 1) compare every sample with every other."""
    y, p = np.array([0.0, 5.0], "float32"), np.array([[1.0], [6.0]], "float32")
    return lib.losses.MeanSquaredError()(y, p)


@fault("mean_squared_error", KERAS + "14627", "ValueError or 1.0")
def function_on_labels_that_lack_the_last_axis(lib):
    """The function compares every sample with every other, and the mean is wrong."""
    y, p = np.array([0.0, 5.0], "float32"), np.array([[1.0], [6.0]], "float32")
    function = getattr(
        lib.losses, "mean_squared_error", keras.losses.mean_squared_error
    )
    try:
        value = float(ops.mean(function(y, p)))
    except ValueError:
        value = 1.0
    return "ValueError or 1.0" if value == 1.0 else value


@fault("Poisson", KERAS + "590", True)
def poisson_of_a_rate_of_zero(lib):
    """A prediction of 0 gives NaN."""
    return is_finite(lib.losses.Poisson()([[1.0]], [[0.0]]))


@fault("CosineSimilarity", "tensorflow/tensorflow/issues/58031", True, "-1.0000001")
def cosine_is_at_least_minus_one(lib):
    """The loss of a vector with itself is below -1."""
    x = np.array([[0.0, 2.0, 3.0]], "float32")
    return float(lib.losses.CosineSimilarity()(x, x)) >= -1


@fault(
    "CosineSimilarity", KERAS + "23075", True, "NaN on JAX and torch", ("jax", "torch")
)
def cosine_gradient_at_zero(lib):
    """The gradient at a zero vector is NaN."""
    loss, y = lib.losses.CosineSimilarity(), np.ones((1, 3), "float32")
    return is_finite(gradient(lambda x: loss(y, x), np.zeros((1, 3), "float32")))


@fault("Dice", KERAS + "19637", [0.5, 0.75758])
def dice_per_image(lib):
    """The loss is one number of the whole batch instead of one per image."""
    y = np.array([[[1.0, 1], [0, 0]], [[1, 1], [0, 0]]], "float32")[..., None]
    p = np.array([[[0.0, 1], [0, 1]], [[0.4, 0], [0, 0.9]]], "float32")[..., None]
    return lib.losses.Dice(axis=(1, 2, 3), reduction=None)(y, p)


@fault("Tversky", KERAS + "20487", [2])
def tversky_per_image(lib):
    """The loss is one number of the whole batch instead of one per image."""
    y = array(2, 3, 3, 1, low=0, high=1)
    return list(lib.losses.Tversky(axis=(1, 2, 3), reduction=None)(y, y).shape)


@fault("CTC", KERAS + "23228", "a number", "an error")
def ctc_behind_a_masking_layer(lib):
    """Training fails where the predictions carry a mask."""
    y_pred = array(2, 4, 3)
    y_pred = ops.convert_to_tensor(y_pred)
    y_pred._keras_mask = ops.ones((2, 4), "bool")
    value = lib.losses.CTC()(np.array([[1, 2], [1, 0]]), y_pred)
    return "a number" if is_finite(value) else "NaN"


@fault("CTC", KERAS + "21876", 0.0, "a loss that is too small")
def ctc_with_labels_padded_by_minus_one(lib):
    """Padding of labels with -1, as Keras 2 had it, is not ignored."""
    y_pred = array(1, 6, 4)
    padded = lib.losses.CTC()(np.array([[1, 2, -1]]), y_pred)
    return padded - lib.losses.CTC()(np.array([[1, 2]]), y_pred)


@fault("CTC", KERAS + "23684", True, "negative on JAX", ("jax",))
def ctc_is_not_negative(lib):
    """On JAX, the loss of a certain answer is slightly negative."""
    y_pred = np.array([[[0.0, 17.0], [0.0, 17.0]]], "float32")
    return float(lib.losses.CTC()(np.array([[1]]), y_pred)) >= 0


@fault("all losses", "keras-team/keras/pull/21908", 0.0)
def loss_of_a_batch_that_is_all_padding(lib):
    """Where a mask hides everything, weights of 10^7 take the place of 0."""
    y_pred = ops.ones((1, 2, 1))
    y_pred._keras_mask = ops.zeros((1, 2), "bool")
    return lib.losses.MeanSquaredError()(np.zeros((1, 2, 1), "float32"), y_pred)


@fault("all losses", KERAS + "15323", 0.5)
def masked_steps_do_not_enter_the_mean(lib):
    """The mean divides by all steps, also by those that the mask hides."""
    y_pred = ops.array([[[1.0], [0.0], [1.0]]])
    y_pred._keras_mask = ops.array([[True, False, True]])
    y_true = np.array([[[0.0], [1.0], [1.0]]], "float32")
    return lib.losses.MeanAbsoluteError()(y_true, y_pred)


@fault("OrthogonalRegularizer", KERAS + "16682", 1.0)
def opposite_rows_are_not_orthogonal(lib):
    """Products of opposite sign cancel: opposite rows cost less than nothing."""
    penalty = lib.regularizers.OrthogonalRegularizer(factor=1.0)
    return penalty(ops.array([[1.0, 2.0], [-1.0, -2.0]]))


@fault(
    "OrthogonalRegularizer",
    KERAS + "23075",
    True,
    "NaN on JAX and torch",
    ("jax", "torch"),
)
def orthogonal_penalty_at_a_zero_row(lib):
    """The gradient at a row of zeros is NaN."""
    penalty = lib.regularizers.OrthogonalRegularizer(factor=1.0)
    return is_finite(gradient(penalty, np.array([[0.0, 0.0], [1.0, 2.0]], "float32")))


@fault("all initializers", KERAS + "15586", True)
def one_seed_gives_one_start(lib):
    """Two initializers of the same seed give different values."""
    first, second = (
        ops.convert_to_numpy(lib.initializers.RandomNormal(seed=3)((2, 3)))
        for _ in range(2)
    )
    return bool(np.all(first == second))


@fault("TripletSemiHard", ADDONS + "1676", True, "not in Keras; NaN in Addons")
def triplets_without_a_positive(lib):
    """A batch in which every class is alone gives NaN."""
    if lib is keras:
        return "not in Keras"
    loss = lib.losses.TripletSemiHard()
    return is_finite(loss(np.arange(4), array(4, 3)))


@fault("MaxNorm", KERAS + "474", [0.6, 0.8])
def norm_of_a_filter(lib):
    """The constraint of a convolution bounds other vectors than its filters."""
    w = np.array([3.0, 4.0], "float32").reshape(1, 2, 1, 1)
    return ops.reshape(lib.constraints.MaxNorm(1.0, axis=[0, 1, 2])(w), (2,))
