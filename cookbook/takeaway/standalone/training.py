"""Training of a script: Keras's fit, in an order that the seed decides."""

from collections.abc import Sequence
from typing import Any

import keras

from cookbook.takeaway.standalone.base.folder import RunFolder
from cookbook.takeaway.standalone.data.batches import Batches, joined


def seed_everything(seed: int) -> None:
    """Seeds Python, NumPy and the backend: what is built next repeats bit for bit."""
    keras.utils.set_random_seed(seed)


def train(
    model: keras.Model,
    data: Any,
    config: Any,
    run: RunFolder | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> list[dict]:
    """Trains `model` for config.epochs; returns the history, one dict per epoch."""
    part, held_out = data.train, data.validation
    size, seed = config.batch_size, config.seed
    x, y = part
    steps = len(Batches(x, y, size, seed))  # per epoch
    if config.with_validation and held_out:
        (x, y), held_out = joined(part, held_out), None
    batches = Batches(x, y, size, seed, steps)
    shuffle = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: batches.start_epoch(epoch)
    )
    columns = model.fit(
        batches,
        validation_data=held_out and Batches(held_out[0], held_out[1], 4 * size),
        epochs=config.epochs,
        callbacks=[*callbacks, shuffle],
        shuffle=False,  # Batches shuffles
        verbose=2,
    ).history
    rows = [dict(zip(columns, values)) for values in zip(*columns.values())]
    return [{"epoch": epoch, **row} for epoch, row in enumerate(rows, start=1)]
