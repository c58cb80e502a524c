"""Random inputs of what is timed, which are the same for every side."""

import inspect
import typing

import numpy as np

PER_CLASS = 8  # samples of a class, where a loss compares samples
# Sizes of a network's variables, over and over.
VARIABLES = [(64, 64), (64,), (256, 32), (32,)]


def layer_inputs(shape: typing.Any, below: int | None = None) -> list[np.ndarray]:
    """An array for each input of a layer.

    Args:
        shape: of the input; a list for several inputs, a dict for keyword arguments.
        below: where the inputs are integers, the number below which they are.
    """
    rng = np.random.default_rng(0)
    if below is not None:
        return [rng.integers(0, below, size) for size in _shapes_in(shape)]
    return [rng.normal(size=size).astype("f") for size in _shapes_in(shape)]


def _shapes_in(shape: typing.Any) -> list[tuple[int, ...]]:
    if isinstance(shape, dict):
        return [*shape.values()]
    return shape if isinstance(shape, list) else [shape]


def call_layer(
    layer: typing.Any, shape: typing.Any, values: typing.Sequence, **options: typing.Any
) -> typing.Any:
    """The outputs of a layer whose inputs have the form that `shape` has."""
    if isinstance(shape, dict):
        return layer(**dict(zip(shape, values)), **options)
    if isinstance(shape, list):
        return layer(values, **options)
    return layer(values[0], **options)


def training_of(layer: typing.Any) -> dict[str, bool]:
    """{"training": True} for a layer whose call has that argument."""
    takes_training = "training" in inspect.signature(layer.call).parameters
    return {"training": True} if takes_training else {}


def gradients_of_outputs(shapes: typing.Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """A random array for each output, from which the gradients begin.

    With a gradient of ones, XLA would leave out half of some layers.
    """
    rng = np.random.default_rng(1)
    return [rng.normal(size=shape).astype("f") for shape in shapes]


def answers(shape: tuple[int, ...], truth: typing.Any) -> list[np.ndarray]:
    """[y_true, y_pred], or [y_pred] alone; see `LOSSES` in cases for `truth`."""
    rng = np.random.default_rng(0)
    y_pred = rng.uniform(0.01, 0.99, size=shape).astype("f")
    if truth is None:
        return [y_pred]
    return [_truth(rng, shape, truth), y_pred]


def _truth(
    rng: np.random.Generator, shape: tuple[int, ...], truth: typing.Any
) -> np.ndarray:
    classes = shape[-1]
    if truth == "values":
        return rng.uniform(0.01, 0.99, size=shape).astype("f")
    if truth == "binary":
        return rng.integers(0, 2, size=shape).astype("f")
    if truth == "samples":
        return rng.integers(0, shape[0] // PER_CLASS, size=shape[:1])
    labels = rng.integers(1, classes, size=_shape_of_labels(shape, truth))
    if truth == "one-hot":
        return np.eye(classes, dtype="f")[labels]
    return labels


def _shape_of_labels(shape: tuple[int, ...], truth: typing.Any) -> tuple[int, ...]:
    return truth if isinstance(truth, tuple) else shape[:-1]


def variables(count: int) -> list[np.ndarray]:
    """Values of `count` variables, which serve as their gradients too."""
    rng = np.random.default_rng(0)
    shapes = [VARIABLES[i % len(VARIABLES)] for i in range(count)]
    return [rng.normal(size=shape).astype("f") for shape in shapes]
