"""The variational autoencoder of a plain script."""

import math

import keras
import numpy as np
from keras import Model, ops


class VariationalAutoencoder(Model):
    """Images as latent vectors z, which are normal, and new images from such vectors.

    loss = -log p(x | z) + beta * KL(q(z | x) || p(z)); with several z_k of each image,
    -log(mean over k of p(x | z_k) * (p(z_k) / q(z_k | x))^beta)
    """

    def __init__(
        self,
        encoder: Model,
        decoder: Model,
        beta: float,
        samples: int,
        value_range: tuple,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.latent = decoder.inputs[0].shape[-1]
        self.beta = beta
        self.samples = samples
        low, high = value_range
        self.low = low
        self.high = high

    def call(self, x):
        """Reconstructions of images."""
        described = self.encoder(x)
        mean, _ = ops.split(described, 2, axis=-1)
        logits = self.decoder(mean)
        return ops.sigmoid(logits)

    def bound(self, x, samples: int, beta: float = 1.0):
        """A lower bound of log p(x) for each image, if beta is 1."""
        described = self.encoder(x)
        described = described[:, None]
        mean, log_variance = ops.split(described, 2, axis=-1)
        count = ops.shape(x)[0]

        e = keras.random.normal((count, samples, self.latent))
        deviation = ops.exp(log_variance / 2)
        z = mean + deviation * e  # image, sample, number

        rows = ops.reshape(z, (-1, self.latent))
        logits = self.decoder(rows)
        pixels = math.prod(x.shape[1:])
        logits = ops.reshape(logits, (-1, samples, pixels))

        span = self.high - self.low
        light = (x - self.low) / span
        light = ops.reshape(light, (-1, 1, pixels))

        log_odds = light * logits
        terms = log_odds - ops.softplus(logits)
        log_p = ops.sum(terms, -1)

        if samples == 1:
            variance = ops.exp(log_variance)
            terms = mean**2 + variance - 1 - log_variance
            divergence = ops.sum(terms, (1, 2)) / 2
            return log_p[:, 0] - beta * divergence

        # log p(z) - log q(z | x)
        terms = log_variance + e**2 - z**2
        log_ratio = ops.sum(terms, -1) / 2
        log_weights = log_p + beta * log_ratio
        log_sum = ops.logsumexp(log_weights, 1)
        return log_sum - np.log(samples)

    def compute_loss(self, x, y, y_pred, sample_weight, training: bool = True):
        if training:  # grey pixels become black or white at random
            shape = ops.shape(x)
            chance = keras.random.uniform(shape, self.low, self.high)
            x = ops.where(chance < x, self.high, self.low)
            x = ops.cast(x, "float32")

        bound = self.bound(x, self.samples, self.beta)
        return -ops.mean(bound)

    def log_likelihood(self, x, samples: int) -> np.ndarray:
        """log p(x) of each image, estimated by importance samples."""
        parts = []
        for i in range(0, len(x), 10):
            images = x[i : i + 10]
            bound = self.bound(images, samples)
            parts.append(bound)

        return np.concatenate(parts)

    def sample(self, count: int) -> np.ndarray:
        z = keras.random.normal((count, self.latent))
        logits = self.decoder(z)
        return np.array(ops.sigmoid(logits))
