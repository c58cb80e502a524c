"""ReLU and leaky ReLU as layers."""

from typing import Any

import keras

from ...activations.relu import leaky_relu, relu
from ...common.checks import python_number
from ...common.inputs import as_floats
from ...common.private_keras import build_at_init
from ...common.types import Config, Shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ReLU(keras.layers.Layer):
    """Rectified linear unit as a layer.

    y = max_value                          if x >= max_value
    y = x                                  if threshold <= x < max_value
    y = negative_slope * (x - threshold)   otherwise

    Args:
        max_value: largest output, a number >= 0; None sets no limit.
        negative_slope: slope below the threshold, a number >= 0.
        threshold: value below which a unit is off, a number >= 0.

    Input and output shape: any, the same.
    Raises: ValueError for a negative argument.
    Differs from Keras: integers become floats.

    >>> float(ReLU(max_value=6.0)(keras.ops.array(8.0)))
    6.0

    Paper: Nair and Hinton, "Rectified linear units improve restricted Boltzmann
    machines", 2010. https://www.cs.toronto.edu/~hinton/absps/reluICML.pdf
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0:
            raise ValueError(
                "max_value of a ReLU layer cannot be a negative value. "
                f"Received: max_value={max_value}"
            )
        self.max_value = python_number(max_value)
        self.negative_slope = _not_negative(negative_slope, "negative_slope")
        self.threshold = _not_negative(threshold, "threshold")
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs):
        inputs = as_floats(inputs, self.compute_dtype)
        return relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


def _not_negative(value: float, name: str) -> float:
    if value is None or value < 0:
        raise ValueError(
            f"{name} of a ReLU layer cannot be None or a negative value. "
            f"Received: {name}={value}"
        )
    return python_number(value)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LeakyReLU(keras.layers.Layer):
    """Leaky ReLU as a layer: its small slope below 0 keeps units from dying.

    y = max(x, 0) - negative_slope * max(-x, 0)

    Args:
        negative_slope: slope below 0, a number >= 0.

    Input and output shape: any, the same.
    Raises: ValueError for a slope that is None or negative.
    Differs from Keras: it does not accept `alpha`, the argument's old name; integers
        become floats.

    >>> float(LeakyReLU(0.5)(keras.ops.array(-2.0)))
    -1.0

    Paper: Maas, Hannun, Ng, "Rectifier nonlinearities improve neural network acoustic
    models", 2013. https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if negative_slope is None or negative_slope < 0:
            raise ValueError(
                "The negative_slope value of a Leaky ReLU layer cannot be None or "
                "negative value. Expected a float >= 0, such as 0.3. "
                f"Received: negative_slope={negative_slope}"
            )
        self.negative_slope = python_number(negative_slope)
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs):
        return leaky_relu(as_floats(inputs, self.compute_dtype), self.negative_slope)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {**super().get_config(), "negative_slope": self.negative_slope}
