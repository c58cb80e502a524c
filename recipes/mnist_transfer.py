"""Transfer learning: what digits 0 to 4 taught helps to read 5 to 9 at 99.6 %.

    python recipes/mnist_transfer.py
    python recipes/mnist_transfer.py --data cifar10 --backbone MobileNetV2

A network of four convolutional blocks learns the first half of the classes. Its lower
blocks are frozen, and new upper ones learn the other half. With --backbone the frozen
part is a network of keras.applications, its weights ImageNet's or a file's, and a new
answer on top of it learns all classes. Expected: 99.6 % of the digits 5 to 9 in 3
minutes of processor time; the well-known Keras example has 99.2 %.
Paper: Yosinski et al., "How transferable are features in deep neural networks?", 2014,
https://arxiv.org/abs/1411.1792
"""

from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import Annotated

from cookbook.start import start

start(__name__, onednn=True)  # halves a convolution's time

import keras

from cookbook.config import Between, Count, Rate, TrainingConfig
from cookbook.data.images import load_images
from cookbook.reports.image_classifier import report_classifier
from cookbook.trained.backbones import load_backbone
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
    ReLU,
)
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import OneCycle

EXPECTED = {"mnist": (0.996, 0.002)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 8  # passes over the second half of the classes
    first_epochs: Count = 8  # passes over the first half
    frozen: Annotated[int, Between(1, 4)] = 2  # of four blocks, those that are kept
    filters: Count = 16  # filters of the first block; the others have 2, 4, 6 times
    backbone: str = "own"  # own, or a name in keras.applications: all classes at once
    weights: str = "imagenet"  # of that backbone: imagenet, or a file of weights
    side: Count = 96  # that backbone sees images enlarged to at least this side
    batch_size: Count = 128  # images a step
    learning_rate: Rate = 1e-2  # peak


def space(hp):
    return Config(
        batch_size=hp.Choice("batch_size", [64, 128, 256]),
        learning_rate=hp.Float("learning_rate", 1e-3, 3e-2, sampling="log"),
    )


def block(filters, pool):
    convolution = Conv2D(filters, 3, use_bias=False, kernel_initializer=HeNormal())
    return [
        convolution,
        *([MaxPooling2D()] if pool else []),
        BatchNormalization(momentum=0.9),
        ReLU(),
    ]


def blocks(n):
    return (
        block(n, pool=True),  # 13, 13, n
        block(2 * n, pool=False),  # 11, 11, 2n
        block(4 * n, pool=True),  # 4, 4, 4n
        block(6 * n, pool=False),  # 2, 2, 6n
    )


def compiled(model, config, data):
    steps = config.epochs * (len(data.train[0]) // config.batch_size)
    model.compile(
        optimizer=Adam(OneCycle(config.learning_rate, max(steps, 4)), beta_2=0.99),
        loss=SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=10,
        jit_compile=False,  # XLA slows a convolution's gradient on a CPU 2 to 5 times
    )
    return model


def learn_features(config, data):
    """The lower blocks of a network that learned the classes of `data`."""
    images = keras.Input(data.shape)  # 28, 28, 1
    varied = [
        keras.layers.Rescaling(1 / 255),
        keras.layers.RandomTranslation(2 / 28, 2 / 28, "constant"),
        keras.layers.RandomRotation(10 / 360, "constant"),
    ]
    all_blocks = blocks(config.filters)
    lower = keras.Sequential([images, *varied, *chain(*all_blocks[: config.frozen])])
    upper = [*chain(*all_blocks[config.frozen :]), GlobalAveragePooling2D()]
    answer = Dense(len(data.classes))
    model = keras.Sequential([images, *lower.layers, *upper, answer])
    first = replace(config, epochs=config.first_epochs, resume=False)
    train(compiled(model, first, data), data, first)
    return lower


def build(config, data, features):
    """New blocks and a new answer on top of frozen features."""
    features.trainable = False
    own = config.backbone == "own"
    new = blocks(config.filters)[config.frozen :] if own else []
    x = features.outputs[0]  # H, W, C
    for layer in [*chain(*new), GlobalAveragePooling2D(), Dense(len(data.classes))]:
        x = layer(x)
    return compiled(keras.Model(features.inputs[0], x), config, data)


def main(config):
    own = config.backbone == "own"
    side = 22 if own else 1  # a backbone enlarges its images
    data = load_images(config.data, "mnist", config.quick, smallest=side)
    run = RunFolder.open("mnist_transfer", config)
    seed_everything(config.seed)
    if own:
        half = len(data.classes) // 2
        features = learn_features(config, data.only(0, half))
        data = data.only(half, len(data.classes))
    else:
        features = load_backbone(
            config.backbone, config.weights, data.shape, config.side
        )
    if config.tune:
        make = partial(build, features=features)
        config = search(space, make, data, config, run)
    seed_everything(config.seed)
    model = build(config, data, features)
    history = train(model, data, config, run)
    return report_classifier(model, data, history, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
