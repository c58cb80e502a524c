"""Configurations: those that Keras wrote build ours, and NumPy in arguments is JSON."""

import json

import keras
import numpy as np
import pytest
from keras import ops

import examples
from custom_layers.losses import CategoricalFocalCrossentropy
from loss_cases import data
from making import CLASSES
from oracle import assert_close, keras_counterpart

# Layers, optimizers and schedules have tests of their own.
TABLES = {
    **examples.INITIALIZERS,
    **examples.REGULARIZERS,
    **examples.CONSTRAINTS,
    **examples.LOSSES,
    **examples.METRICS,
}
IN_KERAS = [name for name in TABLES if keras_counterpart(name)]


def as_numpy(value):
    """The argument with NumPy's numbers and arrays in place of Python's."""
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int):
        return np.int64(value)
    if isinstance(value, float):
        return np.float32(value)
    return np.array(value) if isinstance(value, list) else value


def as_list(value):
    """A tuple as a list, which is what JSON makes of it."""
    return list(value) if isinstance(value, tuple) else value


def arguments_of(name):
    arguments = TABLES[name]
    return arguments() if callable(arguments) else arguments


@pytest.mark.one_backend
@pytest.mark.parametrize("name", TABLES)
def test_a_configuration_is_json_though_an_argument_was_numpy(name):
    arguments = {key: as_numpy(v) for key, v in arguments_of(name).items()}
    config = CLASSES[name](**arguments).get_config()
    json.dumps(config)
    again = CLASSES[name].from_config(config)
    assert json.dumps(again.get_config()) == json.dumps(config)


@pytest.mark.one_backend
@pytest.mark.parametrize("name", IN_KERAS)
@pytest.mark.parametrize("dtype", [None, "float32"])
def test_a_configuration_that_keras_wrote_builds_ours(name, dtype):
    arguments = arguments_of(name)
    if dtype and issubclass(CLASSES[name], keras.losses.Loss):
        arguments = {**arguments, "dtype": dtype}
    theirs = keras_counterpart(name)(**arguments)
    config = json.loads(json.dumps(theirs.get_config()))
    ours = CLASSES[name].from_config(config)
    for key, value in arguments.items():
        if key in config and key != "seed":
            given = getattr(ours, key, value)
            assert as_list(given) == pytest.approx(as_list(value)), key


@pytest.mark.one_backend
def test_more_than_twenty_losses_are_in_keras():
    losses = [name for name in IN_KERAS if name in examples.LOSSES]
    assert len(losses) >= 21


def test_focal_weights_given_as_an_array_are_saved():
    alpha = np.array([0.125, 0.25, 0.5], "float32")
    loss = CategoricalFocalCrossentropy(alpha)
    again = CategoricalFocalCrossentropy.from_config(
        json.loads(json.dumps(loss.get_config()))
    )
    y_true, y_pred = data("onehot", (4, 3)), data("distribution", (4, 3), seed=1)
    theirs = keras.losses.CategoricalFocalCrossentropy(alpha.tolist())
    for ours in (loss, again):
        assert_close(ours(y_true, y_pred), theirs(y_true, y_pred), 1e-5)


OF_LABELS = (  # losses of a batch of embeddings, or of pairs, with labels (B,)
    "Circle",
    "InfoNCE",
    "LiftedStruct",
    "NPairs",
    "NTXent",
    "SupervisedContrastive",
    "TripletHard",
    "TripletSemiHard",
)


@pytest.mark.parametrize("name", sorted(examples.LOSSES.keys() - {"CTC", "CRFLoss"}))
def test_rows_of_zeros_are_finite(name):
    """A network that has died predicts zeros; its loss must not be NaN."""
    has_steps = name in ("TokenCrossentropy", "SequenceLoss", "Dice")
    shape = (2, 3, 4) if has_steps else (2, 4)
    is_sparse = name in (
        "SparseCategoricalCrossentropy",
        "CategoricalGeneralizedCrossEntropy",
        "TokenCrossentropy",
        "ArcFace",
        "LovaszSoftmax",
        "SequenceLoss",
    )
    is_label = name in OF_LABELS
    y_true = np.zeros(shape[:-1] if is_sparse or is_label else shape, "int32")
    is_square, is_pair = name.startswith("NPairs"), name in ("InfoNCE", "NTXent")
    y_pred = ops.zeros((2, 2) if is_square else (2, 2, 3) if is_pair else shape)
    # HingeGAN's row has float64, which JAX lacks.
    loss = CLASSES[name](**{**arguments_of(name), "dtype": "float32"})
    for y in (y_true, np.ones_like(y_true)):
        assert np.isfinite(float(loss(y, y_pred)))
