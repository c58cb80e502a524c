"""Stopping a training when its time is over."""

import time
from typing import Any

import keras

from ..common.checks import number_from_zero


class TimeStopping(keras.callbacks.Callback):
    """Time limit: training ends after the epoch in which `seconds` have passed.

    The epoch is finished, with its validation, so that its figures can be compared with
    those of other epochs.

    Args:
        seconds: wall time that `fit` may take.
        verbose: 1 prints when the training ended.

    Raises: ValueError for seconds that are not positive.
    Not in Keras. The arguments are those of TensorFlow Addons.

    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.ones((8, 1))
    >>> limit = TimeStopping(seconds=1)
    >>> history = model.fit(x, x, epochs=100_000, verbose=0, callbacks=[limit])
    >>> len(history.epoch) < 100_000
    True

    Source: https://www.tensorflow.org/addons/api_docs/python/tfa/callbacks/TimeStopping
    """

    def __init__(self, seconds: float = 86400, verbose: int = 0) -> None:
        super().__init__()
        self.seconds = number_from_zero(seconds, "seconds")
        if self.seconds == 0:
            raise ValueError(
                "`seconds` must be above 0, such as 3600 for an hour. "
                f"Received: seconds={seconds}"
            )
        self.verbose = verbose
        self.stopped_epoch: int | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.stopped_epoch = None
        self.end = time.monotonic() + self.seconds

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if time.monotonic() >= self.end:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.stopped_epoch is not None and self.verbose:
            print(
                f"Training ended after epoch {self.stopped_epoch + 1}: the "
                f"{self.seconds} seconds are over."
            )
