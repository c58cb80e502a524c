"""The share of a training step that is spent on feeding, for each recipe.

A step is fed when its batch is put together, turned into tensors and handed over. Some
of that happens while the last step runs; what counts is by how much steps get faster if
the same batches lie ready in memory.
"""

import contextlib
import copy
import dataclasses
import importlib
import io
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

import cookbook.trained.load
from cookbook.data.batches import Batches

RECIPES = (
    "addition_seq2seq",
    "cifar10_resnet",
    "english_tagging_crf",
    "gan_anomaly",
    "gan_augment",
    "imdb_cnn",
    "imdb_rnn",
    "imdb_transformer",
    "mackey_glass_rnn",
    "mnist_cgan",
    "mnist_cnn",
    "mnist_gan",
    "mnist_mlp",
    "mnist_transfer",
    "mnist_wgan_gp",
    "multi30k_attention",
    "multi30k_transformer",
    "ring_gan",
    "shakespeare_gpt",
    "shakespeare_rnn",
)
ROUNDS = 5
SECONDS = 2.0  # of training in each round, half of it with ready batches
MOST_ROUNDS = 50  # where an epoch is shorter than that


@dataclasses.dataclass
class Begun(Exception):
    """The end of a recipe where its first training would begin."""

    model: keras.Model
    batches: Batches
    options: dict[str, Any]  # of `fit`, such as the weights of the classes


def begin(recipe: str, **flags: Any) -> Begun:
    """The first training of a recipe, which is not carried out.

    A network that a recipe takes from another one, such as a judge, stays untrained.

    flags: fields of the recipe's Config.
    """
    module = importlib.import_module(f"recipes.{recipe}")
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.object(keras.Model, "fit", _stop),
        mock.patch.object(Batches, "pipeline", lambda batches: batches),
        mock.patch.object(cookbook.trained.load, "train"),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        try:
            module.main(module.Config(run_dir=Path(folder), **flags))
        except Begun as begun:
            return begun
    raise ValueError(f"{recipe} trains nothing, expected a recipe that calls `train`")


def _stop(model: keras.Model, x: Any, class_weight: Any = None, **others: Any) -> None:
    """What takes the place of Keras's fit."""
    raise Begun(model, x, {"class_weight": class_weight})


class _Clock(keras.callbacks.Callback):
    """Seconds per step, without the first call, of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.ends: list[tuple[int, float]] = []

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.ends.append((batch, time.perf_counter()))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        (first, start), (last, end) = self.ends[0], self.ends[-1]
        self.seconds.append((end - start) / max(1, last - first))


def seconds_per_step(begun: Begun, data: Any, epochs: int = 1) -> float:
    """Seconds of a step of the last epoch."""
    clock = _Clock()
    options = {"shuffle": False, "verbose": 0, **begun.options}
    begun.model.fit(data, epochs=epochs, callbacks=[clock], **options)
    return clock.seconds[-1]


def share_of_feeding(begun: Begun) -> tuple[float, float]:
    """(share of a step that is spent on feeding, seconds of a fed step)."""
    batches = begun.batches
    whole = len(batches)
    model = begun.model
    model.steps_per_execution = min(model.steps_per_execution, max(1, whole // 4))
    least = 4 * model.steps_per_execution
    batches.steps = min(whole, least)
    seconds_per_step(begun, _fresh(batches))  # compiles
    once = seconds_per_step(begun, _fresh(batches))
    batches.steps = min(whole, max(least, int(SECONDS / 2 / once)))
    ready = ready_batches(batches)
    seconds_per_step(begun, ready, epochs=2)  # compiles, and fills the memory
    fed, unfed = [], []
    # Short epochs tell little: in five rounds of 46 steps, shares came out between
    # -3 and 14 %.
    seconds = 2 * batches.steps * once
    for _ in range(min(MOST_ROUNDS, max(ROUNDS, round(ROUNDS * SECONDS / seconds)))):
        fed.append(seconds_per_step(begun, _fresh(batches)))
        unfed.append(seconds_per_step(begun, ready))
    shares = [1 - free / all_of_it for free, all_of_it in zip(unfed, fed)]
    return statistics.median(shares), statistics.median(fed)


def _fresh(batches: Batches) -> Any:
    """What `fit` is given; Keras asks each Batches for its shapes once."""
    return copy.copy(batches).pipeline()


def ready_batches(batches: Batches) -> tf.data.Dataset:
    """The same batches as tensors that stay in memory once they have been used."""
    batches = copy.copy(batches)
    batches.on_epoch_begin()  # from here on they have the shapes of training
    all_batches = [batches[i] for i in range(len(batches))]

    def specification(*arrays: np.ndarray) -> tf.TensorSpec:
        sizes = zip(*(array.shape for array in arrays))
        _, *others = (n[0] if len(set(n)) == 1 else None for n in sizes)
        return tf.TensorSpec([None, *others], arrays[0].dtype)

    signature = keras.tree.map_structure(specification, *all_batches)
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(all_batches), output_signature=signature
    )
    count = tf.data.experimental.assert_cardinality(len(all_batches))
    return dataset.apply(count).cache().prefetch(2)


def run_feeding(recipes: Sequence[str] = (), **flags: Any) -> None:
    """Prints a row for each recipe."""
    print(f"{'recipe':<22}{'step':>12}{'feeding':>10}")
    for recipe in recipes or RECIPES:
        share, seconds = share_of_feeding(begin(recipe, **flags))
        print(f"{recipe:<22}{1e3 * seconds:>9.2f} ms{share:>10.1%}", flush=True)
