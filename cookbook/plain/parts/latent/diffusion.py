"""The diffusion model of a plain script."""

from itertools import pairwise

import keras
import numpy as np
from keras import Model, ops


class SinusoidalEmbedding(keras.layers.Layer):
    """Sines and cosines of numbers, in different frequencies."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.frequencies = 10_000.0 ** -np.linspace(0, 1, features // 2, dtype="f")

    def call(self, x):
        angle = ops.cast(x, "float32")[..., None] * self.frequencies
        return ops.concatenate([ops.sin(angle), ops.cos(angle)], axis=-1)


class DiffusionModel(Model):
    """A network that denoises images of given classes, and makes images of noise.

    x_t = a_t x_0 + b_t e, with noise e; the network learns a_t e - b_t x_0
    """

    def __init__(
        self,
        denoiser: Model,
        classes: int,
        timesteps: int,
        unlabelled: float,
        value_range: tuple,
        sampling_steps: int,
    ) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.classes = classes
        self.timesteps = timesteps
        self.unlabelled = unlabelled
        self.value_range = value_range
        self.sampling_steps = sampling_steps

        # Level 0 has no noise; after the last one, hardly anything else is left.
        share = np.arange(timesteps + 1) / timesteps
        place = (share + 0.008) / 1.008
        place = np.minimum(place, 0.9999)
        a = np.cos(place * np.pi / 2)
        a /= a[0]
        self.a = a.astype("float32")
        self.b = np.sqrt(1 - self.a**2)

    def call(self, x):
        return x  # the loss adds the noise, and denoises

    def compute_loss(self, x, y, y_pred, sample_weight, training: bool = True):
        count = ops.shape(x)[0]
        t = keras.random.randint((count,), 1, self.timesteps + 1)
        a = ops.take(self.a, t)
        a = ops.reshape(a, (-1, 1, 1, 1))
        b = ops.sqrt(1 - a**2)
        e = keras.random.normal(ops.shape(x))
        noisy = a * x + b * e

        chance = keras.random.uniform((count,))
        labels = ops.cast(y, "int32")
        labels = ops.where(chance < self.unlabelled, self.classes, labels)

        velocity = self.denoiser([noisy, t, labels], training=training)
        expected = a * e - b * x
        errors = velocity - expected
        return ops.mean(ops.square(errors))

    def sample(self, labels, guidance: float) -> np.ndarray:
        """Images of the classes, by the steps of DDIM."""
        labels = np.asarray(labels, "int32")
        none = np.full_like(labels, self.classes)
        shape = self.denoiser.inputs[0].shape[1:]

        noise = keras.random.normal((len(labels), *shape))
        x = np.array(noise)

        times = np.linspace(self.timesteps, 0, self.sampling_steps + 1)
        times = times.round().astype("int32")

        for t, s in pairwise(times):
            level = np.full_like(labels, t)
            v = self.denoiser.predict_on_batch([x, level, labels])
            if guidance:
                plain = self.denoiser.predict_on_batch([x, level, none])
                v += guidance * (v - plain)

            a = self.a[t]
            b = self.b[t]
            clean = a * x - b * v
            clean = np.clip(clean, *self.value_range)
            e = (x - a * clean) / b

            a = self.a[s]
            b = self.b[s]
            x = a * clean + b * e

        return x
