"""Training of a script: Keras's fit, in an order that the seed decides."""

import time
from collections.abc import Sequence
from typing import Any

import keras

from cookbook.data.batches import Batches, joined
from cookbook.takeaway.standalone.folder import RunFolder

RecipeConfig = Any  # a TrainingConfig that also has the field batch_size


def seed_everything(seed: int) -> None:
    """Seeds Python, NumPy and the backend: what is built next repeats bit for bit."""
    keras.utils.set_random_seed(seed)


class _Rows(keras.callbacks.Callback):
    """Starts each epoch's order of the examples, and keeps the history."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches
        self.rows: list[dict] = []

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.batches.start_epoch(epoch)
        self.began = time.time()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        figures = {name: float(value) for name, value in (logs or {}).items()}
        seconds = round(time.time() - self.began, 3)
        self.rows.append({"epoch": epoch + 1, **figures, "seconds": seconds})


def train(
    model: keras.Model,
    data: Any,
    config: RecipeConfig,
    run: RunFolder | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> list[dict]:
    """Trains `model` for config.epochs; returns the history, one dict per epoch."""
    part, held_out = data.train, data.validation
    padded = getattr(data, "padded", False)
    size, seed = config.batch_size, config.seed
    steps = len(Batches(*part, size, seed))  # per epoch
    if config.with_validation and held_out:
        part, held_out = joined(part, held_out), None
    batches = Batches(*part, size, seed, padded, steps)
    progress = _Rows(batches)
    model.fit(
        batches,
        validation_data=held_out and Batches(*held_out, 4 * size, padded=padded),
        epochs=config.epochs,
        callbacks=[*callbacks, progress],
        shuffle=False,  # Batches shuffles
        verbose=2,
    )
    return progress.rows
