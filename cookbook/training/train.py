"""Training: seeds, fitting, and going on after any kill as if there had been none."""

import sys
import time

import keras
import numpy as np

from cookbook.data.batches import Batches, joined
from cookbook.errors import fail
from cookbook.training.board import board_callbacks
from cookbook.training.chaos import count_step
from cookbook.training.checkpoint import (
    Saves,
    assign_all,
    generators_state,
    pack_callback,
    set_generators_state,
    unpack,
    values_of,
    variables_of,
    versions,
)
from cookbook.training.iterators import end_at_once
from cookbook.training.run_folder import write_table
from cookbook.training.strategies import enter_strategy, leave_strategy, prepare

DIVERGED = 1e6  # a loss beyond it will not come back, as a critic's without a penalty


class NotFinite(Exception):
    """The loss became infinite, not a number, or huge."""


def seed_everything(seed):
    """Seeds Python, NumPy and the backend: what is built next repeats bit for bit.

    It also ends the waiting of tf.data's iterators, as every training begins here.
    """
    keras.utils.set_random_seed(seed)
    end_at_once()
    enter_strategy()


def train(model, data, config, run=None, callbacks=()):
    """Fits `model` for config.epochs; returns the history, a list of one dict an epoch.

    data: has train and validation, each (x, y), or validation None. In a run folder
    all is saved every config.save_every steps and after each epoch: --resume goes on
    from there, to the same bits; Ctrl-C keeps what was trained and exits with 130.
    callbacks: Keras's, whose attributes (numbers, arrays, lists of them) are saved.
    """
    try:
        return fit(model, data, config, run, callbacks, config.epochs)
    except NotFinite as problem:
        where = f"; the state before it is in {run.path}" if run else ""
        fail(
            f"{problem}, expected less than {DIVERGED:g}: lower the learning "
            f"rate{where}"
        )
    except KeyboardInterrupt:
        if run:
            run.write("model.keras", model.save)
            print(
                f"\ninterrupted; what was trained is in {run.path}; the same command "
                "with --resume goes on"
            )
        raise SystemExit(130) from None


def fit(model, data, config, run, callbacks, until):
    """`train` until epoch `until`, for a search: raises NotFinite, KeyboardInterrupt.

    The run goes on from its folder's saves if there are any. The remainder of a broken
    epoch is a fit of its own, since the number of steps is the same in all epochs of a
    fit; what Keras does at its end is undone by restoring the state before it.
    """
    progress = _Progress(model, data, config, run, callbacks)
    saved = Saves(run).read() if run else None
    if saved:
        progress.build()
        progress.restore(saved)
        run.started -= saved[0]["spent"]
    if progress.step:
        progress.fit(progress.epoch + 1)
        progress.restore(Saves(run).read())
    progress.fit(until)
    leave_strategy(model)
    return progress.rows


class _Progress(keras.callbacks.Callback):
    """Where a run is: saves that, restores it, and goes on from there."""

    def __init__(self, model, data, config, run, callbacks):
        super().__init__()
        self.set_model(model)
        self.data, self.config = data, config
        self.run, self.callbacks = run, list(callbacks)
        self.padded = getattr(data, "padded", False)
        self.part, self.held_out = data.train, data.validation
        self.steps = len(Batches(*self.part, config.batch_size, config.seed))
        if config.with_validation and self.held_out:
            self.part, self.held_out = joined(self.part, self.held_out), None
        self.rows = []  # of the whole epochs
        self.epoch = self.step = 0  # whole epochs, and steps of the next, that are done
        self.stopped = False  # a callback ended the training
        self.metrics = None  # their saved values, in the middle of an epoch
        self.memory = None  # what the callbacks remember, packed, and the arrays
        self.before = 0.0  # seconds of this epoch that an earlier process spent
        if config.strategy != "none":
            prepare(model, self.batches()[0])

    def batches(self):
        """Training batches from the present epoch and step on."""
        size, seed = self.config.batch_size, self.config.seed
        batches = Batches(*self.part, size, seed, self.padded, self.steps)
        batches.start_epoch(self.epoch, self.step)
        return batches

    def fit(self, until):
        """Trains up to the end of epoch `until`, in one call of Keras's fit."""
        config = self.config
        self.fed = self.batches()
        held_out = None
        if self.held_out:
            size = 4 * config.batch_size
            held_out = Batches(*self.held_out, size, padded=self.padded)
        logs = self.run and config.tensorboard
        loggers = board_callbacks(self.run, self.fed) if logs else []
        self.model.fit(
            self.fed,
            validation_data=held_out,
            initial_epoch=until if self.stopped else self.epoch,
            epochs=until,
            callbacks=[*self.callbacks, *loggers, self],
            shuffle=False,  # Batches does it; Keras would draw an order of its own
            verbose=1 if sys.stdout.isatty() else 2,
        )

    def build(self):
        """Makes every variable there is, by a step whose effects are overwritten."""
        batches = self.batches()
        batches.steps = 1
        self.model.fit(batches, shuffle=False, verbose=0)
        self.model.make_train_function(force=True)

    def on_train_begin(self, logs=None):
        if self.memory:
            packed, arrays = self.memory
            for callback, state in zip(self.callbacks, packed):
                for name, value in state.items():
                    setattr(callback, name, unpack(value, arrays))

    def on_epoch_begin(self, epoch, logs=None):
        self.fed.start_epoch(epoch, self.step)
        self.offset = self.step
        self.began = time.time() - self.before
        self.saved_at = self.step
        if self.metrics is not None:
            assign_all(self.model.metrics_variables, self.metrics, self.run.path)
            self.metrics = None

    def on_train_batch_end(self, batch, logs=None):
        count_step()
        self.step = min(self.offset + batch + 1, self.steps)
        due = self.step - self.saved_at >= self.config.save_every
        # The epoch's end saves too. Keras takes the shape of batches from two of them.
        if self.run and due and self.steps - self.step > 1:
            self._check(logs)
            self.before = time.time() - self.began
            self._save()
            self.saved_at = self.step

    def on_epoch_end(self, epoch, logs=None):
        self._check(logs)
        seconds = time.time() - self.began
        figures = {name: float(value) for name, value in logs.items()}
        self.rows.append({"epoch": epoch + 1, **figures, "seconds": round(seconds, 3)})
        self.epoch, self.step, self.before = epoch + 1, 0, 0.0
        self.stopped = self.model.stop_training
        if self.run:
            self.run.write("history.csv", lambda path: write_table(path, self.rows))
            self._save()

    def _check(self, logs):
        losses = {name: value for name, value in logs.items() if name.endswith("loss")}
        for name, value in losses.items():
            if not abs(value) < DIVERGED:
                raise NotFinite(
                    f"the {name} became {float(value)} in epoch {self.epoch + 1}"
                )
        # The loss is that before the step: it can be finite when the weights are not.
        for weight in values_of(self.model.trainable_variables):
            if not np.isfinite(weight).all():
                raise NotFinite(f"a weight became infinite in epoch {self.epoch + 1}")

    def _save(self):
        state, metrics = variables_of(self.model)
        arrays = values_of([*state, *(metrics if self.step else ())])
        memory = []
        header = {
            "epoch": self.epoch,
            "step": self.step,
            "steps": self.steps,
            "data": getattr(self.data, "name", None),
            "stopped": self.stopped,
            "before": self.before,
            "spent": time.time() - self.run.started,
            "rows": self.rows,
            "generators": generators_state(),
            "variables": len(state),
            "metrics": len(metrics) if self.step else 0,
            "callbacks": [pack_callback(c, memory) for c in self.callbacks],
            "versions": versions(),
        }
        done = self.epoch * self.steps + self.step
        Saves(self.run).write(done, header, [*arrays, *memory])

    def restore(self, saved):
        """Puts the run where it was when `saved`, (header, arrays), was written."""
        header, arrays = saved
        self._refuse_other(header)
        state, _ = variables_of(self.model)
        cut, end = header["variables"], header["variables"] + header["metrics"]
        assign_all(state, arrays[:cut], self.run.path)
        self.metrics = arrays[cut:end] if header["step"] else None
        self.memory = header["callbacks"], arrays[end:]
        set_generators_state(header["generators"])
        self.rows = list(header["rows"])
        self.epoch, self.step = header["epoch"], header["step"]
        self.stopped, self.before = header["stopped"], header["before"]

    def _refuse_other(self, header):
        got = getattr(self.data, "name", None), self.steps
        saved = header["data"], header["steps"]
        if got != saved:
            fail(
                f"--resume found {self.run.path}, which learns from {saved[0]} in "
                f"{saved[1]} steps an epoch, not from {got[0]} in {got[1]}: give it "
                "the same data, or start without --resume"
            )
        if header["versions"] != versions():
            print(
                f"saved with {header['versions']}, now {versions()}: what follows may "
                "differ in the last bits from a run that was not broken"
            )
