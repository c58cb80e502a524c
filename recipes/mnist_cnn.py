"""Handwritten digits with a small convolutional network: 61,786 weights, 99.5 %.

    python recipes/mnist_cnn.py
    python recipes/mnist_cnn.py --tune 10       (searches for good settings first)
    python recipes/mnist_cnn.py --ensemble 5    (five networks answer together)

Each block convolves, pools, normalizes and applies ReLU. Pooling comes before the
normalization because it leaves only a quarter of the values to normalize. In training,
images are shifted and turned a little. Expected: 99.5 % test accuracy on MNIST, in
about 40 s on two idle cores. The well-known keras-io convnet reaches 99.2 %.

Papers: LeCun et al., "Gradient-based learning applied to document recognition", 1998,
https://doi.org/10.1109/5.726791; Smith, Topin, "Super-convergence", 2017,
https://arxiv.org/abs/1708.07120
"""

import math
from dataclasses import dataclass, replace

from cookbook.start import start

start(__name__, onednn=True)  # oneDNN halves the time of a convolution

import keras
from keras import ops

from cookbook.config import (
    BatchSize,
    Count,
    Filters,
    ImageClassConfig,
    Rate,
    Repeats,
    Share,
)
from cookbook.data.augmentation import without_augmentation
from cookbook.data.batches import for_few, training_steps
from cookbook.data.images import Images, load_images
from cookbook.reports.finish import Run
from cookbook.reports.image_classifier import report_classifier
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.initializers import HeNormal
from custom_layers.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    RandomAffine,
    ReLU,
)
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import WarmupCosine
from custom_layers.regularizers import L2

EXPECTED = {"mnist": (0.9954, 0.001)}


@dataclass(frozen=True)
class Config(ImageClassConfig):
    epochs: Count = 6  # passes over the training set
    filters: Filters = 16  # filters in block 1; the next have 2, 3 and 6 times as many
    shift: Share = 2 / 28  # in training, images shift by up to this share of a side
    turn: Share = 10 / 360  # in training, images turn by up to this share of a circle
    penalty: Share = 1e-5  # L2 penalty on the weights of the last layer
    batch_size: BatchSize = 256  # images per step
    learning_rate: Rate = 1.4e-2  # highest learning rate, at the end of the warm-up
    # networks, each trained with another seed, whose probabilities are averaged
    ensemble: Repeats = 1


def space(hp) -> Config:
    return Config(
        filters=hp.Choice("filters", [8, 12, 16]),
        shift=hp.Float("shift", 0.0, 0.12, step=0.04),
        turn=hp.Float("turn", 0.0, 0.04, step=0.01),
        batch_size=hp.Choice("batch_size", [128, 256, 512]),
        learning_rate=hp.Float("learning_rate", 1e-3, 3e-2, sampling="log"),
    )


def block(filters: int, pool: bool) -> list[keras.Layer]:
    """The layers of one block: convolution, pooling if `pool`, normalization, ReLU."""
    convolution = Conv2D(filters, 3, use_bias=False, kernel_initializer=HeNormal())
    return [
        convolution,
        *([MaxPooling2D()] if pool else []),
        BatchNormalization(momentum=0.9),
        ReLU(),
    ]


def build(config: Config, data: Images) -> keras.Model:
    n = config.filters
    model = keras.Sequential(
        [
            keras.Input(data.shape),  # 28, 28, 1
            keras.layers.Rescaling(1 / 255),
            RandomAffine(
                config.shift,
                config.shift,
                rotation=config.turn,
                fill_mode="constant",
            ),
            *block(n, pool=True),  # 13, 13, n
            *block(2 * n, pool=False),  # 11, 11, 2n
            *block(3 * n, pool=True),  # 4, 4, 3n
            *block(6 * n, pool=False),  # 2, 2, 6n
            GlobalAveragePooling2D(),
            Dense(
                len(data.classes),
                kernel_regularizer=L2(config.penalty),
                dtype="float32",  # also where the layers below compute in 16 bits
            ),
        ]
    )
    steps = training_steps(config, len(data.train[0]))
    model.compile(
        optimizer=Adam(
            WarmupCosine(config.learning_rate, steps, warmup=0.2), beta_2=0.99
        ),
        loss=SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=10,
        jit_compile=False,  # XLA slows a convolution's gradient on a CPU 2 to 5 times
    )
    return model


def train_ensemble(
    config: Config, data: Images, run: RunFolder
) -> tuple[keras.Model, list[dict]]:
    """(a network with the mean probability of several, the history of the last one)."""
    images = keras.Input(data.shape)
    log_probabilities = []
    for member in range(config.ensemble):
        seed = (config.ensemble * config.seed + member) % 2**31
        settings = replace(config, seed=seed)
        print(f"Network {member + 1} of {config.ensemble} learns, with seed {seed}")
        seed_everything(seed)
        network = build(settings, data)
        history = train(network, data, settings, run.part(f"network_{member + 1}"))
        logits = without_augmentation(network)(images)
        log_probabilities.append(ops.log_softmax(logits))
    total = ops.logsumexp(ops.stack(log_probabilities), axis=0)
    return keras.Model(images, total - math.log(config.ensemble)), history


def main(config: Config) -> Run:
    data = load_images(
        config.data, "mnist", config.quick, config.image_size, smallest=22
    )
    config = for_few(config, len(data.train[0]))
    run = RunFolder.open("mnist_cnn", config)
    if config.tune:
        config = search(space, build, data, config, run)
    if config.ensemble > 1:
        model, history = train_ensemble(config, data, run)
    else:
        seed_everything(config.seed)
        model = build(config, data)
        history = train(model, data, config, run)
    return report_classifier(model, data, history, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
