"""Dropout: noise on the activations that keeps units from relying on each other."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Dropout(keras.layers.Layer):
    """Inverted dropout: in training each unit is silenced with probability `rate`.

    training:  y = x * m / (1 - rate), m ~ Bernoulli(1 - rate)
    inference: y = x

    Args:
        rate: share of units set to zero, in [0, 1].
        noise_shape: shape of m, broadcast to x; None or a None entry means x's own.
        seed: integer that makes the noise repeatable.

    Input and output shape: any, the same.
    Raises: ValueError for a rate outside [0, 1] or a noise_shape that is no sequence
        of positive integers and None.

    >>> float(Dropout(0.5)(keras.ops.ones(())))
    1.0

    Paper: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: a
    simple way to prevent neural networks from overfitting", 2014.
    https://jmlr.org/papers/v15/srivastava14a.html
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate <= 1:
            raise ValueError(
                "Invalid value received for argument `rate`. "
                f"Expected a number from 0 to 1. Received: rate={rate}"
            )
        self.rate = rate
        self.noise_shape = _checked_noise_shape(noise_shape)
        self.seed = seed
        if rate > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        self._build_at_init()

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return ops.zeros_like(inputs)
        shape = ops.shape(inputs)
        if self.noise_shape is not None:
            shape = [own if n is None else n for n, own in zip(self.noise_shape, shape)]
        keep = keras.random.uniform(shape, seed=self.seed_generator) >= self.rate
        scale = ops.cast(1 / (1 - self.rate), inputs.dtype)
        return inputs * (ops.cast(keep, inputs.dtype) * scale)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": self.noise_shape,
            "seed": self.seed,
        }


def _checked_noise_shape(noise_shape):
    if noise_shape is None:
        return None
    valid = not isinstance(noise_shape, str) and hasattr(noise_shape, "__iter__")
    if not valid or not all(
        n is None or (isinstance(n, int) and n > 0) for n in noise_shape
    ):
        raise ValueError(
            "Invalid value received for argument `noise_shape`. Expected a sequence of "
            f"positive integers and None. Received: noise_shape={noise_shape}"
        )
    return tuple(noise_shape)
