"""The averages of the weights that an optimizer keeps, put into the model and back."""

from typing import Any

import keras
import numpy as np

from ..common.private_keras import averages_of


class _Averages:
    """The averages that the optimizers of a model keep beside its weights.

    Raises: ValueError if no optimizer of the model keeps any.
    """

    def __init__(self, model: keras.Model) -> None:
        optimizer = getattr(model, "optimizer", None)  # None before `compile`
        self.pairs = averages_of(optimizer) if optimizer else []
        if not self.pairs:
            raise ValueError(
                "The optimizer keeps no average of the weights. Give it use_ema=True, "
                "or wrap it in MovingAverage or SWA, and train at least one step. "
                f"Received: optimizer={type(optimizer).__name__}"
            )

    def swap(self) -> None:
        """Exchanges each weight and its average."""
        for weight, average in self.pairs:
            value = np.array(keras.ops.convert_to_numpy(weight))
            weight.assign(average)
            average.assign(value)

    def take(self) -> Any:
        """Makes the averages what the weights are now."""
        for weight, average in self.pairs:
            # A copy: a step of JAX cannot take one array for two variables.
            average.assign(np.array(keras.ops.convert_to_numpy(weight)))

    def weights(self) -> list[np.ndarray]:
        """The values that the weights have now."""
        return [
            np.array(keras.ops.convert_to_numpy(weight)) for weight, _ in self.pairs
        ]

    def give_back(self, values: list[np.ndarray]) -> None:
        """Makes the weights, and the averages too, what `weights` has returned."""
        for (weight, average), value in zip(self.pairs, values):
            weight.assign(value)
            average.assign(value)
