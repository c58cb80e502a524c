"""Judging a training by the average of its weights."""

from typing import Any

import keras

from .averages import _Averages


class SwapEMAWeights(keras.callbacks.Callback):
    """Averaged weights for validation: they take the weights' place and go back after.

    average = momentum * average + (1 - momentum) * w    after every step

    The weights of a training with a constant learning rate move around a minimum; their
    average lies closer to it. The optimizer keeps the average (`use_ema=True`, or one
    of the wrappers MovingAverage and SWA). This callback lets validation, `evaluate`
    and `predict` use it, while the training goes on from the weights themselves.

    Args:
        swap_on_epoch: whether the averages are in the model at the end of each epoch
            too, so that a ModelCheckpoint that follows in the list saves them.

    Raises: ValueError if the optimizer keeps no average.
    Differs from Keras: after `predict` the weights come back, where Keras leaves the
    averages in the model. The wrappers MovingAverage and SWA work too.

    >>> import numpy as np
    >>> keras.utils.set_random_seed(0)
    >>> x = np.random.normal(size=(64, 1))
    >>> y = 3 * x + np.random.normal(size=x.shape)  # noise keeps the weights moving
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> noisy = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9)
    >>> model.compile(noisy, "mse")
    >>> _ = model.fit(x, y, batch_size=4, epochs=4, verbose=0)
    >>> calm = [SwapEMAWeights()]
    >>> model.evaluate(x, y, verbose=0, callbacks=calm) < 1.2
    True

    Paper: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging",
    1992, https://doi.org/10.1137/0330046
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._are_in_model = False
        self._averages_of_epoch: list = []

    def _put_averages_into_model(self, are_wanted: bool) -> None:
        """Swaps weights and averages, unless the model holds what is wanted."""
        if are_wanted != self._are_in_model:
            _Averages(self.model).swap()
            self._are_in_model = are_wanted

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.swap_on_epoch:
            self._put_averages_into_model(False)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self.swap_on_epoch:
            return
        self._put_averages_into_model(True)
        self._averages_of_epoch = _Averages(self.model).weights()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        # At the end of `fit`, the optimizer has put what it holds into the model. After
        # a swap those are the weights. No callback knows which epoch is the last one,
        # because another callback may end the training after it.
        if self.swap_on_epoch and self._are_in_model:
            _Averages(self.model).give_back(self._averages_of_epoch)
            self._averages_of_epoch = []

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._put_averages_into_model(True)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        self._put_averages_into_model(False)

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._put_averages_into_model(True)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        self._put_averages_into_model(False)
