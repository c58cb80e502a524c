"""The training step of a recipe, with our parts or with those of Keras."""

import contextlib
import importlib
import io
import tempfile
import time
import typing
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

import cookbook.trained.load
from benchmarks.measure import Step


class _FirstFit(Exception):
    """Ends a recipe at its first training, of which it holds model and batch."""

    def __init__(self, model: keras.Model, batch: tuple) -> None:
        super().__init__()
        self.model = model
        self.batch = batch


def first_fit(recipe: str, **flags: typing.Any) -> tuple[keras.Model, tuple]:
    """(compiled model, batch) with which the recipe begins its first training.

    The recipe runs as its command does, on its real data or its stand-in, up to there.
    A network that it takes from another recipe, such as a judge, stays untrained.

    flags: fields of the recipe's Config.
    """
    module = importlib.import_module(f"recipes.{recipe}")
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(keras.Model, "fit", _stop),
        mock.patch.object(keras.Model, "train_on_batch", _stop),
        mock.patch.object(cookbook.trained.load, "train"),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        try:
            module.main(module.Config(run_dir=Path(folder), **flags))
        except _FirstFit as found:
            return found.model, found.batch
    raise ValueError(f"{recipe} trains no network of Keras: expected one that does")


def _stop(
    model: keras.Model,
    x: typing.Any = None,
    y: typing.Any = None,
    batch_size: int | None = None,
    **options: typing.Any,
) -> None:
    """What takes the place of Keras's fit."""
    if isinstance(x, keras.utils.PyDataset):
        batch = x[0]
    elif isinstance(x, tf.data.Dataset):
        first = next(iter(x.take(1)))
        batch = keras.tree.map_structure(lambda tensor: tensor.numpy(), first)
    else:
        count = batch_size or 32
        batch = keras.tree.map_structure(lambda array: np.array(array[:count]), (x, y))
    raise _FirstFit(model, batch)


def training_step(model: keras.Model, batch: tuple) -> tuple[Step, float]:
    """(a training step on the batch, over and over; seconds of the first one).

    It is the function that `fit` calls, in which the number of examples is unknown.
    """
    model.steps_per_execution = 1
    start = time.perf_counter()
    model.fit(_endless(batch).take(1), shuffle=False, verbose=0)
    first = time.perf_counter() - start
    batches = iter(_endless(batch))
    train: typing.Any = model.train_function
    return lambda: train(batches), first


def _endless(batch: tuple) -> tf.data.Dataset:
    """The batch as the steps of `fit` see it: its axes of unknown length are None."""
    present = tuple(part for part in batch if part is not None)
    return tf.data.Dataset.from_tensors(present).map(_of_unknown_size).repeat()


def _of_unknown_size(*parts: typing.Any) -> typing.Any:
    def forget(x: typing.Any) -> typing.Any:
        is_ids = x.shape.rank == 2 and x.dtype.is_integer
        known = [None, None] if is_ids else [None, *x.shape[1:]]
        return tf.compat.v1.placeholder_with_default(x, known)

    return tf.nest.map_structure(forget, parts)
