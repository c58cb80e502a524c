"""Adversarial training of a plain script, on TensorFlow."""

from types import SimpleNamespace
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from keras import ops
from scipy.linalg import sqrtm

from cookbook.plain.parts.images import centre
from cookbook.plain.parts.reports import finish


class GAN(keras.Model):
    """A generator and a critic that are trained against each other (TensorFlow)."""

    def __init__(self, generator: Any, critic: Any, penalty: float) -> None:
        super().__init__()
        self.generator, self.critic, self.penalty = generator, critic, penalty

    def compile(self, generator_optimizer, critic_optimizer, **options):
        super().compile(**options)
        self.optimizers = generator_optimizer, critic_optimizer

    def generate(self, labels, training: bool = False):
        """A sample for each label; a conditional generator makes one of that class."""
        size = self.generator.inputs[0].shape[-1]
        z = keras.random.normal((ops.shape(labels)[0], size))
        both = [z, ops.convert_to_tensor(labels)]
        inputs = both if len(self.generator.inputs) == 2 else z
        return self.generator(inputs, training=training)

    def train_step(self, data):
        x, y = data
        conditional = len(self.critic.inputs) == 2

        def score(x):
            return self.critic([x, y] if conditional else x, training=True)

        with tf.GradientTape() as tape:
            with tf.GradientTape() as inner:
                inner.watch(x)
                real = score(x)
            generated = score(self.generate(y, training=True))
            loss = ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(generated))
            square = ops.sum(ops.square(inner.gradient(real, x)), (1, 2, 3))
            total = loss + self.penalty * ops.mean(square)  # R1
        weights = self.critic.trainable_variables
        self.optimizers[1].apply(tape.gradient(total, weights), weights)
        with tf.GradientTape() as tape:
            fooling = ops.mean(ops.softplus(-score(self.generate(y, training=True))))
        weights = self.generator.trainable_variables
        self.optimizers[0].apply(tape.gradient(fooling, weights), weights)
        return {"critic_loss": loss, "generator_loss": fooling}


class WassersteinGP(keras.Model):
    """A generator, and a critic whose slope is kept at 1 (TensorFlow)."""

    def __init__(
        self, generator: Any, critic: Any, penalty: float, critic_steps: int
    ) -> None:
        super().__init__()
        self.generator, self.critic, self.penalty = generator, critic, penalty
        self.critic_steps = critic_steps

    def compile(self, generator_optimizer, critic_optimizer, **options):
        super().compile(**options)
        self.optimizers = generator_optimizer, critic_optimizer

    def generate(self, labels, training: bool = False):
        shape = ops.shape(labels)[0], self.generator.inputs[0].shape[-1]
        return self.generator(keras.random.normal(shape), training=training)

    def train_step(self, data):
        for i in range(self.critic_steps):
            x, y = (part[i :: self.critic_steps] for part in data)
            with tf.GradientTape() as tape:
                generated = self.generate(y, training=True)
                loss = ops.mean(self.critic(generated)) - ops.mean(self.critic(x))
                e = keras.random.uniform((ops.shape(x)[0], 1, 1, 1))
                between = e * x + (1 - e) * generated
                with tf.GradientTape() as inner:
                    inner.watch(between)
                    scores = self.critic(between)
                square = ops.square(inner.gradient(scores, between))
                slope = ops.sqrt(ops.sum(square, (1, 2, 3)) + 1e-12)
                total = loss + self.penalty * ops.mean(ops.square(slope - 1))
            weights = self.critic.trainable_variables
            self.optimizers[1].apply(tape.gradient(total, weights), weights)
        with tf.GradientTape() as tape:
            fooling = -ops.mean(self.critic(self.generate(y, training=True)))
        weights = self.generator.trainable_variables
        self.optimizers[0].apply(tape.gradient(fooling, weights), weights)
        return {"critic_loss": loss, "generator_loss": fooling}


class PackedGAN(keras.Model):
    """A generator, and a critic that sees `pack` points at once (TensorFlow)."""

    def __init__(self, generator: Any, critic: Any, pack: int) -> None:
        super().__init__()
        self.generator, self.critic, self.pack = generator, critic, pack

    def compile(self, generator_optimizer, critic_optimizer, **options):
        super().compile(**options)
        self.optimizers = generator_optimizer, critic_optimizer
        generator_optimizer.build(self.generator.trainable_variables)
        critic_optimizer.build(self.critic.trainable_variables)

    def generate(self, count):
        z = keras.random.normal((count, self.generator.inputs[0].shape[-1]))
        return self.generator(z)

    def score(self, x):
        return self.critic(ops.reshape(x, (-1, self.pack * x.shape[-1])))

    def train_step(self, data):
        x, _ = data
        count = ops.shape(x)[0]
        with tf.GradientTape() as tape:
            real, generated = self.score(x), self.score(self.generate(count))
            loss = ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(generated))
        weights = self.critic.trainable_variables
        self.optimizers[1].apply(tape.gradient(loss, weights), weights)
        with tf.GradientTape() as tape:
            fooling = ops.mean(ops.softplus(-self.score(self.generate(count))))
        weights = self.generator.trainable_variables
        self.optimizers[0].apply(tape.gradient(fooling, weights), weights)
        return {"critic_loss": loss, "generator_loss": fooling}


def classifier_of(data: SimpleNamespace, epochs: int) -> keras.Sequential:
    """A convolutional network that learns the images."""
    make = keras.layers
    layers = [keras.Input(data.shape)]
    for filters, pool in ((16, 2), (32, 1), (64, 2), (96, 1)):
        layers += [make.Conv2D(filters, 3, use_bias=False), make.MaxPooling2D(pool)]
        layers += [make.BatchNormalization(momentum=0.9), make.ReLU()]
    layers += [make.GlobalAveragePooling2D(), make.Dense(len(data.classes))]
    model = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(2e-3), loss, metrics=["accuracy"])
    model.fit(*data.train, 128, epochs=epochs, verbose=2)
    return model


def judged(data: SimpleNamespace) -> SimpleNamespace:
    """The images with pixels from -1 to 1, and a network of features."""
    judge = classifier_of(centre(data), epochs=4)
    data.judge = keras.Model(judge.inputs, judge.layers[-2].output)
    return data


def report_images(model: Any, data: Any, history: dict, expected: dict) -> dict:
    """The Frechet distance of generated images to the test images, and a picture."""
    x, y = data.test
    rows = np.split(np.sort(y), range(500, len(y), 500))
    generated = np.concatenate([model.generate(labels) for labels in rows])
    tiles = generated[:: len(y) // 100][:100].reshape(10, 10, *data.shape)
    plt.imshow(np.hstack(list(np.hstack(list(tiles)))), "gray_r")
    plt.savefig("samples.png")
    f, g = (data.judge.predict(images, 500, verbose=0) for images in (x, generated))
    S, T = np.cov(f.T), np.cov(g.T)
    distance = np.sum((f.mean(0) - g.mean(0)) ** 2)
    distance += np.trace(S + T - 2 * sqrtm(S @ T).real)
    return finish(data, {"Frechet distance": distance}, expected)


def report_ring(
    plain: Any, cure: Any, data: Any, history: dict, expected: dict
) -> dict:
    """How many modes both GANs found, and the share of their points near one."""
    figure, places = plt.subplots(1, 2, figsize=(10, 5))
    for axes, (name, model) in zip(places, {"plain": plain, "cure": cure}.items()):
        points = np.array(model.generate(2500))
        distances = np.linalg.norm(points[:, None] - data.centres, axis=-1)
        is_near = distances < 3 * data.spread
        modes, share = is_near.any(0).sum(), is_near.any(1).mean()
        axes.plot(*points.T, ".", ms=2)
        axes.set_title(f"{name}: {modes} of 8 modes, {share:.1%} near one")
        print(f"{name}: {modes} modes, high-quality share {share:.4f}")
    figure.savefig("samples.png")
    return finish(data, {"high-quality share": share}, expected)
