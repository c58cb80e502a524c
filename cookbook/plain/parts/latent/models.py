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

    def __init__(self, encoder, decoder, beta: float, samples: int, value_range: tuple):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.latent = decoder.inputs[0].shape[-1]
        self.beta = beta
        self.samples = samples
        self.low, self.high = value_range

    def call(self, x):
        """Reconstructions of images."""
        mean, _ = ops.split(self.encoder(x), 2, axis=-1)
        return ops.sigmoid(self.decoder(mean))

    def bound(self, x, samples: int, beta: float = 1.0):
        """A lower bound of log p(x) for each image, if beta is 1."""
        mean, log_variance = ops.split(self.encoder(x)[:, None], 2, axis=-1)
        e = keras.random.normal((ops.shape(x)[0], samples, self.latent))
        z = mean + ops.exp(log_variance / 2) * e  # image, sample, number

        logits = self.decoder(ops.reshape(z, (-1, self.latent)))
        pixels = math.prod(x.shape[1:])
        logits = ops.reshape(logits, (-1, samples, pixels))
        light = ops.reshape(x - self.low, (-1, 1, pixels)) / (self.high - self.low)
        log_p = ops.sum(light * logits - ops.softplus(logits), -1)

        if samples == 1:
            terms = mean**2 + ops.exp(log_variance) - 1 - log_variance
            return log_p[:, 0] - beta * ops.sum(terms, (1, 2)) / 2
        log_ratio = ops.sum(log_variance + e**2 - z**2, -1) / 2
        log_weights = log_p + beta * log_ratio
        return ops.logsumexp(log_weights, 1) - np.log(samples)

    def compute_loss(self, x, y, y_pred, sample_weight, training: bool = True):
        if training:  # grey pixels become black or white at random
            chance = keras.random.uniform(ops.shape(x), self.low, self.high)
            x = ops.where(chance < x, self.high, self.low)
            x = ops.cast(x, "float32")
        return -ops.mean(self.bound(x, self.samples, self.beta))

    def log_likelihood(self, x, samples: int) -> np.ndarray:
        """log p(x) of each image, estimated by importance samples."""
        parts = [self.bound(x[i : i + 10], samples) for i in range(0, len(x), 10)]
        return np.concatenate(parts)

    def sample(self, count: int) -> np.ndarray:
        z = keras.random.normal((count, self.latent))
        return np.array(ops.sigmoid(self.decoder(z)))
