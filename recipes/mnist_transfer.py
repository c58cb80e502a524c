"""Transfer learning: what digits 0 to 4 taught, frozen, reads 5 to 9 at 99.5 %.

    python recipes/mnist_transfer.py
    python recipes/mnist_transfer.py --data cifar10 --backbone MobileNetV2

A small convolutional network learns the first half of the classes; its blocks are
frozen and a new head on top of them learns the other half. With --backbone the blocks
are those of a network of keras.applications, its weights ImageNet's or a file's, and
the head learns all classes. Expected: 99.5 % of the digits 5 to 9; the well-known
Keras example has 99.2 %.
Paper: Yosinski et al., "How transferable are features in deep neural networks?", 2014,
https://arxiv.org/abs/1411.1792
"""

from dataclasses import dataclass, replace
from functools import partial

import keras

from cookbook.backbones import load_backbone
from cookbook.cli import Count, Rate, Run, Share, parse
from cookbook.data.images import load_images
from cookbook.report import report_classifier
from cookbook.run_folder import RunFolder
from cookbook.training import seed_everything, train
from cookbook.tuning import search
from custom_layers.activations.rectifiers import ReLU
from custom_layers.convolution.standard import Conv2D
from custom_layers.dense import Dense
from custom_layers.dropout import Dropout
from custom_layers.initializers.random_draws import HeNormal
from custom_layers.losses.classification import SparseCategoricalCrossentropy
from custom_layers.normalization.batch import BatchNormalization
from custom_layers.optimizers.adaptive import Adam
from custom_layers.pooling import GlobalAveragePooling2D, MaxPooling2D
from custom_layers.warmup_schedules import OneCycle

EXPECTED = {"mnist": (0.995, 0.001)}


@dataclass(frozen=True)
class Config(Run):
    epochs: Count = 8  # passes over the second half of the classes
    first_epochs: Count = 8  # passes over the first half
    backbone: str = "own"  # own, or a name in keras.applications: all classes at once
    weights: str = "imagenet"  # of that backbone: imagenet, or a file of weights
    side: Count = 96  # that backbone sees images enlarged to at least this side
    filters: Count = 16  # filters of our own first block; the others have 2, 4 times
    units: Count = 128  # hidden units of the head
    rate: Share = 0.3  # share of them dropped in training
    batch_size: Count = 128  # images a step
    learning_rate: Rate = 5e-3  # peak


def space(hp):
    return Config(
        units=hp.Choice("units", [64, 128, 256]),
        rate=hp.Float("rate", 0.0, 0.6, step=0.1),
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-2, sampling="log"),
    )


def block(filters, pool):
    convolution = Conv2D(filters, 3, use_bias=False, kernel_initializer=HeNormal())
    return [
        convolution,
        *([MaxPooling2D()] if pool else []),
        BatchNormalization(momentum=0.9),
        ReLU(),
    ]


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
    """A model from images to feature maps, learned on the classes of `data`."""
    n = config.filters
    images = keras.Input(data.shape)  # 28, 28, 1
    features = keras.Sequential(
        [
            images,
            keras.layers.Rescaling(1 / 255),
            keras.layers.RandomTranslation(2 / 28, 2 / 28, "constant"),
            keras.layers.RandomRotation(10 / 360, "constant"),
            *block(n, pool=True),  # 13, 13, n
            *block(2 * n, pool=False),  # 11, 11, 2n
            *block(4 * n, pool=True),  # 4, 4, 4n
        ]
    )
    top = [*block(6 * n, pool=False), GlobalAveragePooling2D()]
    top.append(Dense(len(data.classes)))
    first = replace(config, epochs=config.first_epochs, resume=False)
    model = keras.Sequential([images, *features.layers, *top])
    train(compiled(model, first, data), data, first)
    return features


def build(config, data, features):
    """A new head on frozen features."""
    features.trainable = False
    x = features.outputs[0]
    if config.backbone == "own":
        x = keras.layers.Flatten()(x)  # 4 * 4 * 4n
    else:
        x = GlobalAveragePooling2D()(x)
    x = Dense(config.units, use_bias=False, kernel_initializer=HeNormal())(x)
    x = BatchNormalization(momentum=0.9)(x)
    x = ReLU()(x)
    x = Dropout(config.rate)(x)
    x = Dense(len(data.classes))(x)
    return compiled(keras.Model(features.inputs[0], x), config, data)


def main(config):
    data = load_images(config.data, default="mnist", quick=config.quick)
    run = RunFolder.open("mnist_transfer", config)
    seed_everything(config.seed)
    if config.backbone == "own":
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
    report_classifier(model, data, history, run, EXPECTED)


if __name__ == "__main__":
    main(parse(Config))
