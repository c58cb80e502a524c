"""Adversarial training on TensorFlow."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops


class AdversarialModel(keras.Model):
    """Generative adversarial network: generator and critic, trained against each other.

    A step of training divides its batch among `critic_steps` steps of the critic, then
    trains the generator once. The critic scores `pack` samples together. The
    critic_loss that `fit` shows is without the penalty.
    """

    def __init__(
        self,
        generator: keras.Model,
        critic: keras.Model,
        loss: Any,
        penalty: Any = None,
        critic_steps: int = 1,
        pack: int = 1,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.critic = critic
        self.adversarial_loss = loss
        self.penalty = penalty
        self.critic_steps = critic_steps
        self.pack = pack
        self.conditional = len(generator.inputs) == 2
        self.latent_dim = generator.inputs[0].shape[-1]
        self.scores: list = []  # metrics of generated samples
        self.seed = keras.random.SeedGenerator()
        self.critic_loss = keras.metrics.Mean("critic_loss")
        self.generator_loss = keras.metrics.Mean("generator_loss")
        self.built = True

    def compile(
        self, generator_optimizer: Any, critic_optimizer: Any, **options: Any
    ) -> None:
        super().compile(critic_optimizer, **options)
        self.generator_optimizer = generator_optimizer
        generator_optimizer.build(self.generator.trainable_variables)
        critic_optimizer.build(self.critic.trainable_variables)

    @property
    def metrics(self) -> list:
        """All metrics but Keras's `loss`: a sum of the two losses has no meaning."""
        return [metric for metric in super().metrics if metric.name != "loss"]

    def call(self, inputs, training: bool = False):
        return self.generator(inputs, training=training)

    def sample(self, count: int, labels: Any = None, seed: Any = None) -> Any:
        """`count` samples as an array; the same seed draws the same latent vectors."""
        z = keras.random.normal((count, self.latent_dim), seed=seed)
        inputs = [z, ops.convert_to_tensor(labels)] if self.conditional else z

        return self.generator.predict(inputs, batch_size=500, verbose=0)

    def train_step(self, data: Any) -> dict:
        x, y = data

        for i in range(self.critic_steps):
            real = x[i :: self.critic_steps]
            labels = y[i :: self.critic_steps]
            self._critic_step(real, labels)
        self._generator_step(ops.shape(real)[0], labels)
        trackers = self.critic_loss, self.generator_loss

        return {tracker.name: tracker.result() for tracker in trackers}

    def _critic_step(self, real, labels) -> None:
        """The critic learns to score real samples high and generated ones low."""
        weights = self.critic.trainable_variables

        with tf.GradientTape() as tape:
            generated = self._generate(ops.shape(real)[0], labels, training=True)
            generated = ops.stop_gradient(generated)
            real_scores = self._score(real, labels, training=True)
            generated_scores = self._score(generated, labels, training=True)
            loss = total = self._loss_of_critic(real_scores, generated_scores)
            if self.penalty is not None:
                critic = self._critic_of(labels, training=True)
                samples = self._packed(real), self._packed(generated)
                total = loss + self.penalty(critic, *samples, self.seed)
        gradients = tape.gradient(total, [w.value for w in weights])
        self.optimizer.apply(gradients, weights)
        self.critic_loss.update_state(loss)

    def _generator_step(self, count, labels) -> None:
        """The generator learns to make samples that the critic scores high."""
        weights = self.generator.trainable_variables
        with tf.GradientTape() as tape:
            generated = self._generate(count, labels, training=True)
            scores = self._score(generated, labels, training=True)
            loss = self.adversarial_loss.generator(scores)
        gradients = tape.gradient(loss, [w.value for w in weights])
        self.generator_optimizer.apply(gradients, weights)
        self.generator_loss.update_state(loss)

    def test_step(self, data: Any) -> dict:
        x, labels = data
        generated = self._generate(ops.shape(x)[0], labels, training=False)
        real_scores = self._score(x, labels, training=False)
        generated_scores = self._score(generated, labels, training=False)
        self.critic_loss.update_state(
            self._loss_of_critic(real_scores, generated_scores)
        )
        loss = self.adversarial_loss.generator(generated_scores)
        self.generator_loss.update_state(loss)
        for metric in self.scores:
            metric.update_state(x, generated)
        return self.get_metrics_result()

    def _generate(self, count, labels, training: bool):
        z = keras.random.normal((count, self.latent_dim), seed=self.seed)
        inputs = [z, labels] if self.conditional else z
        return self.generator(inputs, training=training)

    def _score(self, x, labels, training: bool):
        return self._critic_of(labels, training)(self._packed(x))

    def _critic_of(self, labels, training: bool) -> Callable:
        """The critic as a function of packed samples alone."""
        if self.conditional:
            return lambda x: self.critic([x, labels], training=training)
        return lambda x: self.critic(x, training=training)

    def _packed(self, x):
        """(B, ..., C) -> (B / pack, ..., pack * C); samples beyond whole packs go."""
        if self.pack == 1:
            return x
        whole = ops.shape(x)[0] // self.pack * self.pack
        parts = [x[i : whole : self.pack] for i in range(self.pack)]
        return ops.concatenate(parts, axis=-1)

    def _loss_of_critic(self, real_scores, generated_scores):
        ones, zeros = ops.ones_like(real_scores), ops.zeros_like(generated_scores)
        of_real = self.adversarial_loss(ones, real_scores)
        return of_real + self.adversarial_loss(zeros, generated_scores)


class CycleGAN(keras.Model):
    """Translates samples x to samples y and back, learned without pairs.

    G, the generator, and F, the inverse, minimize generator_loss + cycle * cycle_loss +
    identity * identity_loss. Then both critics minimize critic_loss:

    cycle_loss = mean |F(G(x)) - x| + mean |G(F(y)) - y|
    identity_loss = mean |G(y) - y| + mean |F(x) - x|
    """

    def __init__(
        self,
        generator: keras.Model,
        inverse: keras.Model,
        critic_x: keras.Model,
        critic_y: keras.Model,
        loss: Any,
        penalty: Any,
        cycle: float,
        identity: float,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.inverse = inverse
        self.critic_x = critic_x
        self.critic_y = critic_y
        self.adversarial_loss = loss
        self.penalty = penalty
        self.cycle = cycle
        self.identity = identity
        self.scores: list = []  # metrics of translated samples
        self.seed = keras.random.SeedGenerator()
        names = ["critic_loss", "generator_loss"]
        names += ["cycle_loss"] if cycle else []
        names += ["identity_loss"] if identity else []
        self.trackers = [keras.metrics.Mean(name) for name in names]
        self.built = True

    def compile(
        self, generator_optimizer: Any, critic_optimizer: Any, **options: Any
    ) -> None:
        super().compile(critic_optimizer, **options)
        self.generator_optimizer = generator_optimizer
        generators = self.generator, self.inverse
        self.generator_weights = [w for g in generators for w in g.trainable_variables]
        critics = self.critic_x, self.critic_y
        self.critic_weights = [w for c in critics for w in c.trainable_variables]
        generator_optimizer.build(self.generator_weights)
        critic_optimizer.build(self.critic_weights)

    @property
    def metrics(self) -> list:
        """All metrics but Keras's `loss`: a sum of the two losses has no meaning."""
        return [metric for metric in super().metrics if metric.name != "loss"]

    def call(self, inputs, training: bool = False):
        return self.generator(inputs, training=training)

    def translate(self, samples: Any, back: bool = False) -> Any:
        """The samples x as samples y or, with `back`, the samples y as samples x."""
        network = self.inverse if back else self.generator
        return network.predict(samples, batch_size=500, verbose=0)

    def train_step(self, data: Any) -> dict:
        x, y = data

        with tf.GradientTape() as tape:
            losses, x_made, y_made = self._translations(x, y, training=True)
            total = losses["generator_loss"]
            if self.cycle:
                total = total + self.cycle * losses["cycle_loss"]
            if self.identity:
                total = total + self.identity * losses["identity_loss"]
        gradients = tape.gradient(total, [w.value for w in self.generator_weights])
        self.generator_optimizer.apply(gradients, self.generator_weights)

        with tf.GradientTape() as tape:
            loss = self._loss_of_critics(x, y, x_made, y_made, training=True)
            of_x = self.penalty(self.critic_x, x, x_made, self.seed)
            of_y = self.penalty(self.critic_y, y, y_made, self.seed)
            total = loss + of_x + of_y
        gradients = tape.gradient(total, [w.value for w in self.critic_weights])
        self.optimizer.apply(gradients, self.critic_weights)

        return self._logs_of({**losses, "critic_loss": loss})

    def test_step(self, data: Any) -> dict:
        x, y = data
        losses, x_made, y_made = self._translations(x, y, training=False)
        loss = self._loss_of_critics(x, y, x_made, y_made, training=False)
        losses["critic_loss"] = loss
        self._logs_of(losses)
        for metric in self.scores:
            metric.update_state(y, y_made)
        return self.get_metrics_result()

    def _logs_of(self, losses) -> dict:
        for tracker in self.trackers:
            tracker.update_state(losses[tracker.name])
        return {tracker.name: tracker.result() for tracker in self.trackers}

    def _translations(self, x, y, training: bool):
        """(losses of G and F, F(y), G(x))"""

        def G(samples):
            return self.generator(samples, training=training)

        def F(samples):
            return self.inverse(samples, training=training)

        def distance(a, b):
            return ops.mean(ops.abs(a - b))

        x_made, y_made = F(y), G(x)
        fooling = self.adversarial_loss.generator
        of_x = fooling(self.critic_x(x_made, training=training))
        of_y = fooling(self.critic_y(y_made, training=training))
        losses = {"generator_loss": of_x + of_y}
        if self.cycle:
            losses["cycle_loss"] = distance(F(y_made), x) + distance(G(x_made), y)
        if self.identity:
            losses["identity_loss"] = distance(F(x), x) + distance(G(y), y)
        return losses, x_made, y_made

    def _loss_of_critics(self, x, y, x_made, y_made, training: bool):
        losses = []
        for critic, real, made in (
            (self.critic_x, x, x_made),
            (self.critic_y, y, y_made),
        ):
            of_real = critic(real, training=training)
            of_made = critic(made, training=training)
            ones, zeros = ops.ones_like(of_real), ops.zeros_like(of_made)
            kind = self.adversarial_loss
            losses.append(kind(ones, of_real) + kind(zeros, of_made))
        return losses[0] + losses[1]


def _gradient_of_sum(f: Callable, x: Any) -> Any:
    """The gradient of sum(f(x)) to x, which can itself be differentiated."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)
