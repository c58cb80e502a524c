"""TensorBoard logs of a run: scalars, histograms, samples, settings (HParams)."""

import dataclasses

import keras
import numpy as np

FOLDER = "tensorboard"  # in the run folder: tensorboard --logdir runs shows them all
SAMPLES = 9  # pictures


def board_callbacks(run, batches):
    """Callbacks that log a training; show with `tensorboard --logdir runs`."""
    folder = str(run.path / FOLDER)
    scalars = keras.callbacks.TensorBoard(folder, histogram_freq=1, write_graph=False)
    return [scalars, _Samples(folder, run.config, batches)]


class _Samples(keras.callbacks.Callback):
    """Logs images as the model gets them, and at the end the settings with figures."""

    def __init__(self, folder, config, batches):
        super().__init__()
        self.folder, self.config, self.batches = folder, config, batches

    def on_epoch_begin(self, epoch, logs=None):
        import tensorflow as tf

        x = keras.tree.flatten(self.batches[0])[0]
        if epoch or x.ndim != 4 or x.shape[-1] not in (1, 3):
            return
        x = x[:SAMPLES].astype("float32")
        x = (x - x.min()) / max(np.ptp(x), 1e-9)
        with tf.summary.create_file_writer(self.folder).as_default():
            tf.summary.image("training images", x, step=0, max_outputs=SAMPLES)

    def on_epoch_end(self, epoch, logs=None):
        self.logs = logs

    def on_train_end(self, logs=None):
        figures = getattr(self, "logs", None) or {}
        log_settings(self.folder, dataclasses.asdict(self.config), figures)


def log_settings(folder, settings, figures):
    """One row of TensorBoard's HParams table: the settings, and what they gave."""
    import tensorflow as tf
    from tensorboard.plugins.hparams import api

    plain = {
        name: value if isinstance(value, (bool, int, float, str)) else str(value)
        for name, value in settings.items()
    }
    with tf.summary.create_file_writer(str(folder)).as_default():
        api.hparams(plain)
        for name, value in figures.items():
            tf.summary.scalar(name, float(value), step=0)
