"""A digit that was never learned: a GAN of the others finds it as an anomaly.

    python recipes/gan_anomaly.py
    python recipes/gan_anomaly.py --odd-one 2

One class is kept out of training and search. A GAN learns the others, then an encoder E
to invert its frozen generator G (f-AnoGAN). Its loss is the anomaly score, how far an
image x is from what comes back, in pixels and in the critic's features f:
    A(x) = mean (x - G(E(x)))^2 + kappa * mean (f(x) - f(G(E(x))))^2
Expected for 4s, in 5 minutes: ROC AUC 0.863; the critic's score alone has 0.69, the
distance to a plane of 64 principal axes 0.598 (as good on --quick's digits).
Settings were chosen by hand on validation images with 4s: 0.866, 0.70, 0.599.
Papers, both of Schlegl et al.: "Unsupervised anomaly detection with generative
adversarial networks to guide marker discovery", 2017, https://arxiv.org/abs/1703.05921;
"f-AnoGAN: fast unsupervised anomaly detection with generative adversarial networks",
2019. https://doi.org/10.1016/j.media.2019.01.010
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated

from cookbook.start import start

start(__name__, onednn=True)  # halves a convolution's time

import keras
from keras import ops

from cookbook.config import Between, Count, Rate, TrainingConfig
from cookbook.data.images import load_images
from cookbook.plots.gallery import Snapshots, draw_contest, draw_motion, draw_tiles
from cookbook.reports.generated.anomaly_detection import (
    in_batches,
    odd_one_out,
    report_anomalies,
)
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
from custom_layers.losses import MeanAbsoluteError
from custom_layers.metrics import principal_subspace_distance
from custom_layers.models import AdversarialModel, GradientPenalty, NonSaturatingGAN
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import CosineDecay

EXPECTED = {"mnist": (0.863, 0.02)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 6  # passes of the encoder over the training set
    gan_epochs: Count = 6  # passes of the GAN before
    odd_one: Annotated[int, Between(0)] = 4  # class that is kept out of training
    filters: Count = 16  # of each network's layer at 14x14 pixels; twice at 7x7
    latent: Count = 64  # length of the noise vector that becomes an image
    penalty: Rate = 0.5  # weight of the critic's squared gradient at real images
    kappa: Rate = 10.0  # weight of the distance in the critic's features
    batch_size: Count = 64  # images a step
    gan_rate: Rate = 1e-3  # learning rate of generator and critic, at the start
    learning_rate: Rate = 2e-3  # of the encoder, at the start


def space(hp):
    return Config(
        batch_size=hp.Choice("batch_size", [32, 64, 128]),
        learning_rate=hp.Float("learning_rate", 2e-4, 5e-3, sampling="log"),
    )


def generator(config, shape):
    height, width, channels = shape
    n, h, w = config.filters, -(-height // 4), -(-width // 4)
    layers = [
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
    return keras.Sequential(layers)


def convolutions(config, shape, outputs, name):
    n = config.filters
    layers = [
        keras.Input(shape),
        Conv2D(n, 4, 2, "same"),  # 14, 14, n
        LeakyReLU(0.2),
        Conv2D(2 * n, 4, 2, "same"),  # 7, 7, 2n
        LeakyReLU(0.2),
        keras.layers.Flatten(),
        Dense(outputs),
    ]
    return keras.Sequential(layers, name=name)


def decaying(rate, config, data):
    steps = config.epochs * max(1, len(data.train[0]) // config.batch_size)
    return Adam(CosineDecay(rate, steps, alpha=0.02), beta_1=0.5)


def make_gan(config, data):
    G = generator(config, data.shape)
    D = convolutions(config, data.shape, 1, "critic")
    penalty = GradientPenalty(config.penalty, target=0, at="real")
    gan = AdversarialModel(G, D, NonSaturatingGAN(), penalty)
    optimizers = [decaying(config.gan_rate, config, data) for _ in (G, D)]
    gan.compile(*optimizers, jit_compile=False)
    return gan


def build(config, data, gan):
    """The anomaly scores of images; all that can be trained in it is the encoder."""
    gan.trainable = False
    f = keras.Model(gan.critic.inputs[0], gan.critic.layers[-2].output)
    x = keras.Input(data.shape)
    E = convolutions(config, data.shape, config.latent, "encoder")
    again = gan.generator(E(x), training=False)  # 28, 28, 1
    apart = ops.mean(ops.square(x - again), axis=(1, 2, 3))
    apart_in_f = ops.mean(ops.square(f(x) - f(again)), axis=-1)
    model = keras.Model(x, apart + config.kappa * apart_in_f)  # B
    # Labels are 0 and scores positive: the error is the normal images' mean score.
    optimizer = decaying(config.learning_rate, config, data)
    model.compile(optimizer, MeanAbsoluteError(), jit_compile=False)
    return model


def main(config):
    images = load_images(config.data, default="mnist", quick=config.quick)
    data = odd_one_out(images, config.odd_one)
    run = RunFolder.open("gan_anomaly", config)
    if config.quick:  # more steps; the digits' 64 pixels are no plane of 64 axes
        config = replace(config, batch_size=32, latent=16)
    seed_everything(config.seed)
    first = replace(config, epochs=config.gan_epochs)
    gan, pictures = make_gan(first, data), [Snapshots(draw_tiles, run)]
    draw_contest(train(gan, data, first, run.part("gan"), pictures), run)
    draw_motion(run)
    if config.tune:
        config = search(space, partial(build, gan=gan), data, config, run, "val_loss")
    seed_everything(config.seed)
    model = build(config, data, gan)
    history = train(model, data, config, run)
    E, G, D = map(in_batches, (model.get_layer("encoder"), gan.generator, gan.critic))
    scores = {
        "f-AnoGAN": in_batches(model),
        "critic alone": lambda x: -D(x)[:, 0],
        "principal subspace": principal_subspace_distance(data.train[0], config.latent),
    }
    return report_anomalies(
        model, scores, lambda x: G(E(x)), data, history, run, EXPECTED
    )


if __name__ == "__main__":
    launch(main, Config)
