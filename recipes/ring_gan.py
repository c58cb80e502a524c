"""Mode collapse and its cure: eight Gaussians on a ring, learned by two small GANs.

    python recipes/ring_gan.py
    python recipes/ring_gan.py --tune 10

The plain GAN's generator drops some of the eight modes, since nothing tells it to keep
them. The cure CURE. Points within three
standard deviations of a mode are of high quality; 2,500 are drawn, as in the papers.
Expected: EXPECTED.
Papers: Lin et al., "PacGAN: the power of two samples in generative adversarial
networks", 2018, https://arxiv.org/abs/1712.04086; Mescheder, Geiger, Nowozin, "Which
training methods for GANs do actually converge?", 2018.
https://arxiv.org/abs/1801.04406
"""

from dataclasses import dataclass, replace

import keras

from cookbook.cli import Count, Rate, Run, parse
from cookbook.data.ring import load_ring
from cookbook.gallery import Snapshots, draw_points
from cookbook.run_folder import RunFolder
from cookbook.scoreboard import ModeOverlap, report_ring
from cookbook.training import seed_everything, train
from cookbook.tuning import search
from custom_layers.activations.rectifiers import LeakyReLU, ReLU
from custom_layers.adversarial.losses import NonSaturatingGAN
from custom_layers.adversarial.model import AdversarialModel
from custom_layers.adversarial.penalty import GradientPenalty
from custom_layers.dense import Dense
from custom_layers.optimizers.adaptive import Adam
from custom_layers.schedules import CosineDecay

EXPECTED = {"ring": (0.97, 0.02)}


@dataclass(frozen=True)
class Config(Run):
    epochs: Count = 40  # passes over the 25,600 points
    units: Count = 128  # of each of the two hidden layers
    latent: Count = 2  # length of the noise vector that becomes a point
    pack: Count = 1  # points that the critic sees at once
    penalty: float = 0.1  # weight of the gradient penalty at real and generated points
    batch_size: Count = 128  # points a step
    learning_rate: Rate = 1e-3  # of both networks, at the start


def space(hp):
    return Config(
        units=hp.Choice("units", [64, 128, 256]),
        penalty=hp.Float("penalty", 0.01, 10.0, sampling="log"),
        learning_rate=hp.Float("learning_rate", 2e-4, 5e-3, sampling="log"),
    )


def build(config, data):
    n = config.units
    generator = keras.Sequential(
        [
            keras.Input((config.latent,)),
            Dense(n),
            ReLU(),
            Dense(n),
            ReLU(),
            Dense(2),
        ]
    )
    critic = keras.Sequential(
        [
            keras.Input((2 * config.pack,)),
            Dense(n),
            LeakyReLU(0.2),
            Dense(n),
            LeakyReLU(0.2),
            Dense(1),
        ]
    )
    penalty = None
    if config.penalty:
        penalty = GradientPenalty(config.penalty, target=0, at="both")
    model = AdversarialModel(
        generator, critic, NonSaturatingGAN(), penalty, pack=config.pack
    )
    steps = config.epochs * (len(data.train[0]) // config.batch_size)
    rate = CosineDecay(config.learning_rate, steps)
    model.compile(
        Adam(rate, beta_1=0.5),
        Adam(rate, beta_1=0.5),
        steps_per_execution=5,
        jit_compile=True,  # small layers: what XLA saves is the overhead of each
    )
    model.scores = [ModeOverlap(data.centres, data.spread)]
    return model


def main(config):
    data = load_ring(config.data)
    run = RunFolder.open("ring_gan", config)
    if config.tune:
        config = search(space, build, data, config, run, score="val_mode_overlap")
    plain = replace(config, pack=1, penalty=0.0, resume=False)
    models = []
    for name, settings in (("plain", plain), ("cure", config)):
        seed_everything(config.seed)
        models.append(build(settings, data))
        picture = Snapshots(draw_points, run, 1000, name=name)
        folder = run if settings is config else None
        history = train(models[-1], data, settings, folder, [picture])
    report_ring(*models, data, history, run, EXPECTED)


if __name__ == "__main__":
    main(parse(Config))
