"""Handwritten digits with a multilayer perceptron: two hidden layers on raw pixels.

    python recipes/mnist_mlp.py
    python recipes/mnist_mlp.py --tune 10    (searches for good settings first)

In training, each image is shifted by up to two pixels. Expected: 99.0 % test accuracy
on MNIST after 150 s of processor time. The well-known Keras example mnist_mlp, which
does not shift its images, reaches 98.4 %.

Paper: Simard, Steinkraus, Platt, "Best practices for convolutional neural networks
applied to visual document analysis", 2003. https://doi.org/10.1109/ICDAR.2003.1227801
"""

from dataclasses import dataclass
from typing import Literal

from cookbook.start import start

start(__name__)

import keras

from cookbook.config import (
    BatchSize,
    Count,
    ImageClassConfig,
    Portion,
    Rate,
    Share,
    Size,
)
from cookbook.data.batches import training_steps
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
    Dense,
    Dropout,
    RandomAffine,
    ReLU,
)
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import SGD, Adam
from custom_layers.optimizers.schedules import WarmupCosine

EXPECTED = {"mnist": (0.9902, 0.001)}


@dataclass(frozen=True)
class Config(ImageClassConfig):
    epochs: Count = 20  # passes over the training set
    shift: Share = 2 / 28  # in training, images shift by up to this share of a side
    units: Size = 512  # units in each hidden layer
    dropout: Portion = 0.3  # share of the units that are set to zero in training
    batch_size: BatchSize = 128  # images per step
    optimizer: Literal["adam", "sgd"] = "adam"  # rule by which the weights change
    momentum: Portion = 0.9  # share of a step that the next one repeats; of sgd only
    learning_rate: Rate = 3e-3  # highest learning rate, at the end of the warm-up

    def idle(self) -> dict[str, str]:
        if self.optimizer == "sgd" or self.tune:
            return super().idle()
        return super().idle() | {"momentum": "without --optimizer sgd"}


def space(hp) -> Config:
    optimizer = hp.Choice("optimizer", ["adam", "sgd"])
    with hp.conditional_scope("optimizer", ["sgd"]):
        momentum = hp.Float("momentum", 0.5, 0.95, step=0.15)
    return Config(
        optimizer=optimizer,
        momentum=momentum,
        units=hp.Choice("units", [256, 512, 1024]),
        dropout=hp.Float("dropout", 0.1, 0.5, step=0.1),
        learning_rate=hp.Float("learning_rate", 5e-4, 0.2, sampling="log"),
    )


def build(config: Config, data: Images) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input(data.shape),
            keras.layers.Rescaling(1 / 255),
            RandomAffine(config.shift, config.shift, fill_mode="constant"),
            keras.layers.Flatten(),
            Dense(config.units, use_bias=False, kernel_initializer=HeNormal()),
            BatchNormalization(momentum=0.9),
            ReLU(),
            Dropout(config.dropout),
            Dense(config.units, use_bias=False, kernel_initializer=HeNormal()),
            BatchNormalization(momentum=0.9),
            ReLU(),
            Dropout(config.dropout),
            Dense(len(data.classes), dtype="float32"),
        ]
    )
    steps = training_steps(config, len(data.train[0]))
    rate = WarmupCosine(config.learning_rate, steps)
    optimizer = Adam(rate)
    if config.optimizer == "sgd":
        optimizer = SGD(rate, momentum=config.momentum)
    model.compile(
        optimizer=optimizer,
        loss=SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=10,
        jit_compile=False,
    )
    return model


def main(config: Config) -> Run:
    data = load_images(config.data, "mnist", config.quick, config.image_size)
    run = RunFolder.open("mnist_mlp", config)
    if config.tune:
        config = search(space, build, data, config, run)
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    return report_classifier(model, data, history, run, EXPECTED)


if __name__ == "__main__":
    launch(main, Config)
