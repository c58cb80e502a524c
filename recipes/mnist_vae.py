"""New handwritten digits from a latent space: a variational autoencoder.

    python recipes/mnist_vae.py
    python recipes/mnist_vae.py --beta 4    (a simpler latent space, blurrer images)

An encoder describes each image by a normal distribution of latent vectors, and a
decoder tells how probable each pixel is for such a vector. Both learn together to make
the images probable, while the distributions stay near a standard normal one, from which
new images are drawn. Pixels are black or white: a grey pixel is the probability of
white. Each step of training draws the pixels anew; the validation and the test images
are drawn once, with a fixed seed.

The likelihood of a test image is estimated by 1,000 importance samples. Expected on
MNIST in 9 minutes: -88.2 nats per image on average, where the bound that training
raises is -92.5. If pixels were independent, it would be -205.8. The VAE of Rezende and
Mohamed (2015), whose training images were also drawn only once, reaches -89.9.

Papers: Kingma, Welling, "Auto-encoding variational Bayes", 2013,
https://arxiv.org/abs/1312.6114; Burda, Grosse, Salakhutdinov, "Importance weighted
autoencoders", 2015. https://arxiv.org/abs/1509.00519
"""

import math
from dataclasses import dataclass
from typing import Annotated

from cookbook.start import start

start(__name__)

import keras

from cookbook.config import BatchSize, Between, Count, ImageConfig, Rate, Size
from cookbook.data.batches import training_steps
from cookbook.data.images import Images, load_images
from cookbook.plots.gallery import Snapshots, draw_tiles
from cookbook.reports.finish import Run
from cookbook.reports.latent.autoencoder import binarized, report_autoencoder
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.layers import BatchNormalization, Dense
from custom_layers.models import VariationalAutoencoder
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import CosineDecay

EXPECTED = {"mnist": (-88.2, 0.4)}


@dataclass(frozen=True)
class Config(ImageConfig):
    epochs: Count = 40  # passes over the training set
    units: Size = 500  # units in each of the two hidden layers of both networks
    latent: Size = 50  # length of the latent vector
    # weight of the distance of latent distributions from the standard normal one
    beta: Annotated[float, Between(0, 1000)] = 1.0
    # latent vectors per image and step; several make an importance weighted autoencoder
    samples: Annotated[int, Between(1, 1000)] = 1
    # latent vectors per image that estimate the likelihood of the test images
    test_samples: Annotated[int, Between(1, 10_000)] = 1000
    batch_size: BatchSize = 128  # images per step
    learning_rate: Rate = 3e-3  # first learning rate

    # small batches give more steps; a likelihood of so few images needs no more samples
    in_quick = {"batch_size": 32, "epochs": 10, "test_samples": 100}


def space(hp) -> Config:
    return Config(
        units=hp.Choice("units", [250, 500]),
        latent=hp.Choice("latent", [20, 50]),
        learning_rate=hp.Float("learning_rate", 5e-4, 1e-2, sampling="log"),
    )


def hidden(units: int) -> list[keras.Layer]:
    """Two hidden layers, normalized over the batch, which makes training far faster."""
    layers = []
    for _ in range(2):
        layers += [
            Dense(units, use_bias=False),
            BatchNormalization(momentum=0.9),
            keras.layers.Activation("silu"),
        ]
    return layers


def encoder(config: Config, shape: tuple[int, ...]) -> keras.Model:
    """A network that maps images to means and log variances of latent vectors."""
    layers = [
        keras.Input(shape),
        keras.layers.Flatten(),
        *hidden(config.units),
        Dense(2 * config.latent, dtype="float32"),
    ]
    return keras.Sequential(layers, name="encoder")


def decoder(config: Config, shape: tuple[int, ...]) -> keras.Model:
    """A network that maps latent vectors to logits of the pixels."""
    layers = [
        keras.Input((config.latent,)),
        *hidden(config.units),
        Dense(math.prod(shape), dtype="float32"),
        keras.layers.Reshape(shape, dtype="float32"),
    ]
    return keras.Sequential(layers, name="decoder")


def build(config: Config, data: Images) -> VariationalAutoencoder:
    model = VariationalAutoencoder(
        encoder(config, data.shape),
        decoder(config, data.shape),
        beta=config.beta,
        samples=config.samples,
        value_range=(-1, 1),
    )
    steps = training_steps(config, len(data.train[0]))
    rate = CosineDecay(config.learning_rate, steps, alpha=0.02)
    model.compile(optimizer=Adam(rate), steps_per_execution=10, jit_compile=False)
    return model


def main(config: Config) -> Run:
    images = load_images(config.data, "mnist", config.quick, config.image_size)
    data = binarized(images)
    run = RunFolder.open("mnist_vae", config)
    if config.tune:
        config = search(space, build, data, config, run, score="val_loss")
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run, [Snapshots(draw_tiles, run)])
    return report_autoencoder(model, data, history, run, EXPECTED, config.test_samples)


if __name__ == "__main__":
    launch(main, Config)
