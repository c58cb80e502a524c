"""Adversarial training: a generator against a critic; the kinds of GAN are its losses.

A critic scores how real a sample looks, in logits or any other unbounded number. A
generator turns random latent vectors into samples and learns to make them score high.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
from keras import ops

from ...common.checks import positive_integer
from ...common.types import Config
from .backends import _minimize
from .two_players import _critics_loss, _refuse_shared_statistics, _TwoPlayers


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AdversarialModel(_TwoPlayers):
    """Generative adversarial network: generator and critic, trained against each other.

    A step of training divides its batch among `critic_steps` steps of the critic, then
    trains the generator once. The critic_loss that `fit` shows is without the penalty.

    Args:
        generator: functional model, latent vectors -> samples. With labels as a second
            input it is conditional, and the critic must be conditional too.
        critic: functional model, samples (and labels) -> scores.
        loss: the kind of GAN, such as `NonSaturatingGAN`.
        penalty: a `GradientPenalty`, or None.
        critic_steps: number of critic steps per generator step.
        pack: number of samples that the critic sees at once, side by side on the last
            axis, so that it notices when all of them are alike (PacGAN).

    Shapes: x of `fit` as the generator's output, y the labels; a call maps latent
        vectors, or [latent vectors, labels], to samples.
    Raises: ValueError if generator and critic do not fit together, for labels with
        packing, and for batch normalization in a critic with a penalty: the scores
        would then depend on each other, but the penalty is one of each sample.

    `scores`, a list of metrics, may be set before `fit`: validation updates each one as
    metric.update_state(real, generated). They are not saved.

    >>> from custom_layers.models.adversarial.losses import HingeGAN
    >>> generator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    >>> critic = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model = AdversarialModel(generator, critic, HingeGAN())
    >>> model.compile(keras.optimizers.Adam(0.05), keras.optimizers.Adam(0.05))
    >>> real = 5.0 + keras.random.normal((512, 2))
    >>> sorted(model.fit(real, epochs=10, verbose=0).history)
    ['critic_loss', 'generator_loss']
    >>> bool(model.sample(100).mean() > 1)  # from around 0, where the generator began
    True

    Papers: Goodfellow et al., "Generative adversarial nets", 2014,
    https://arxiv.org/abs/1406.2661; Lin et al., "PacGAN: the power of two samples in
    generative adversarial networks", 2018. https://arxiv.org/abs/1712.04086
    """

    def __init__(
        self,
        generator: keras.Model,
        critic: keras.Model,
        loss: Any,
        penalty: Any = None,
        critic_steps: int = 1,
        pack: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.critic_steps = positive_integer(critic_steps, "critic_steps")
        self.pack = positive_integer(pack, "pack")
        _refuse_misfits(generator, critic, penalty, pack)
        self.generator = generator
        self.critic = critic
        self.adversarial_loss = loss
        self.penalty = penalty
        self.conditional = len(generator.inputs) == 2
        self.latent_dim = generator.inputs[0].shape[-1]
        self.scores: list = []
        self.seed = keras.random.SeedGenerator()
        self.critic_loss = keras.metrics.Mean("critic_loss")
        self.generator_loss = keras.metrics.Mean("generator_loss")
        self.built = True

    def call(self, inputs, training: bool = False):
        return self.generator(inputs, training=training)

    def _sides(self) -> tuple[list[keras.Model], list[keras.Model]]:
        return [self.generator], [self.critic]

    def export(self, filepath: str | Path, *args: Any, **kwargs: Any) -> None:
        """Exports the generator: latent vectors, and labels, become samples."""
        self.generator.export(filepath, *args, **kwargs)

    def sample(self, count: int, labels: Any = None, seed: Any = None) -> Any:
        """`count` samples as an array; the same seed draws the same latent vectors."""
        z = keras.random.normal((count, self.latent_dim), seed=seed)
        inputs = [z, ops.convert_to_tensor(labels)] if self.conditional else z
        return self.generator.predict(inputs, batch_size=500, verbose=0)

    def _train(self, data):
        """One step of training: the critic's steps, then the generator's step."""
        x, y = self._samples_and_labels(data)
        if self.critic_steps > 1:  # no step may be left without a sample
            smallest = self.critic_steps * self.pack
            x = _at_least(x, smallest)
            y = _at_least(y, smallest) if self.conditional else None
        for i in range(self.critic_steps):
            real = x[i :: self.critic_steps]
            labels = y[i :: self.critic_steps] if self.conditional else None
            self._critic_step(real, labels)
        self._generator_step(ops.shape(real)[0], labels)
        trackers = self.critic_loss, self.generator_loss
        return {tracker.name: tracker.result() for tracker in trackers}

    def _samples_and_labels(self, data):
        """(x, labels or None) as tensors; uncompiled, JAX passes NumPy arrays."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        if sample_weight is not None:
            raise ValueError(
                "AdversarialModel counts all samples equally, but got weights of "
                "samples or classes: leave them out."
            )
        if self.conditional and y is None:
            raise ValueError(
                "A conditional AdversarialModel learns samples with their labels, but "
                "got no labels: pass both, as in fit(x, labels)."
            )
        labels = ops.convert_to_tensor(y) if self.conditional else None
        return ops.convert_to_tensor(x), labels

    def _critic_step(self, real, labels):
        """The critic learns to score real samples high and generated ones low."""

        def objective():
            x = ops.cast(real, self.compute_dtype)
            generated = self._generate(ops.shape(x)[0], labels, training=True)
            generated = ops.stop_gradient(generated)
            real_scores = self._score(x, labels, training=True)
            generated_scores = self._score(generated, labels, training=True)
            loss = _critics_loss(self.adversarial_loss, real_scores, generated_scores)
            if self.penalty is None:
                return loss, loss
            critic = self._critic_of(labels, training=True)
            samples = self._packed(x), self._packed(generated)
            return loss + self.penalty(critic, *samples, self.seed), loss

        weights = self.critic.trainable_variables
        loss = _minimize(objective, weights, self.optimizer.critic, self)
        self.critic_loss.update_state(loss)

    def _generator_step(self, count, labels):
        """The generator learns to make samples that the critic scores high."""

        def objective():
            generated = self._generate(count, labels, training=True)
            scores = self._score(generated, labels, training=True)
            loss = self.adversarial_loss.generator(scores)
            return loss, loss

        weights = self.generator.trainable_variables
        loss = _minimize(objective, weights, self.optimizer.generator, self)
        self.generator_loss.update_state(loss)

    def _test(self, data):
        x, labels = self._samples_and_labels(data)
        generated = self._generate(ops.shape(x)[0], labels, training=False)
        real = ops.cast(x, self.compute_dtype)
        real_scores = self._score(real, labels, training=False)
        generated_scores = self._score(generated, labels, training=False)
        loss = _critics_loss(self.adversarial_loss, real_scores, generated_scores)
        self.critic_loss.update_state(loss)
        loss = self.adversarial_loss.generator(generated_scores)
        self.generator_loss.update_state(loss)
        for metric in self.scores:
            metric.update_state(x, generated)
        return self.get_metrics_result()

    def _generate(self, count, labels, training: bool | None):
        z = keras.random.normal((count, self.latent_dim), seed=self.seed)
        inputs = [z, labels] if self.conditional else z
        samples = self.generator(inputs, training=training)
        return ops.cast(samples, self.compute_dtype)

    def _score(self, x, labels, training: bool | None):
        return self._critic_of(labels, training)(self._packed(x))

    def _critic_of(self, labels, training: bool | None) -> Callable:
        """The critic as a function of packed samples alone."""
        if self.conditional:
            return lambda x: self.critic([x, labels], training=training)
        return lambda x: self.critic(x, training=training)

    def _packed(self, x):
        """(B, ..., C) -> (B / pack, ..., pack * C); samples beyond whole packs go."""
        if self.pack == 1:
            return x
        x = _at_least(x, self.pack)
        whole = ops.shape(x)[0] // self.pack * self.pack
        parts = [x[i : whole : self.pack] for i in range(self.pack)]
        return ops.concatenate(parts, axis=-1)

    def get_config(self) -> Config:
        serialize = keras.saving.serialize_keras_object
        return {
            **super().get_config(),
            "generator": serialize(self.generator),
            "critic": serialize(self.critic),
            "loss": serialize(self.adversarial_loss),
            "penalty": serialize(self.penalty),
            "critic_steps": self.critic_steps,
            "pack": self.pack,
        }

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict | None = None
    ) -> "AdversarialModel":
        parts = ("generator", "critic", "loss", "penalty")
        read = keras.saving.deserialize_keras_object
        objects = {name: read(config[name], custom_objects) for name in parts}
        return cls(**{**config, **objects})


def _refuse_misfits(generator, critic, penalty, pack) -> None:
    for name, part in (("generator", generator), ("critic", critic)):
        if not getattr(part, "inputs", None):
            raise ValueError(
                f"The {name} must be a model that knows its inputs, such as a "
                "Sequential that begins with keras.Input. Received: "
                f"{type(part).__name__}"
            )
    inputs = len(generator.inputs), len(critic.inputs)
    if inputs not in ((1, 1), (2, 2)) or (inputs == (2, 2) and pack > 1):
        raise ValueError(
            "generator and critic must have 1 input each, or 2, the second for labels, "
            f"and then pack=1. Received: {inputs[0]} and {inputs[1]}, pack={pack}"
        )
    *places, channels = generator.output_shape[1:]
    expected = (*places, channels * pack)
    received = tuple(critic.inputs[0].shape[1:])
    if received != expected:
        raise ValueError(
            f"The critic must take {pack} of the generator's samples at once, which is "
            f"samples of shape {expected}. Received a critic for shape {received}"
        )
    _refuse_shared_statistics(critic, penalty)


def _at_least(x, count: int):
    """The batch x, whose samples are repeated in turn until there are `count`."""
    size = ops.shape(x)[0]
    if not isinstance(size, int):  # TensorFlow traces batches of any size
        count = ops.maximum(size, count)
    elif size >= count:
        return x
    return ops.take(x, ops.arange(count) % size, axis=0)
