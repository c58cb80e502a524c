"""New handwritten digits from a Wasserstein GAN whose critic is held to slope 1.

    python recipes/mnist_wgan_gp.py
    python recipes/mnist_wgan_gp.py --tune 10

The critic measures how far mass must be moved from the samples to the digits; a
penalty on its gradient between the two keeps that measure honest. Its loss falls as the
samples get better, which no other GAN's does. No batch normalization in the critic.
Expected on MNIST: a Frechet distance of 9.0 (of training images: 0.12).
Papers: Arjovsky, Chintala, Bottou, "Wasserstein GAN", 2017,
https://arxiv.org/abs/1701.07875; Gulrajani et al., "Improved training of Wasserstein
GANs", 2017. https://arxiv.org/abs/1704.00028
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__, onednn=True)  # halves a convolution's time

import keras

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
    LeakyReLU,
    ReLU,
)
from custom_layers.metrics import FrechetDistance
from custom_layers.models import AdversarialModel, GradientPenalty, WassersteinGAN
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import CosineDecay
from recipes import mnist_cnn

EXPECTED = {"mnist": (9.0, 2.0)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 6  # passes over the training set
    filters: Count = 24  # of each network's layer at 14x14 pixels; twice at 7x7
    latent: Count = 64  # length of the noise vector that becomes an image
    penalty: Rate = 10.0  # weight of the gradient penalty
    critic_steps: Count = 2  # steps of the critic for one of the generator
    batch_size: Count = 64  # images a step, dealt out to the critic's steps
    learning_rate: Rate = 1e-3  # of both networks, at the start


def space(hp):
    return Config(
        filters=hp.Choice("filters", [16, 24, 32]),
        penalty=hp.Float("penalty", 0.1, 100.0, sampling="log"),
        critic_steps=hp.Choice("critic_steps", [1, 2, 5]),
        learning_rate=hp.Float("learning_rate", 1e-4, 2e-3, sampling="log"),
    )


def generator(config, shape):
    height, width, channels = shape
    n, h, w = config.filters, -(-height // 4), -(-width // 4)
    return keras.Sequential(
        [
            keras.Input((config.latent,)),
            Dense(h * w * 2 * n, use_bias=False),
            BatchNormalization(momentum=0.9),
            ReLU(),
            keras.layers.Reshape((h, w, 2 * n)),  # 7, 7, 2n
            Conv2DTranspose(n, 4, 2, "same", use_bias=False),  # 14, 14, n
            BatchNormalization(momentum=0.9),
            ReLU(),
            Conv2DTranspose(channels, 4, 2, "same", activation="tanh"),  # 28, 28, 1
        ]
    )


def critic(config, shape):
    n = config.filters
    return keras.Sequential(
        [
            keras.Input(shape),
            Conv2D(n, 4, 2, "same"),  # 14, 14, n
            LeakyReLU(0.2),
            Conv2D(2 * n, 4, 2, "same"),  # 7, 7, 2n
            LeakyReLU(0.2),
            keras.layers.Flatten(),
            Dense(1),
        ]
    )


def build(config, data):
    networks = generator(config, data.shape), critic(config, data.shape)
    n = config.critic_steps
    model = AdversarialModel(
        *networks, WassersteinGAN(), GradientPenalty(config.penalty), n
    )
    steps = config.epochs * max(1, len(data.train[0]) // config.batch_size)
    rates = (CosineDecay(config.learning_rate, k * steps, alpha=0.02) for k in (1, n))
    optimizers = (Adam(rate, beta_1=0.5, beta_2=0.9) for rate in rates)
    model.compile(*optimizers, jit_compile=False)
    model.scores = [FrechetDistance(data.judge)]
    return model


def main(config):
    data = load_images(config.data, default="mnist", quick=config.quick, smallest=22)
    run = RunFolder.open("mnist_wgan_gp", config)
    data = judged(data, config, mnist_cnn)
    if config.tune:
        config = search(space, build, data, config, run, score="val_frechet_distance")
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run, [Snapshots(draw_tiles, run)])
    return report_images(model, data, history, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
