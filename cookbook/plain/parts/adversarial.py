"""Adversarial training of a plain script, on TensorFlow, and what comes out of it."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import Model, ops
from scipy.linalg import sqrtm


class GAN(Model):
    """A generator and a critic that are trained against each other (TensorFlow)."""

    def __init__(self, generator: Model, critic: Model, penalty: float) -> None:
        super().__init__()
        self.generator = generator
        self.critic = critic
        self.latent = generator.inputs[0].shape[-1]
        self.penalty = penalty

    def compile(self, generator_optimizer, critic_optimizer, **options):
        super().compile(**options)
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer

    def generate(self, labels, training: bool = False):
        """As many images as there are labels."""
        count = ops.shape(labels)[0]
        noise = keras.random.normal((count, self.latent))
        return self.generator(noise, training=training)

    def train_step(self, data):
        images, labels = data

        # The critic learns to tell real images from generated ones.
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(images)
                real = self.critic(images)
            generated = self.critic(self.generate(labels, training=True))
            critic_loss = ops.mean(ops.softplus(-real) + ops.softplus(generated))

            # The penalty R1: the squared slope of the critic at real images
            slopes = inner.gradient(real, images)
            squares = ops.sum(ops.square(slopes), axis=(1, 2, 3))
            total = critic_loss + self.penalty * ops.mean(squares)

        weights = self.critic.trainable_variables
        gradients = tape.gradient(total, weights)
        self.critic_optimizer.apply(gradients, weights)

        # The generator learns to fool the critic.
        with tf.GradientTape() as tape:
            generated = self.critic(self.generate(labels, training=True))
            generator_loss = ops.mean(ops.softplus(-generated))

        weights = self.generator.trainable_variables
        gradients = tape.gradient(generator_loss, weights)
        self.generator_optimizer.apply(gradients, weights)

        return {"critic_loss": critic_loss, "generator_loss": generator_loss}


class ConditionalGAN(Model):
    """A generator and a critic, which know the labels of the images (TensorFlow)."""

    def __init__(self, generator: Model, critic: Model, penalty: float) -> None:
        super().__init__()
        self.generator = generator
        self.critic = critic
        self.latent = generator.inputs[0].shape[-1]
        self.penalty = penalty

    def compile(self, generator_optimizer, critic_optimizer, **options):
        super().compile(**options)
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer

    def generate(self, labels, training: bool = False):
        """An image for each label."""
        labels = ops.convert_to_tensor(labels)
        count = ops.shape(labels)[0]
        noise = keras.random.normal((count, self.latent))
        return self.generator([noise, labels], training=training)

    def train_step(self, data):
        images, labels = data

        # The critic learns to tell real images from generated ones.
        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(images)
                real = self.critic([images, labels])
            generated = self.generate(labels, training=True)
            fake = self.critic([generated, labels])
            critic_loss = ops.mean(ops.softplus(-real) + ops.softplus(fake))
            # The penalty R1: the squared slope of the critic at real images
            slopes = inner.gradient(real, images)
            squares = ops.sum(ops.square(slopes), axis=(1, 2, 3))
            total = critic_loss + self.penalty * ops.mean(squares)

        weights = self.critic.trainable_variables
        gradients = tape.gradient(total, weights)
        self.critic_optimizer.apply(gradients, weights)

        # The generator learns to fool the critic.
        with tf.GradientTape() as tape:
            generated = self.generate(labels, training=True)
            generator_loss = ops.mean(ops.softplus(-self.critic([generated, labels])))

        weights = self.generator.trainable_variables
        gradients = tape.gradient(generator_loss, weights)
        self.generator_optimizer.apply(gradients, weights)

        return {"critic_loss": critic_loss, "generator_loss": generator_loss}


class WassersteinGP(Model):
    """A generator, and a critic whose slope is kept at 1 (TensorFlow)."""

    def __init__(
        self, generator: Model, critic: Model, penalty: float, critic_steps: int
    ) -> None:
        super().__init__()
        self.generator = generator
        self.critic = critic
        self.latent = generator.inputs[0].shape[-1]
        self.penalty = penalty
        self.critic_steps = critic_steps

    def compile(self, generator_optimizer, critic_optimizer, **options):
        super().compile(**options)
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer

    def generate(self, labels, training: bool = False):
        """As many images as there are labels."""
        count = ops.shape(labels)[0]
        noise = keras.random.normal((count, self.latent))
        return self.generator(noise, training=training)

    def critic_loss(self, images, generated):
        real = ops.mean(self.critic(images))
        fake = ops.mean(self.critic(generated))
        return fake - real

    def gradient_penalty(self, images, generated):
        """mean (|slope| - 1)^2 at random points between real and generated images."""
        e = keras.random.uniform((ops.shape(images)[0], 1, 1, 1))
        between = e * images + (1 - e) * generated

        with tf.GradientTape() as tape:
            tape.watch(between)
            scores = self.critic(between)

        gradient = tape.gradient(scores, between)
        squares = ops.sum(ops.square(gradient), axis=(1, 2, 3))
        slope = ops.sqrt(squares + 1e-12)
        return ops.mean(ops.square(slope - 1))

    def train_step(self, data):
        # The critic learns to tell real images from generated ones, in several steps.
        for i in range(self.critic_steps):
            images, labels = (part[i :: self.critic_steps] for part in data)
            with tf.GradientTape() as tape:
                generated = self.generate(labels, training=True)
                critic_loss = self.critic_loss(images, generated)
                penalty = self.gradient_penalty(images, generated)
                total = critic_loss + self.penalty * penalty
            weights = self.critic.trainable_variables
            gradients = tape.gradient(total, weights)
            self.critic_optimizer.apply(gradients, weights)

        # The generator learns to fool the critic.
        with tf.GradientTape() as tape:
            generated = self.generate(labels, training=True)
            generator_loss = -ops.mean(self.critic(generated))

        weights = self.generator.trainable_variables
        gradients = tape.gradient(generator_loss, weights)
        self.generator_optimizer.apply(gradients, weights)

        return {"critic_loss": critic_loss, "generator_loss": generator_loss}


class PackedGAN(Model):
    """A generator, and a critic that sees `pack` points at once (TensorFlow)."""

    def __init__(self, generator: Model, critic: Model, pack: int) -> None:
        super().__init__()
        self.generator = generator
        self.critic = critic
        self.latent = generator.inputs[0].shape[-1]
        self.pack = pack

    def compile(self, generator_optimizer, critic_optimizer, **options):
        super().compile(**options)
        self.generator_optimizer = generator_optimizer
        self.critic_optimizer = critic_optimizer
        generator_optimizer.build(self.generator.trainable_variables)
        critic_optimizer.build(self.critic.trainable_variables)

    def generate(self, count):
        noise = keras.random.normal((count, self.latent))
        return self.generator(noise)

    def score(self, points):
        packed = ops.reshape(points, (-1, self.pack * points.shape[-1]))
        return self.critic(packed)

    def train_step(self, data):
        points, _ = data
        count = ops.shape(points)[0]

        # The critic learns to tell real points from generated ones.
        with tf.GradientTape() as tape:
            real = self.score(points)
            generated = self.score(self.generate(count))
            critic_loss = ops.mean(ops.softplus(-real) + ops.softplus(generated))

        weights = self.critic.trainable_variables
        gradients = tape.gradient(critic_loss, weights)
        self.critic_optimizer.apply(gradients, weights)

        # The generator learns to fool the critic.
        with tf.GradientTape() as tape:
            generated = self.score(self.generate(count))
            generator_loss = ops.mean(ops.softplus(-generated))

        weights = self.generator.trainable_variables
        gradients = tape.gradient(generator_loss, weights)
        self.generator_optimizer.apply(gradients, weights)

        return {"critic_loss": critic_loss, "generator_loss": generator_loss}


def report_images(model, data) -> dict[str, float]:
    """The Frechet distance of generated images to the test images, and a picture."""
    x, y = data.test
    batches = np.split(np.sort(y), range(500, len(y), 500))
    generated = np.concatenate([model.generate(labels) for labels in batches])
    shown = generated[:: len(y) // 100][:100]
    rows = shown.reshape(10, 10, *data.shape)
    tiles = np.hstack(list(np.hstack(list(rows))))
    plt.imsave("samples.png", tiles[..., 0], cmap="gray_r")
    f, _ = data.judge.predict(x, batch_size=500, verbose=0)
    g, _ = data.judge.predict(generated, batch_size=500, verbose=0)
    apart = f.mean(0) - g.mean(0)
    S = np.cov(f.T)
    T = np.cov(g.T)
    root = sqrtm(S @ T).real
    distance = apart @ apart + np.trace(S + T - 2 * root)
    print(f"Frechet distance: {distance:.2f}")
    return {"Frechet distance": distance}


def report_ring(plain, cure, data) -> dict[str, float]:
    """How many modes both GANs found, and the share of their points near one."""
    models = {"plain": plain, "cure": cure}
    figure, places = plt.subplots(1, 2, figsize=(10, 5))

    for axes, (name, model) in zip(places, models.items()):
        points = np.array(model.generate(2500))

        # A point is good if it is near a centre.
        apart = points[:, None] - data.centres
        distances = np.linalg.norm(apart, axis=-1)
        is_near = distances < 3 * data.spread

        modes = is_near.any(0).sum()
        share = is_near.any(1).mean()

        print(f"{name}: {modes} modes, high-quality share {share:.4f}")

        # The points, and in the title how good they are
        axes.plot(*points.T, ".", ms=2)
        axes.set_title(f"{name}: {modes} of 8 modes, {share:.1%} near one")

    figure.savefig("samples.png")

    return {"high-quality share": share}
