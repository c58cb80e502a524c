"""Reducing the learning rate when the training no longer improves."""

from typing import Any

import keras

from ..common.checks import number_from_zero
from .monitor import _Monitor


class ReduceLROnPlateau(_Monitor):
    """Learning rate that falls by `factor` after `patience` epochs without improvement.

    learning rate = max(factor * learning rate, min_lr)

    A large step jumps over the bottom of a valley again and again, and the loss stays
    on a plateau. A smaller step reaches the bottom.

    Args:
        monitor: name of the figure, as the history calls it.
        factor: what the learning rate is multiplied by, below 1.
        patience: number of epochs without improvement before that.
        verbose: 1 prints each new learning rate.
        mode: "min", "max" or "auto": which way is better.
        min_delta: the least change that counts as an improvement.
        cooldown: number of epochs after a reduction that do not count.
        min_lr: the learning rate never falls below it.

    The history reports the learning rate as learning_rate.
    Raises: ValueError for a factor of 1 or more, numbers below 0, another mode, or a
    direction that "auto" cannot tell; TypeError for an optimizer whose learning rate is
    a schedule.
    Differs from Keras: a figure that is NaN is never an improvement. An unknown mode is
    an error instead of a warning.

    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(1.1), "mse")  # too large: it jumps
    >>> calm = ReduceLROnPlateau("loss", factor=0.5, patience=1)
    >>> options = {"epochs": 40, "batch_size": 64, "verbose": 0}
    >>> history = model.fit(x, 3 * x, callbacks=[calm], **options).history
    >>> history["loss"][0] > 1, history["loss"][-1] < 1e-3
    (True, True)
    >>> history["learning_rate"][0] > 1, history["learning_rate"][-1] < 1
    (True, True)

    Source: the habit of dividing the learning rate when the error stops falling, as in
    He et al., "Deep residual learning for image recognition", 2015,
    https://arxiv.org/abs/1512.03385
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.factor = number_from_zero(factor, "factor")
        if self.factor >= 1:
            raise ValueError(
                "`factor` must be below 1, such as 0.1, or the learning rate would "
                f"not fall. Received: factor={factor}"
            )
        self.patience = number_from_zero(patience, "patience")
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = number_from_zero(min_lr, "min_lr")
        self.on_train_begin()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {} if logs is None else logs
        self._report(logs)
        value = self.figure(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_better(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether the learning rate was reduced at most `cooldown` epochs ago."""
        return self.cooldown_counter > 0

    def _report(self, logs: dict[str, Any]) -> None:
        """Enters the learning rates in the logs, and so in the history."""
        optimizers = _optimizers(self.model.optimizer)
        for optimizer in optimizers:
            name = "learning_rate"
            if len(optimizers) > 1:
                name += f"_{optimizer.name}"
            logs[name] = float(keras.ops.convert_to_numpy(optimizer.learning_rate))

    def _reduce(self, epoch: int) -> bool:
        """Whether the learning rate of an optimizer could be reduced."""
        reduced = [
            self._reduce_one(o, epoch) for o in _optimizers(self.model.optimizer)
        ]
        return any(reduced)

    def _reduce_one(self, optimizer: Any, epoch: int) -> bool:
        old = float(keras.ops.convert_to_numpy(optimizer.learning_rate))
        new = max(old * self.factor, self.min_lr)
        if new >= old:
            return False
        optimizer.learning_rate = new
        if self.verbose:
            print(f"The learning rate is {new:.3g} after epoch {epoch + 1}.")
        return True


def _optimizers(optimizer: Any) -> list:
    """The optimizers of a MultiOptimizer, or the only one."""
    return list(getattr(optimizer, "optimizers", [optimizer]))
