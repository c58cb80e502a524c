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
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(SWA("sgd", average_period=1), "mse")
    >>> x = np.random.normal(size=(64, 1))
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = folder.name + "/average.weights.h5"
    >>> keeper = AverageModelCheckpoint(False, file, save_weights_only=True)
    >>> _ = model.fit(x, 3 * x, epochs=2, verbose=0, callbacks=[keeper])
    >>> of_fit = model.get_weights()  # SWA leaves the average there in the end
    >>> model.load_weights(file)
    >>> folder.cleanup()
    >>> bool(np.allclose(of_fit[0], model.get_weights()[0]))
    True

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
