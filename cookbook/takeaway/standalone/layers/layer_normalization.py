"""Layer normalization over the last axis, with a fast gradient."""

from typing import Any

import keras
from keras import ops


class LayerNormalization(keras.layers.Layer):
    """Normalizes the features of each place.

    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, over the last axis
    """

    def __init__(self, epsilon: float = 1e-3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape: tuple) -> None:
        size = input_shape[-1:]
        self.gamma = self.add_weight(size, "ones", name="gamma")
        self.beta = self.add_weight(size, "zeros", name="beta")

    def call(self, inputs: Any) -> Any:
        ones = [1] * (len(inputs.shape) - 1)
        shape = [*ones, inputs.shape[-1]]

        mean = ops.mean(inputs, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(inputs - mean), axis=-1, keepdims=True)

        gamma = ops.reshape(self.gamma, shape)
        beta = ops.reshape(self.beta, shape)

        return _layer_normalized(inputs, mean, variance, gamma, beta, self.epsilon)


def _layer_normalized(x, mean, variance, gamma, beta, epsilon: float):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, as one product and sum.

    The gradient has a closed form: with g = dy * gamma,
    x_hat = (x - mean) / sqrt(variance + epsilon) and means over the last axis,
    dx = (g - mean(g) - x_hat * mean(g * x_hat)) / sqrt(variance + epsilon).
    """

    def total(values):
        return ops.sum(values, axis=-1, keepdims=True)

    @ops.custom_gradient
    def normalize(x, variance, gamma, mean, beta):
        def gradient(*args, upstream=None):
            dy = args[0] if upstream is None else upstream  # on torch
            places = [*range(len(x.shape) - 1)]
            inverse = ops.rsqrt(variance + epsilon)
            centered = x - mean
            features = ops.cast(ops.shape(x)[-1], x.dtype)
            share = 1.0 / features

            dy_x_hat = dy * centered * inverse
            scale = share * inverse * inverse
            along_x_hat = centered * (total(gamma * dy_x_hat) * scale)
            dx = dy * (gamma * inverse) - along_x_hat
            dx = dx - total(gamma * dy) * (share * inverse)

            dgamma = ops.sum(dy_x_hat, axis=places, keepdims=True)
            dbeta = ops.sum(dy, axis=places, keepdims=True)
            # None for mean and variance, whose share dx contains already.
            return dx, None, dgamma, None, dbeta

        scale = ops.rsqrt(variance + epsilon) * gamma

        return x * scale + (beta - mean * scale), gradient

    return normalize(x, variance, gamma, mean, beta)
