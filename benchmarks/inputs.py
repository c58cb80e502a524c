"""Random inputs of what is timed, which are the same for every side."""

import inspect
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

PER_CLASS = 8  # samples of a class, where a loss compares samples
Shape = tuple[int, ...]
Array = np.ndarray
# Sizes of a network's variables, over and over.
VARIABLES = [(64, 64), (64,), (256, 32), (32,)]


def layer_inputs(shape: Any, below: int | None = None) -> list[Array]:
    """An array for each input of a layer.

    Args:
        shape: of the input; a list for several inputs, a dict for keyword arguments.
        below: where the inputs are integers, the number below which they are.
    """
    rng = np.random.default_rng(0)
    shapes = _shapes_in(shape)
    if below is not None:
        return [rng.integers(0, below, size) for size in shapes]
    return _normal(rng, shapes)


def _normal(rng: np.random.Generator, shapes: Sequence[Shape]) -> list[Array]:
    return [rng.normal(size=shape).astype("f") for shape in shapes]


def _shapes_in(shape: Any) -> list[Shape]:
    if isinstance(shape, dict):
        return [*shape.values()]
    return shape if isinstance(shape, list) else [shape]


def call_layer(layer: Any, shape: Any, values: Sequence, **options: Any) -> Any:
    """The outputs of a layer whose inputs have the form that `shape` has."""
    if isinstance(shape, dict):
        return layer(**dict(zip(shape, values)), **options)
    if isinstance(shape, list):
        return layer(values, **options)
    return layer(values[0], **options)


def training_of(layer: Any) -> dict[str, bool]:
    """{"training": True} for a layer whose call has that argument."""
    takes_training = "training" in inspect.signature(layer.call).parameters
    return {"training": True} if takes_training else {}


def gradients_of_outputs(shapes: Sequence[Shape]) -> list[Array]:
    """A random array for each output, from which the gradients begin.

    With a gradient of ones, XLA would leave out half of some layers.
    """
    return _normal(np.random.default_rng(1), shapes)


def answers(shape: Shape, truth: Any) -> list[Array]:
    """[y_true, y_pred], or [y_pred] alone; see `LOSSES` in cases for `truth`."""
    rng = np.random.default_rng(0)
    y_pred = _between(rng, shape)
    if truth is None:
        return [y_pred]
    return [_truth(rng, shape, truth), y_pred]


def _between(rng: np.random.Generator, shape: Shape) -> Array:
    """Numbers between 0 and 1."""
    return rng.uniform(0.01, 0.99, size=shape).astype("f")


def _truth(rng: np.random.Generator, shape: Shape, truth: Any) -> Array:
    classes = shape[-1]
    if truth == "values":
        return _between(rng, shape)
    if truth == "binary":
        return rng.integers(0, 2, size=shape).astype("f")
    if truth == "samples":
        return rng.integers(0, shape[0] // PER_CLASS, size=shape[:1])
    labels = rng.integers(1, classes, size=_shape_of_labels(shape, truth))
    if truth == "one-hot":
        return np.eye(classes, dtype="f")[labels]
    return labels


def _shape_of_labels(shape: Shape, truth: Any) -> Shape:
    return truth if isinstance(truth, tuple) else shape[:-1]


def variables(count: int) -> list[Array]:
    """Values of `count` variables, which serve as their gradients too."""
    shapes = itertools.islice(itertools.cycle(VARIABLES), count)
    return _normal(np.random.default_rng(0), [*shapes])
