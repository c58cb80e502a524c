"""TensorBoard logs of a run: scalars, histograms, sample images, settings (HParams)."""

import dataclasses
import typing
from pathlib import Path

import keras
import numpy as np

FOLDER = "tensorboard"  # in the run folder: tensorboard --logdir runs shows them all
SAMPLES = 9  # images


def board_of_trial(run: typing.Any, number: int) -> Path:
    """The folder for the logs of a trial of the search in `run`, a RunFolder."""
    return run.path / FOLDER / f"trial_{number}"


def board_callbacks(run: typing.Any, batches: typing.Any) -> list:
    """Callbacks that log a training; `tensorboard --logdir runs` shows the logs.

    Of a trial they log the curves alone, since a search may have hundreds of trials.

    run: the RunFolder; batches: a sequence of training batches (x, y).
    """
    if run.board:
        return [keras.callbacks.TensorBoard(str(run.board), write_graph=False)]
    folder = str(run.path / FOLDER)
    scalars = keras.callbacks.TensorBoard(folder, histogram_freq=1, write_graph=False)
    return [scalars, _Samples(folder, run.config, batches)]


class _Samples(keras.callbacks.Callback):
    """Logs images as the model sees them and, at the end, the settings and figures."""

    def __init__(self, folder: str, config: typing.Any, batches: typing.Any) -> None:
        super().__init__()
        self.folder = folder
        self.config = config
        self.batches = batches
        self.figures: dict = {}  # of the last epoch

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        import tensorflow as tf

        x = keras.tree.flatten(self.batches[0])[0]
        if epoch or not _are_images(x):
            return
        x = x[:SAMPLES].astype("float32")
        x = (x - x.min()) / max(np.ptp(x), 1e-9)
        with tf.summary.create_file_writer(self.folder).as_default():
            tf.summary.image("training images", x, step=0, max_outputs=SAMPLES)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.figures = logs or {}

    def on_train_end(self, logs: dict | None = None) -> None:
        log_settings(self.folder, dataclasses.asdict(self.config), self.figures)


def _are_images(x: np.ndarray) -> bool:
    return x.ndim == 4 and x.shape[-1] in (1, 3)


def log_settings(folder: str | Path, settings: dict, figures: dict) -> None:
    """Logs one row of TensorBoard's HParams table: the settings and their figures."""
    import tensorflow as tf
    from tensorboard.plugins.hparams import api

    plain = {
        name: value if isinstance(value, bool | int | float | str) else str(value)
        for name, value in settings.items()
    }
    with tf.summary.create_file_writer(str(folder)).as_default():
        api.hparams(plain)
        for name, value in figures.items():
            tf.summary.scalar(name, float(value), step=0)
