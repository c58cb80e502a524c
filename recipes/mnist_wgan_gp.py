"""New handwritten digits with mnist_gan's networks, trained as a Wasserstein GAN.

    python recipes/mnist_wgan_gp.py
    python recipes/mnist_wgan_gp.py --tune 10    (searches for good settings first)

The critic estimates how far the mass of the generated images must be moved to become
the real ones. The estimate is valid only if the critic's gradient has the length 1
between the two, so a penalty pulls it there. Unlike the loss of other GANs, the
critic's loss then tells how good the generated images are. The critic takes several
steps for each step of the generator. Expected on MNIST: a Frechet distance of 1.2,
where training images have 0.12.

Papers: Arjovsky, Chintala, Bottou, "Wasserstein GAN", 2017,
https://arxiv.org/abs/1701.07875; Gulrajani et al., "Improved training of Wasserstein
GANs", 2017. https://arxiv.org/abs/1704.00028
"""

from dataclasses import dataclass
from typing import Annotated

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN halves the time of a convolution

from cookbook.config import (
    BatchSize,
    Between,
    Count,
    Filters,
    ImageConfig,
    Rate,
    Size,
)
from cookbook.data.batches import training_steps
from cookbook.data.images import load_images
from cookbook.plots.gallery import Snapshots, draw_tiles
from cookbook.reports.finish import Run
from cookbook.reports.generated.sample_quality import (
    JudgedImages,
    judged,
    report_images,
)
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.metrics import FrechetDistance
from custom_layers.models import AdversarialModel, GradientPenalty, WassersteinGAN
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import CosineDecay
from recipes import mnist_cnn
from recipes.mnist_gan import critic, generator_of_modes

EXPECTED = {"mnist": (1.2, 0.6)}


@dataclass(frozen=True)
class Config(ImageConfig):
    epochs: Count = 8  # passes over the training set
    filters: Filters = 24  # filters of each network at 14x14 pixels; twice that at 7x7
    latent: Size = 64  # length of the noise vector that becomes an image
    modes: Size = 32  # kinds of image; the first numbers of the noise choose one
    hidden: Size = 512  # hidden units in the generator, and half as many in the critic
    penalty: Rate = 10.0  # weight of the gradient penalty
    # steps of the critic for each step of the generator
    critic_steps: Annotated[int, Between(1, 100)] = 2
    # images per step of the generator; the critic's share them
    batch_size: BatchSize = 64
    learning_rate: Rate = 1e-3  # first learning rate of both networks

    in_quick = {"epochs": 6}


def space(hp) -> Config:
    return Config(
        filters=hp.Choice("filters", [16, 24, 32]),
        penalty=hp.Float("penalty", 0.1, 100.0, sampling="log"),
        critic_steps=hp.Choice("critic_steps", [1, 2, 5]),
        learning_rate=hp.Float("learning_rate", 1e-4, 2e-3, sampling="log"),
    )


def build(config: Config, data: JudgedImages) -> AdversarialModel:
    model = AdversarialModel(
        generator_of_modes(
            data.shape, config.latent, config.filters, config.modes, config.hidden
        ),
        critic(data.shape, config.filters, config.hidden // 2),
        loss=WassersteinGAN(),
        penalty=GradientPenalty(config.penalty),
        critic_steps=config.critic_steps,
    )
    steps = training_steps(config, len(data.train[0]))
    rate = CosineDecay(config.learning_rate, steps, alpha=0.02)
    critic_rate = CosineDecay(
        config.learning_rate, config.critic_steps * steps, alpha=0.02
    )
    model.compile(
        generator_optimizer=Adam(rate, beta_1=0.5, beta_2=0.9),
        critic_optimizer=Adam(critic_rate, beta_1=0.5, beta_2=0.9),
        jit_compile=False,
    )
    model.scores = [FrechetDistance(data.judge)]
    return model


def main(config: Config) -> Run:
    data = load_images(
        config.data, "mnist", config.quick, config.image_size, smallest=22, multiple=4
    )
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
