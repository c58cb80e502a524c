"""Saving the average of the weights during the training."""

from typing import Any

import keras

from .averages import _Averages


class AverageModelCheckpoint(keras.callbacks.ModelCheckpoint):
    """Model files that hold the average of the weights instead of the weights.

    Args:
        update_weights: whether the training goes on from the average; if not, the model
            gets its weights back after each file.
        filepath, monitor, verbose, save_best_only, mode, ...: see ModelCheckpoint of
            Keras.

    The optimizer keeps the average: `use_ema=True`, MovingAverage or SWA.
    Raises: ValueError if the optimizer keeps no average.
    Not in Keras. The arguments are those of TensorFlow Addons, which accepts its own
    wrappers only.

    >>> import numpy as np, tempfile
    >>> from custom_layers.optimizers import SWA
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = folder.name + "/{epoch}.weights.h5"
    >>> keeper = AverageModelCheckpoint(False, file, save_weights_only=True)
    >>> weight = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    >>> model = keras.Sequential([keras.Input((1,)), weight])
    >>> model.compile(SWA(keras.optimizers.SGD(1.0), average_period=1), "mae")
    >>> x = np.ones((1, 1))  # an epoch adds 1 to the weight: 1, 2, 3
    >>> _ = model.fit(x, 9 * x, epochs=3, verbose=0, callbacks=[keeper])
    >>> model.load_weights(file.format(epoch=2))
    >>> folder.cleanup()
    >>> round(float(weight.kernel[0, 0]), 4)  # the average of 1 and 2
    1.5

    Paper: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging",
    1992, https://doi.org/10.1137/0330046
    """

    def __init__(
        self,
        update_weights: bool,
        filepath: str,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filepath,
            monitor=monitor,
            verbose=verbose,
            save_best_only=save_best_only,
            save_weights_only=save_weights_only,
            mode=mode,
            save_freq=save_freq,
            **kwargs,
        )
        self.update_weights = update_weights

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self.save_freq == "epoch":
            return
        averages = _Averages(self.model)
        averages.swap()
        super().on_train_batch_end(batch, logs)
        averages.swap()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        averages = _Averages(self.model)
        averages.swap()
        super().on_epoch_end(epoch, logs)
        if self.update_weights:
            averages.take()
        else:
            averages.swap()
