"""Training that can be repeated, and that goes on after a kill to the same bits."""

import functools
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from cookbook.data.augmentation import without_augmentation
from cookbook.data.batches import Batches, balanced_weights, joined
from cookbook.data.sources import DataSet
from cookbook.errors import fail
from cookbook.runs.precision import enter_precision, leave_precision
from cookbook.runs.record import code_of, first_difference, network_of, versions
from cookbook.runs.stopping import asked, postpone, stop_if_asked, uninterrupted
from cookbook.training.autotuning import switch_off_autotuning
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
)
from cookbook.training.run_folder import RunFolder, write_table
from cookbook.training.strategies import enter_strategy, leave_strategy, prepare
from custom_layers.common.private_keras import all_layers, make_training_variables

RecipeConfig = Any  # a TrainingConfig that also has the field batch_size
DIVERGED = 1e6  # no training recovers from a loss beyond this


class NotFinite(Exception):
    """The error of a training whose loss became infinite, not a number, or huge."""


def seed_everything(seed: int) -> None:
    """Seeds Python, NumPy and the backend: what is built next repeats bit for bit.

    Every training begins here. So this function also switches off the automatic tuning
    of tf.data, which is a global change (see `switch_off_autotuning`), and enters the
    strategy that --strategy chose and the precision that --precision chose.
    """
    keras.utils.set_random_seed(seed)
    switch_off_autotuning()
    enter_strategy()
    enter_precision()


def suit_backend(model: keras.Model) -> None:
    """Changes how a compiled model runs where the backend is not TensorFlow.

    Recipes choose `jit_compile` by the speed of TensorFlow, which has a graph without
    it. JAX then runs operation by operation, which takes many times as long. For torch,
    `jit_compile` needs a C++ compiler, and Keras refuses several steps per execution.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        for layer in all_layers(model):
            layer.supports_jit = True  # Keras denies it for what TensorFlow lacks
        model.jit_compile = True
    if backend == "torch":
        model.jit_compile = False
        model.steps_per_execution = 1


def train(
    model: keras.Model,
    data: DataSet,
    config: RecipeConfig,
    run: RunFolder | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> list[dict]:
    """Trains `model` for config.epochs; returns the history, one dict per epoch.

    data: a data set with the parts train and validation, each (x, y); validation may
        be None.
    run: the folder where the state of the training is saved every config.save_every
        steps and after each epoch. --resume goes on from there, to the same bits.
        Ctrl-C, SIGTERM and SIGHUP save the state and the model as it is.
    callbacks: callbacks of Keras. Those of their attributes that are numbers, arrays,
        or lists of them are saved too.
    """
    progress = _Progress(model, data, config, run, callbacks)
    try:
        return progress.complete(config.epochs)
    except NotFinite as problem:
        where = f"; the state before it is in {run.path}" if run else ""
        fail(
            f"{problem}, expected less than {DIVERGED:g}: lower the learning "
            f"rate{where}"
        )
    except KeyboardInterrupt:
        # A model that answers already stays until the next one is whole.
        if run and progress.is_model_trained and not run.has_results:
            run.write("model.keras", as_saved(model).save)
        raise


def as_saved(model: keras.Model) -> keras.Model:
    """The network that the file of a run holds; see `without_augmentation`.

    After LoRA it also lacks its optimizer: a file holds the sums of frozen weights and
    of LoRA's products, and the state of an optimizer that trains LoRA fits no sums.
    """
    model = without_augmentation(model)
    if not any(getattr(layer, "lora_enabled", False) for layer in all_layers(model)):
        return model
    network = keras.Model(model.input, model.output, name=model.name)
    network.jit_compile = model.jit_compile
    return network


def fit(
    model: keras.Model,
    data: DataSet,
    config: RecipeConfig,
    run: RunFolder | None,
    callbacks: Sequence[keras.callbacks.Callback],
    until: int,
) -> list[dict]:
    """Trains like `train`, until the end of epoch `until`; a search calls it.

    NotFinite and KeyboardInterrupt are left to the caller.
    """
    return _Progress(model, data, config, run, callbacks).complete(until)


class _Progress(keras.callbacks.Callback):
    """How far a training has come: saves that, restores it, and goes on from there."""

    def __init__(
        self,
        model: keras.Model,
        data: DataSet,
        config: RecipeConfig,
        run: RunFolder | None,
        callbacks: Sequence[keras.callbacks.Callback],
    ):
        super().__init__()
        self.set_model(model)
        suit_backend(model)
        self.data = data
        self.config = config
        self.run = run
        self.callbacks = list(callbacks)
        self.padded = getattr(data, "padded", False)
        self.part: tuple = data.train
        self.held_out: tuple | None = data.validation
        x, y = self.part
        batches = Batches(x, y, config.batch_size, config.seed)
        self.steps = len(batches)  # per epoch
        if config.with_validation and self.held_out:
            self.part, self.held_out = joined(self.part, self.held_out), None
        self.weights: dict[int, float] | None = None  # of the classes
        if hasattr(config, "class_weight") and config.class_weight == "balanced":
            self.weights = balanced_weights(self.part[1])
        self.rows: list[dict] = []  # the history of the whole epochs
        self.epoch = 0  # whole epochs that are done
        self.step = 0  # steps of the next epoch that are done
        self.stopped = False  # whether a callback has ended the training
        self.metrics: list | None = None  # their saved values, in mid-epoch
        self.memory: tuple | None = None  # saved attributes of the callbacks
        self.before = 0.0  # seconds of this epoch that an earlier process spent
        self.is_model_trained = False  # whether a step has changed the model
        self.code = code_of(config)
        self.undo_preparation: Callable[[], None] = lambda: None
        batch = self.batches()[0]
        if config.strategy == "none":
            make_training_variables(model, batch)
        else:
            self.undo_preparation = prepare(model, batch)

    def complete(self, until: int) -> list[dict]:
        """Trains until the end of epoch `until`; returns the history.

        If the run's folder holds saves, the training goes on from the newest. All
        epochs of one call of Keras's `fit` have the same number of steps, so the
        remainder of an epoch that was broken off gets a call of its own. What Keras
        does to the weights at the end of that call is undone: the state that was saved
        before it is restored.
        """
        run = self.run
        saved = Saves(run).read() if run else None
        try:
            if run and saved:
                self.build()
                self.restore(saved, run)
                run.started -= saved[0]["spent"]
            if run and self.step:
                self.fit(self.epoch + 1)
                self.restore(Saves(run).read(), run)
            self.fit(until)
        finally:
            postpone(False)
            self.undo_preparation()
            leave_precision()
        leave_strategy(self.model)
        return self.rows

    def batches(self) -> Batches:
        """The training batches, from the present epoch and step on."""
        x, y = self.part
        size, seed = self.config.batch_size, self.config.seed
        batches = Batches(x, y, size, seed, self.padded, self.steps)
        batches.start_epoch(self.epoch, self.step)
        return batches

    def quickly(self, batches: Batches) -> Any:
        """What `fit` gets the batches from soonest; a strategy divides Batches."""
        return batches.pipeline() if self.config.strategy == "none" else batches

    def fit(self, until: int) -> None:
        """Trains up to the end of epoch `until`, in one call of Keras's fit."""
        config = self.config
        self.fed = self.batches()
        held_out = None
        if self.held_out:
            x, y = self.held_out
            held_out = Batches(x, y, 4 * config.batch_size, padded=self.padded)
        loggers = []
        if self.run and config.tensorboard:
            loggers = board_callbacks(self.run, self.fed)
        self.model.fit(
            self.quickly(self.fed),
            validation_data=held_out and self.quickly(held_out),
            initial_epoch=until if self.stopped else self.epoch,
            epochs=until,
            callbacks=[*self.callbacks, *loggers, self],
            class_weight=self.weights,
            shuffle=False,  # Batches shuffles; Keras would draw an order of its own
            verbose=1 if sys.stdout.isatty() else 2,
        )

    def build(self) -> None:
        """Makes every variable that the training uses.

        It trains for one step, whose effects `restore` overwrites.
        """
        batches = self.batches()
        batches.steps = 1
        self.model.fit(batches, class_weight=self.weights, shuffle=False, verbose=0)
        self.model.make_train_function(force=True)

    def on_train_begin(self, logs: dict | None = None) -> None:
        if self.memory:
            packed, arrays = self.memory
            for callback, state in zip(self.callbacks, packed):
                for name, value in state.items():
                    setattr(callback, name, unpack(value, arrays))

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.fed.start_epoch(epoch, self.step)
        self.offset = self.step
        self.began = time.time() - self.before
        self.saved_at = self.step
        if self.run and self.metrics is not None:
            assign_all(self.model.metrics_variables, self.metrics, self.run.path)
            self.metrics = None

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        count_step()
        self.is_model_trained = True
        self.step = min(self.offset + batch + 1, self.steps)
        is_due = asked() or self.step - self.saved_at >= self.config.save_every
        # The end of the epoch saves too. At least two batches must be left for a
        # resumed run, because Keras finds out their shapes from two of them.
        can_resume = self.steps - self.step > 1
        if self.run and is_due and can_resume:
            self._check(logs or {})
            self.before = time.time() - self.began
            self._save(self.run)
            self.saved_at = self.step
        # A signal waits for the end of the next step, which is saved then. What comes
        # after the last step, such as a validation, may take long: it is broken off.
        postpone(can_resume)
        stop_if_asked()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        self._check(logs)
        seconds = time.time() - self.began
        figures = {name: float(value) for name, value in logs.items()}
        self.rows.append({"epoch": epoch + 1, **figures, "seconds": round(seconds, 3)})
        self.epoch = epoch + 1
        self.step = 0
        self.before = 0.0
        self.stopped = self.model.stop_training
        if self.run:
            self.run.write("history.csv", lambda path: write_table(path, self.rows))
            self._save(self.run)

    def _check(self, logs: dict) -> None:
        """Raises NotFinite if a loss or a weight is not a usable number any more."""
        epoch = self.epoch + 1
        for name, value in logs.items():
            if name.endswith("loss") and not abs(value) < DIVERGED:
                raise NotFinite(
                    f"the {name} became {float(value):.4g} in epoch {epoch}"
                )
        # A loss is computed before the step that follows from it: it can be finite when
        # that step has made the weights infinite.
        for weight in values_of(self.model.trainable_variables):
            if not np.isfinite(weight).all():
                raise NotFinite(f"a weight became infinite in epoch {epoch}")

    def _save(self, run: RunFolder) -> None:
        state, metrics = variables_of(self.model)
        if not self.step:
            metrics = []  # they begin anew with the next epoch
        memory: list = []
        packed = [pack_callback(callback, memory) for callback in self.callbacks]
        header = {
            "epoch": self.epoch,
            "step": self.step,
            "steps": self.steps,
            "data": getattr(self.data, "name", None),
            "stopped": self.stopped,
            "before": self.before,
            "spent": time.time() - run.started,
            "rows": self.rows,
            "generators": generators_state(),
            "variables": len(state),
            "metrics": len(metrics),
            "callbacks": packed,
            "versions": versions(),
            "code": self.code,
            "network": self.network,
        }
        done = self.epoch * self.steps + self.step
        arrays = values_of([*state, *metrics])
        Saves(run).write(done, header, [*arrays, *memory])

    def restore(self, saved: Any, run: RunFolder) -> None:
        """Puts the training where it was when `saved`, (header, arrays), was made."""
        header, arrays = saved
        self._refuse_other(header, run)
        with uninterrupted():
            self._assign(header, arrays, run)

    def _assign(self, header: dict, arrays: list, run: RunFolder) -> None:
        state, _ = variables_of(self.model)
        cut = header["variables"]
        end = cut + header["metrics"]
        assign_all(state, arrays[:cut], run.path)
        self.metrics = arrays[cut:end] if header["step"] else None
        self.memory = header["callbacks"], arrays[end:]
        set_generators_state(header["generators"])
        self.rows = list(header["rows"])
        self.epoch = header["epoch"]
        self.step = header["step"]
        self.stopped = header["stopped"]
        self.before = header["before"]

    @functools.cached_property
    def network(self) -> Any:
        """The network of the model, for the saves."""
        return network_of(self.model)

    def _refuse_other(self, header: dict, run: RunFolder) -> None:
        """Ends the program if a save is of other data or of another network.

        Other code and other versions are announced.
        """
        got = getattr(self.data, "name", None), self.steps
        saved = header["data"], header["steps"]
        if got != saved:
            fail(
                f"--resume found {run.path}, which learns from {saved[0]} in "
                f"{saved[1]} steps an epoch, not from {got[0]} in {got[1]}: give it "
                "the same data, or start without --resume"
            )
        # Saves of earlier versions of the cookbook do not hold the network.
        network = header.get("network")
        different = network and first_difference(network, self.network)
        if different:
            fail(
                f"the saves in {run.path} are of another network ({different}): its "
                "code has changed since; undo that, or start anew without --resume"
            )
        run.tell_changes({**header["versions"], **header.get("code", {})})
