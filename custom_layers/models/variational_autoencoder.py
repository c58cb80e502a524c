"""A model that learns latent vectors, from which it makes samples."""

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from ..common.checks import ascending_pair, number_from_zero, positive_integer
from ..common.types import Config, Seed

ROWS = 10_000  # latent vectors that `log_likelihood` decodes at once


@keras.saving.register_keras_serializable(package="keras_cookbook")
class VariationalAutoencoder(keras.Model):
    """Variational autoencoder of binary values, such as black and white pixels.

    encoder: q(z | x) = Normal(mean, variance)
    decoder: p(x | z) = product of Bernoulli(sigmoid(logits)), and p(z) = Normal(0, 1)
    z = mean + sqrt(variance) * e, e ~ Normal(0, 1)
    loss = -log p(x | z) + beta * KL(q(z | x) || p(z))
    KL = sum of (mean^2 + variance - 1 - log variance) / 2

    With several samples z_1, ..., z_K of each x, the loss is the tighter bound
    loss = -log(mean over k of p(x | z_k) * (p(z_k) / q(z_k | x))^beta)

    With beta = 1, both are at least -log p(x) on average. A value between the two that
    `value_range` names is a probability: each step of training draws it anew.

    Args:
        encoder: functional model, samples -> (B, 2 L), the mean and log variance of z.
        decoder: functional model, latent vectors (B, L) -> logits, shaped like samples.
        beta: weight of the divergence from the prior, a number >= 0.
        samples: K, the number of latent vectors per sample and step of training.
        value_range: (low, high), the two values that a binary value may have.

    A call maps samples to their reconstructions; `generator` maps latent vectors to
    the expected values of samples, and is what `export` writes. y of `fit` is ignored.
    Raises: ValueError if encoder and decoder do not fit together; for a beta below 0.
    Differs from Keras: Keras has no such model.

    >>> encoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    >>> decoder = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2)])
    >>> model = VariationalAutoencoder(encoder, decoder)
    >>> model.compile(keras.optimizers.Adam(0.05))
    >>> x = np.repeat([[0.0, 1.0], [1.0, 0.0]], 256, axis=0)  # only two of four
    >>> _ = model.fit(x, epochs=20, verbose=0)
    >>> log_p = model.log_likelihood(np.array([[0.0, 1.0], [1.0, 1.0]]), seed=1)
    >>> bool(log_p[0] > np.log(0.3)), bool(log_p[1] < np.log(0.2))
    (True, True)

    Papers: Kingma, Welling, "Auto-encoding variational Bayes", 2013,
    https://arxiv.org/abs/1312.6114; beta: Higgins et al., "beta-VAE", 2017,
    https://openreview.net/forum?id=Sy2fzU9gl; samples: Burda, Grosse, Salakhutdinov,
    "Importance weighted autoencoders", 2015. https://arxiv.org/abs/1509.00519
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        beta: float = 1.0,
        samples: int = 1,
        value_range: tuple[float, float] = (0.0, 1.0),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _refuse_misfits(encoder, decoder)
        self.encoder = encoder
        self.decoder = decoder
        self.beta = number_from_zero(beta, "beta")
        self.samples = positive_integer(samples, "samples")
        self.value_range = ascending_pair(value_range, "value_range")
        self.latent_dim = decoder.inputs[0].shape[-1]
        self.seed = keras.random.SeedGenerator()
        low, high = self.value_range
        z = keras.Input((self.latent_dim,))
        p = keras.layers.Activation("sigmoid", dtype="float32")(decoder(z))
        rescaling = keras.layers.Rescaling(high - low, low, dtype="float32")
        self.generator = keras.Model(z, rescaling(p))
        self.built = True

    def call(self, inputs, training: bool = False):
        mean, _ = self.encode(inputs, training)
        return self.generator(mean, training=training)

    def encode(self, x, training: bool = False):
        """The mean and the log variance of q(z | x), each (B, L)."""
        described = ops.cast(self.encoder(x, training=training), "float32")
        return ops.split(described, 2, axis=-1)

    def bound(
        self,
        x,
        samples: int = 1,
        beta: float = 1.0,
        training: bool = False,
        seed: Any = None,
    ):
        """A bound of log p(x) for each sample, (B,); the more `samples`, the tighter.

        It is random. Its expectation is at most log p(x) where beta is 1.
        """
        mean, log_variance = self.encode(x, training)
        mean = ops.expand_dims(mean, 1)  # B, 1, L
        log_variance = ops.expand_dims(log_variance, 1)
        shape = (ops.shape(mean)[0], samples, self.latent_dim)
        if seed is None:
            seed = self.seed
        e = keras.random.normal(shape, seed=seed)
        z = mean + ops.exp(log_variance / 2) * e  # B, K, L
        log_p = self._log_p(x, z, training)  # B, K
        if samples == 1:
            variance = ops.exp(log_variance)
            terms = ops.square(mean) + variance - 1 - log_variance
            return (log_p - beta * ops.sum(terms, axis=-1) / 2)[:, 0]

        # log p(z) - log q(z | x)
        log_ratio = ops.sum(log_variance + ops.square(e) - ops.square(z), axis=-1) / 2
        log_weight = log_p + beta * log_ratio
        return ops.logsumexp(log_weight, axis=1) - math.log(samples)

    def _log_p(self, x, z, training: bool):
        """log p(x | z), (B, K), of values x and latent vectors z (B, K, L)."""
        values = math.prod(self.decoder.output_shape[1:])
        samples = z.shape[1]
        rows = ops.reshape(z, (-1, self.latent_dim))
        logits = ops.cast(self.decoder(rows, training=training), "float32")
        logits = ops.reshape(logits, (-1, samples, values))  # B, K, D
        ones = ops.reshape(self._probabilities(x), (-1, values, 1))
        log_odds = ops.squeeze(ops.matmul(logits, ones), -1)
        return log_odds - ops.sum(ops.softplus(logits), axis=-1)

    def _probabilities(self, x):
        """x, from 0 to 1: how probable it is that a value is the higher one."""
        low, high = self.value_range
        return (ops.cast(x, "float32") - low) / (high - low)

    def _drawn(self, x):
        """x with each value drawn: the lower or the higher one."""
        low, high = self.value_range
        chance = keras.random.uniform(ops.shape(x), seed=self.seed)
        is_high = chance < self._probabilities(x)
        return ops.where(is_high, float(high), float(low))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        if training:
            x = self._drawn(x)
        loss = -self.bound(x, self.samples, self.beta, training)
        if sample_weight is not None:
            loss = loss * ops.cast(sample_weight, loss.dtype)
        penalties = [ops.sum(penalty) for penalty in self.losses]
        return ops.mean(loss) + sum(penalties)

    def log_likelihood(
        self, x: Any, samples: int = 1000, seed: Seed = None
    ) -> np.ndarray:
        """log p(x) in nats, (N,), estimated by `samples` importance samples of each x.

        The estimate rises with the number of samples, and its mean never exceeds the
        true value.
        """
        at_once = max(1, ROWS // samples)
        generator = keras.random.SeedGenerator(seed)
        found = [np.zeros(0, "float32")]
        for start in range(0, len(x), at_once):
            part = ops.convert_to_tensor(x[start : start + at_once])
            bound = self.bound(part, samples, seed=generator)
            found.append(ops.convert_to_numpy(bound))
        return np.concatenate(found)

    def sample(self, count: int, labels: Any = None, seed: Seed = None) -> Any:
        """The expected values of `count` samples; the same seed gives the same ones.

        labels: must be None, since the model knows no labels.
        """
        if labels is not None:
            raise ValueError(
                "A VariationalAutoencoder knows no labels, so `labels` must be None. "
                f"Received: labels={labels}"
            )
        z = keras.random.normal((count, self.latent_dim), seed=seed)
        return self.generator.predict(z, batch_size=500, verbose=0)

    def export(self, filepath: str | Path, *args: Any, **kwargs: Any) -> None:
        """Exports the generator: latent vectors become samples."""
        self.generator.export(filepath, *args, **kwargs)

    def get_config(self) -> Config:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "encoder": serialize(self.encoder),
            "decoder": serialize(self.decoder),
            "beta": self.beta,
            "samples": self.samples,
            "value_range": list(self.value_range),
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict | None = None
    ) -> "VariationalAutoencoder":
        read = keras.saving.deserialize_keras_object
        parts = ("encoder", "decoder")
        objects = {name: read(config[name], custom_objects) for name in parts}
        return cls(**{**config, **objects})


def _refuse_misfits(encoder, decoder) -> None:
    for name, part in (("encoder", encoder), ("decoder", decoder)):
        if len(getattr(part, "inputs", None) or []) != 1:
            raise ValueError(
                f"The {name} must be a model that knows its one input, such as a "
                "Sequential that begins with keras.Input. Received: "
                f"{type(part).__name__}"
            )
    latent = decoder.inputs[0].shape[-1]
    if tuple(encoder.output_shape[1:]) != (2 * latent,):
        raise ValueError(
            "The encoder must return the mean and the log variance of the decoder's "
            f"{latent} inputs, which is {2 * latent} numbers. Received an encoder of "
            f"output shape {tuple(encoder.output_shape)}"
        )
    samples = tuple(encoder.inputs[0].shape[1:])
    if tuple(decoder.output_shape[1:]) != samples:
        raise ValueError(
            f"The decoder must return logits in the shape of samples, {samples}. "
            f"Received a decoder of output shape {tuple(decoder.output_shape)}"
        )
