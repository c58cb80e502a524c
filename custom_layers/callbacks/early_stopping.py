"""Early stopping: a training ends when it no longer improves on held-out data."""

from typing import Any

from ..common.checks import number_from_zero, python_number
from .monitor import _Monitor


class EarlyStopping(_Monitor):
    """Early stopping: training ends after `patience` epochs without improvement.

    wait = 0 after an epoch whose figure beats the best one, else wait + 1
    training ends when wait >= patience

    Validation loss falls as long as the model learns what holds in general, and rises
    when it begins to learn the training examples by heart. So the number of epochs is a
    strength of regularization, and this callback chooses it during the training.

    Args:
        monitor: name of the figure, as the history calls it.
        min_delta: the least change that counts as an improvement.
        patience: number of epochs without improvement that are put up with.
        verbose: 1 prints why the training ended.
        mode: "min", "max" or "auto": which way is better.
        baseline: a figure that has to be beaten too before `wait` starts anew.
        restore_best_weights: whether the model ends with the weights of the best epoch.
        start_from_epoch: number of epochs at the beginning that do not count.

    Raises: ValueError for another mode, for a patience below 0, or where "auto" cannot
        tell the direction.
    Differs from Keras: a figure that is NaN is never an improvement. In Keras, a first
    epoch of NaN stays the best one, and its weights are restored. An unknown mode is an
    error instead of a warning.

    >>> import keras, numpy as np
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(0.5), "mse")
    >>> stop = EarlyStopping("loss", patience=2, min_delta=1e-6)
    >>> history = model.fit(x, 3 * x, epochs=500, verbose=0, callbacks=[stop])
    >>> len(history.epoch) < 100  # the line is learned: the other epochs are saved
    True

    Paper: Prechelt, "Early stopping - but when?", 1998,
    https://doi.org/10.1007/3-540-49430-8_3
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = number_from_zero(patience, "patience")
        self.verbose = verbose
        self.baseline = python_number(baseline)
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.on_train_begin()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.best = None
        self.best_epoch = 0
        self.best_weights: list | None = None
        self.stopped_epoch = 0
        self.wait = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        value = self.figure(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.is_better(value, self.best):
            self.best = value
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.is_better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(
                f"Training ended after epoch {self.stopped_epoch + 1}: {self.monitor} "
                f"had not improved for {self.wait} epochs."
            )
        if self.best_weights is not None:
            self.model.set_weights(self.best_weights)
            if self.verbose:
                print(f"The weights are those of epoch {self.best_epoch + 1}.")
