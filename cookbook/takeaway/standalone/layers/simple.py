"""Layers without weights of their own, and normalization, as recipes use them."""

import math
from collections.abc import Iterable

import keras
from keras import ops

from custom_layers.layers.dropout.base import _bernoulli


class ReLU(keras.layers.Layer):
    """Rectified linear unit as a layer: y = max(x, 0)."""

    def call(self, inputs):
        return ops.relu(inputs)


class LeakyReLU(keras.layers.Layer):
    """Leaky ReLU as a layer: its small slope below 0 keeps units from dying.

    y = max(x, 0) - negative_slope * max(-x, 0)
    """

    def __init__(self, negative_slope: float = 0.3) -> None:
        super().__init__()
        self.negative_slope = negative_slope

    def call(self, inputs):
        return ops.leaky_relu(inputs, negative_slope=self.negative_slope)


class MaxPooling2D(keras.layers.Layer):
    """Maximum over each 2 x 2 window of an image: does the feature occur near here?

    y[b, i, j, c] = max over p, q of x[b, 2 * i + p, 2 * j + q, c]
    """

    def call(self, inputs):
        return ops.max_pool(inputs, 2, 2, "valid")


class GlobalAveragePooling2D(keras.layers.Layer):
    """Mean over each feature map: one number per channel, whatever the image's size.

    y[b, c] = mean over i, j of x[b, i, j, c]
    """

    def call(self, inputs):
        return ops.mean(inputs, axis=(1, 2))


class GlobalMaxPooling2D(keras.layers.Layer):
    """Maximum over each feature map: does the feature occur anywhere in the image?

    y[b, c] = max over i, j of x[b, i, j, c]
    """

    def call(self, inputs):
        return ops.max(inputs, axis=(1, 2))


class GlobalAveragePooling1D(keras.layers.Layer):
    """Mean over the steps of a sequence that the mask shows.

    y[b, c] = mean over t of x[b, t, c]
    """

    def call(self, inputs, mask):
        mask = ops.expand_dims(mask, -1)
        count = ops.sum(ops.cast(mask, "float32"), axis=1)
        total = ops.sum(ops.where(mask, inputs, 0), axis=1)
        return total / ops.maximum(count, 1)


class GlobalMaxPooling1D(keras.layers.Layer):
    """Maximum over the steps of a sequence that the mask shows.

    y[b, c] = max over t of x[b, t, c]
    """

    def call(self, inputs, mask):
        mask = ops.expand_dims(mask, -1)
        y = ops.max(ops.where(mask, inputs, -float("inf")), axis=1)
        return ops.where(ops.any(mask, axis=1), y, 0)


class Dropout(keras.layers.Layer):
    """Inverted dropout: in training, each unit is silenced with probability `rate`.

    training:  y = x * m / (1 - rate), m ~ Bernoulli(1 - rate)
    inference: y = x

    noise_shape: the shape of m, where None is the length of the input's axis.
    """

    def __init__(
        self, rate: float, noise_shape: Iterable[int | None] | None = None
    ) -> None:
        super().__init__()
        self.rate = rate
        self.noise_shape = noise_shape
        if rate > 0:
            self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs, training: bool = False):
        if not training or self.rate == 0:
            return inputs
        m = _bernoulli(self._shape_of_noise(inputs), self.rate, self.seed_generator)
        return inputs * (ops.cast(m, inputs.dtype) * (1 / (1 - self.rate)))

    def _shape_of_noise(self, inputs):
        shape = ops.shape(inputs)
        if self.noise_shape is None:
            return shape
        return [own if n is None else n for n, own in zip(self.noise_shape, shape)]


class SpatialDropout1D(Dropout):
    """Dropout of whole channels of a sequence: neighbouring steps fall together.

    training:  y = x * m / (1 - rate), m of shape (B, 1, C) ~ Bernoulli(1 - rate)
    inference: y = x
    """

    def _shape_of_noise(self, inputs):
        batch, _, channels = ops.shape(inputs)
        return [batch, 1, channels]


class BatchNormalization(keras.layers.Layer):
    """Normalizes each channel over the batch and all places.

    training:  mean, variance of the batch;
               moving = momentum * moving + (1 - momentum) * mean (or variance)
    inference: mean, variance = the moving ones
    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta
    """

    def __init__(self, momentum: float = 0.99, epsilon: float = 1e-3) -> None:
        super().__init__()
        self.momentum = momentum
        self.epsilon = epsilon

    def build(self, input_shape: tuple) -> None:
        size = (input_shape[-1],)
        self.gamma = self.add_weight(size, "ones", name="gamma")
        self.beta = self.add_weight(size, "zeros", name="beta")
        self.moving_mean = self.add_weight(size, "zeros", trainable=False)
        self.moving_variance = self.add_weight(size, "ones", trainable=False)

    def call(self, inputs, training: bool | None = None):
        shape = [1] * (len(inputs.shape) - 1) + [-1]
        gamma, beta = ops.reshape(self.gamma, shape), ops.reshape(self.beta, shape)
        if training and self.trainable:
            axes = [*range(len(shape) - 1)]
            mean = ops.mean(inputs, axis=axes, keepdims=True)
            variance = ops.mean(ops.square(inputs - mean), axis=axes, keepdims=True)
            self._update(self.moving_mean, mean)
            self._update(self.moving_variance, variance)
            return _normalized(inputs, mean, variance, gamma, beta, self.epsilon)
        mean = ops.reshape(self.moving_mean, shape)
        variance = ops.reshape(self.moving_variance, shape)
        return _scaled(inputs, mean, variance, gamma, beta, self.epsilon)

    def _update(self, average, value) -> None:
        new = ops.reshape(value, (-1,))
        average.assign(average * self.momentum + new * (1 - self.momentum))


def _scaled(x, mean, variance, gamma, beta, epsilon: float):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, as one product and sum."""
    scale = ops.rsqrt(variance + epsilon) * gamma
    return x * scale + (beta - mean * scale)


def _normalized(x, mean, variance, gamma, beta, epsilon: float):
    """What `_scaled` gives, with a gradient in closed form, which is faster.

    With g = dy * gamma, x_hat = (x - mean) / sqrt(variance + epsilon) and means over
    all axes but the last,
    dx = (g - mean(g) - x_hat * mean(g * x_hat)) / sqrt(variance + epsilon).
    """
    axes = [*range(len(x.shape) - 1)]

    @ops.custom_gradient
    def normalize(x, variance, gamma, mean, beta):
        def gradient(*args, upstream=None):
            dy = args[0] if upstream is None else upstream  # on torch
            inverse = ops.rsqrt(variance + epsilon)
            centered = x - mean
            lengths = [ops.shape(x)[axis] for axis in axes]
            share = 1.0 / ops.cast(math.prod(lengths), x.dtype)
            dgamma = ops.sum(dy * centered, axis=axes, keepdims=True) * inverse
            along_x_hat = centered * (gamma * dgamma * (share * inverse * inverse))
            dbeta = ops.sum(dy, axis=axes, keepdims=True)
            dx = dy * (gamma * inverse) - along_x_hat
            dx = dx - gamma * dbeta * (share * inverse)
            # None for mean and variance, whose share dx contains already.
            return dx, None, dgamma, None, dbeta

        return _scaled(x, mean, variance, gamma, beta, epsilon), gradient

    return normalize(x, variance, gamma, mean, beta)
