"""Handwritten digits on demand: a conditional GAN, asked for a class, makes it.

    python recipes/mnist_cgan.py
    python recipes/mnist_cgan.py --tune 10

The generator gets noise and an embedded label; the critic adds to its score how well
the image's features agree with the label's own vector (a projection). mnist_cnn's
network then says whether the samples show the digits that were asked for. Expected on
MNIST: 97.8 % do, at a Frechet distance of 0.54 (of training images: 0.12).
Papers: Mirza, Osindero, "Conditional generative adversarial nets", 2014,
https://arxiv.org/abs/1411.1784; Miyato, Koyama, "cGANs with projection discriminator",
2018. https://arxiv.org/abs/1802.05637
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__, onednn=True)  # halves a convolution's time

import keras
import numpy as np

from cookbook.config import Count, Rate, TrainingConfig
from cookbook.data.images import load_images
from cookbook.plots.gallery import Snapshots, draw_tiles
from cookbook.reports.generated.sample_quality import judged, report_images
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.layers import (
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Embedding,
    LeakyReLU,
    ReLU,
)
from custom_layers.metrics import FrechetDistance
from custom_layers.models import AdversarialModel, GradientPenalty, NonSaturatingGAN
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import CosineDecay
from recipes import mnist_cnn

EXPECTED = {"mnist": (0.54, 0.3)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 9  # passes over the training set
    filters: Count = 32  # of each network's layer at 14x14 pixels; twice at 7x7
    latent: Count = 64  # length of the noise vector that becomes an image
    penalty: Rate = 0.5  # weight of the critic's squared gradient at real images
    batch_size: Count = 64  # images a step
    learning_rate: Rate = 1e-3  # of both networks, at the start


def space(hp):
    return Config(
        filters=hp.Choice("filters", [16, 24, 32]),
        penalty=hp.Float("penalty", 0.05, 5.0, sampling="log"),
        learning_rate=hp.Float("learning_rate", 1e-4, 2e-3, sampling="log"),
    )


def generator(config, shape, classes):
    height, width, channels = shape
    n, h, w = config.filters, -(-height // 4), -(-width // 4)
    noise = keras.Input((config.latent,))
    label = keras.Input((), dtype="int32")
    x = keras.layers.Concatenate()([noise, Embedding(classes, config.latent)(label)])
    for layer in (
        Dense(h * w * 2 * n, use_bias=False),
        BatchNormalization(momentum=0.9),
        ReLU(),
        keras.layers.Reshape((h, w, 2 * n)),  # 7, 7, 2n
        Conv2DTranspose(n, 4, 2, "same", use_bias=False),  # 14, 14, n
        BatchNormalization(momentum=0.9),
        ReLU(),
        Conv2DTranspose(channels, 4, 2, "same", activation="tanh"),  # 28, 28, 1
    ):
        x = layer(x)
    return keras.Model([noise, label], x)


def critic(config, shape, classes):
    n = config.filters
    image = keras.Input(shape)
    label = keras.Input((), dtype="int32")
    x = image
    for layer in (
        Conv2D(n, 4, 2, "same"),  # 14, 14, n
        LeakyReLU(0.2),
        Conv2D(2 * n, 4, 2, "same"),  # 7, 7, 2n
        LeakyReLU(0.2),
        keras.layers.Flatten(),
    ):
        x = layer(x)
    agreement = keras.layers.Dot(1)([x, Embedding(classes, x.shape[-1])(label)])
    return keras.Model([image, label], keras.layers.Add()([Dense(1)(x), agreement]))


def build(config, data):
    sizes = data.shape, len(data.classes)
    networks = generator(config, *sizes), critic(config, *sizes)
    penalty = GradientPenalty(config.penalty, target=0, at="real")
    model = AdversarialModel(*networks, NonSaturatingGAN(), penalty)
    steps = config.epochs * max(1, len(data.train[0]) // config.batch_size)
    rate = CosineDecay(config.learning_rate, steps, alpha=0.02)
    model.compile(Adam(rate, beta_1=0.5), Adam(rate, beta_1=0.5), jit_compile=False)
    model.scores = [FrechetDistance(data.judge)]
    return model


def main(config):
    data = load_images(config.data, default="mnist", quick=config.quick, smallest=22)
    run = RunFolder.open("mnist_cgan", config)
    data = judged(data, config, mnist_cnn)
    if config.tune:
        config = search(space, build, data, config, run, score="val_frechet_distance")
    seed_everything(config.seed)
    model = build(config, data)
    asked = np.repeat(range(len(data.classes)), 10)  # a row of each
    pictures = Snapshots(draw_tiles, run, len(asked), asked)
    history = train(model, data, config, run, [pictures])
    return report_images(model, data, history, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
