"""A saved model answers the same in every way in which a user may call it."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from cookbook.data.augmentation import augmentation_in

TOLERANCE = 1e-4  # of answers, relative to the largest one; float32 holds 1e-7
ONNX = ("tf2onnx", "onnxruntime")  # what an export to ONNX needs beside TensorFlow


def inputs_of(model, rows=3, length=12):
    """Arrays that the model takes: tokens from 1 to 8, or numbers from 0 to 1."""
    rng = np.random.default_rng(0)
    arrays = []
    for x in _network(model).inputs:
        shape = [rows, *(size or length for size in x.shape[1:])]
        if "int" in x.dtype:
            arrays.append(rng.integers(1, 9, shape).astype(x.dtype))
        else:
            arrays.append(rng.random(shape).astype(x.dtype))
    return arrays if len(arrays) > 1 else arrays[0]


def _network(model):
    """What a user would export: of a GAN its generator, otherwise the model itself."""
    return getattr(model, "generator", model)


def flat(answers):
    """Every number in the answers of a model with one output or several."""
    parts = []
    for part in tf.nest.flatten(answers):
        numbers = np.asarray(part, "float64")
        parts.append(numbers.ravel())

    return np.concatenate(parts)


def answers_of_onnx(path, inputs):
    """What onnxruntime answers with the model in a file."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    arrays = inputs if isinstance(inputs, list) else [inputs]
    fed = {}
    for entry, array in zip(session.get_inputs(), arrays):
        fed[entry.name] = array
    return session.run(None, fed)


def check_exported(path: Path, folder: Path) -> None:
    """Asserts that a .keras file, its calls and its exports agree."""
    model = keras.models.load_model(path)
    assert not augmentation_in(model), f"{path} holds augmentation"
    inputs = inputs_of(model)
    expected = flat(model.predict(inputs, verbose=0))
    scale = np.abs(expected).max()
    assert np.isfinite(expected).all()
    assert scale > 0

    answers = {"model(x)": model(inputs), "again": model(inputs)}
    _network(model).export(str(folder / "saved_model"), verbose=False)

    served = tf.saved_model.load(str(folder / "saved_model"))
    answers["SavedModel"] = served.serve(inputs)
    if all(map(importlib.util.find_spec, ONNX)):
        file = str(folder / "model.onnx")
        _network(model).export(file, format="onnx", verbose=False)
        answers["ONNX"] = answers_of_onnx(file, inputs)

    for way, answer in answers.items():
        error = np.abs(flat(answer) - expected).max() / scale
        assert error < TOLERANCE, f"{way} differs from predict by {error:.2g}"
