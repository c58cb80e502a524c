"""Training: seeds, fitting, resuming."""

import json
import sys
import time

import keras
import numpy as np

from cookbook.batches import Batches
from cookbook.cli import fail
from cookbook.run_folder import STATE, write_table


def seed_everything(seed):
    """Seeds Python, NumPy and the backend, so that a run repeats bit for bit."""
    keras.utils.set_random_seed(seed)


class _Epochs(keras.callbacks.Callback):
    """Sets each epoch's order; after it writes history.csv and the state to resume."""

    def __init__(self, batches, run, rows):
        super().__init__()
        self.batches = batches
        self.run = run
        self.rows = rows

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.start_epoch(epoch)
        self.began = time.time()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.time() - self.began
        row = {"epoch": epoch + 1, **logs, "seconds": round(seconds, 3)}
        if not np.isfinite(row["loss"]):
            where = f"; the state before it is in {self.run.path}" if self.run else ""
            fail(
                f"the loss became {row['loss']} in epoch {epoch + 1}, expected a "
                f"finite number: lower the learning rate{where}"
            )
        self.rows.append(row)
        if self.run:
            self.run.write("history.csv", lambda path: write_table(path, self.rows))
            self.run.write(STATE, self._write_state)

    def _write_state(self, path):
        values = {
            str(i): keras.ops.convert_to_numpy(variable)
            for i, variable in enumerate(_state(self.model))
        }
        with path.open("wb") as file:
            np.savez(file, rows=json.dumps(self.rows), **values)


def _state(model):
    """All that a step changes: weights, optimizer slots, the layers' random seeds."""
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def train(model, data, config, run=None):
    """Fits `model` for config.epochs; returns the history, a list of one dict an epoch.

    data: has train and validation, each (x, y). In a run folder every epoch is saved:
    --resume goes on after the last whole one, and Ctrl-C keeps what was trained and
    exits with 130.
    """
    rows = []
    if run and config.resume:
        with np.load(run.path / STATE) as state:
            rows.extend(json.loads(str(state["rows"])))
            for i, variable in enumerate(_state(model)):
                variable.assign(state[str(i)])
    padded = getattr(data, "padded", False)
    batches = Batches(*data.train, config.batch_size, config.seed, padded)
    held_out = Batches(*data.validation, 4 * config.batch_size, padded=padded)
    try:
        model.fit(
            batches,
            validation_data=held_out,
            initial_epoch=len(rows),
            epochs=config.epochs,
            callbacks=[_Epochs(batches, run, rows)],
            shuffle=False,  # Batches does it; Keras would draw an order of its own
            verbose=1 if sys.stdout.isatty() else 2,
        )
    except KeyboardInterrupt:
        if run:
            run.write("model.keras", model.save)
            print(
                f"\ninterrupted after {len(rows)} whole epochs; what was trained is in "
                f"{run.path}; the same command with --resume goes on"
            )
        raise SystemExit(130) from None
    return rows
