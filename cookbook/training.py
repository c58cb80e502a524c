"""Training: seeds, a run folder, batches in a repeatable order, resuming."""

import csv
import dataclasses
import json
import os
import sys
import time
from pathlib import Path

import keras
import numpy as np

from cookbook.cli import fail

POOL = 50  # batches among which rows are sorted by length
STATE = "state.npz"  # what a resumed run goes on from


def seed_everything(seed):
    """Seeds Python, NumPy and the backend, so that a run repeats bit for bit."""
    keras.utils.set_random_seed(seed)


class Batches(keras.utils.PyDataset):
    """Batches of arrays; the order is a function of (seed, epoch) and nothing else.

    x, y: arrays of equal length, or nested tuples or dicts of them
    seed: None keeps the arrays' own order and the last, smaller batch
    padded: rows are token ids that end in zeros; a batch then holds rows of like
        length, without the columns that are zero in all of them
    """

    def __init__(self, x, y, batch_size, seed=None, padded=False):
        super().__init__()
        self.parts = x, y
        self.batch_size = batch_size
        self.seed = seed
        self.padded = padded
        first = keras.tree.flatten(x)[0]
        self._count = len(first)
        self._lengths = _length(first) if padded else None
        self.start_epoch(0)

    def start_epoch(self, epoch):
        """Draws the epoch's order; the last examples that fill no batch wait."""
        self._order = np.arange(self._count)
        if self.seed is None:
            return
        rng = np.random.default_rng([self.seed, epoch])
        self._order = rng.permutation(self._count)
        if self.padded:
            self._order = self._like_lengths_together(rng)

    def _like_lengths_together(self, rng):
        """The order, sorted by length within each POOL of batches, batches shuffled."""
        batches = []
        whole = self._order[: len(self) * self.batch_size]
        for pool in np.split(whole, range(0, len(whole), POOL * self.batch_size)[1:]):
            pool = pool[np.argsort(self._lengths[pool], kind="stable")]
            batches += np.split(pool, range(0, len(pool), self.batch_size)[1:])
        return np.concatenate([batches[i] for i in rng.permutation(len(batches))])

    def __len__(self):
        whole, rest = divmod(self._count, self.batch_size)
        return max(1, whole) if self.seed is not None else whole + bool(rest)

    def __getitem__(self, index):
        rows = self._order[index * self.batch_size :][: self.batch_size]
        return keras.tree.map_structure(lambda part: self._take(part, rows), self.parts)

    def _take(self, part, rows):
        taken = part[rows]
        if self.padded and taken.ndim == 2 and taken.dtype.kind == "i":
            return taken[:, : max(1, _length(taken).max())]
        return taken


def _length(ids):
    """Number of columns up to the last that is not 0, of each row."""
    return (ids.shape[1] - (ids != 0)[:, ::-1].argmax(1)) * ids.any(1)


class RunFolder:
    """runs/<recipe>/<time>/: config.json, history.csv, metrics.json, model, pictures.

    Every file is written beside its place and then moved there, so that a run killed
    at any moment leaves only whole files.
    """

    def __init__(self, path, config):
        self.path = Path(path)
        self.config = config
        self.started = time.time()

    @classmethod
    def open(cls, recipe, config):
        """A new folder, or with --resume the recipe's newest unfinished one."""
        parent = config.run_dir / Path(recipe).stem
        if getattr(config, "resume", False):
            return cls._newest_unfinished(parent, config)
        stamp = time.strftime("%Y-%m-%d_%H-%M-%S")
        for attempt in range(100):
            path = parent / (f"{stamp}_{attempt}" if attempt else stamp)
            try:
                path.mkdir(parents=True)
                break
            except FileExistsError:
                continue
            except OSError as error:
                fail(
                    f"--run-dir got {config.run_dir}, where no folder can be made "
                    f"({error.strerror}): choose a folder you may write to"
                )
        run = cls(path, config)
        run.write_json("config.json", plain(config))
        return run

    @classmethod
    def _newest_unfinished(cls, parent, config):
        unfinished = [
            path
            for path in sorted(parent.glob("*/"))
            if (path / STATE).exists() and not (path / "metrics.json").exists()
        ]
        if not unfinished:
            fail(f"--resume found no unfinished run in {parent}: start one without it")
        saved = json.loads((unfinished[-1] / "config.json").read_text())
        now = plain(config)
        changed = {
            key: f"{saved.get(key)} -> {now[key]}"
            for key in now
            if key not in ("resume", "run_dir") and saved.get(key) != now[key]
        }
        if changed:
            fail(
                f"--resume found {unfinished[-1]}, which was started with other "
                f"settings ({changed}): give the same ones, or start without --resume"
            )
        return cls(unfinished[-1], config)

    def write_json(self, name, content):
        self.write(name, lambda path: path.write_text(json.dumps(content, indent=2)))

    def write(self, name, save):
        """`save(path)` writes the file; it appears under `name` only once whole."""
        target = self.path / name
        partial = target.with_name(f"partial_{name}")
        save(partial)
        os.replace(partial, target)


def write_table(path, rows):
    """Writes a list of dicts with the same keys as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def plain(config):
    """A Config as JSON-ready values."""
    return json.loads(json.dumps(dataclasses.asdict(config), default=str))


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
        for name in row:
            if name.endswith("loss") and not np.isfinite(row[name]):
                where = f"; the state before it is in {self.run.path}"
                fail(
                    f"the {name} became {row[name]} in epoch {epoch + 1}, expected a "
                    f"finite number: lower the learning rate{where if self.run else ''}"
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


def train(model, data, config, run=None, callbacks=()):
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
            callbacks=[_Epochs(batches, run, rows), *callbacks],
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
