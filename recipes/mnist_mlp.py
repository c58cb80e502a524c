"""Handwritten digits with a multilayer perceptron: two hidden layers on raw pixels.

    python recipes/mnist_mlp.py
    python recipes/mnist_mlp.py --tune 10

Images are shifted by up to two pixels in training. Expected: 99.0 % test accuracy on
MNIST in 150 s of processor time; the well-known Keras mnist_mlp, which shifts
nothing, reaches 98.4 %. Paper: Simard, Steinkraus, Platt, "Best practices for
convolutional neural networks applied to visual document analysis", 2003.
https://doi.org/10.1109/ICDAR.2003.1227801
"""

from dataclasses import dataclass

import keras

from cookbook.cli import Count, Rate, Run, Share, parse
from cookbook.data.images import load_images
from cookbook.report import report_classifier
from cookbook.run_folder import RunFolder
from cookbook.training import seed_everything, train
from cookbook.tuning import search
from custom_layers.activations.rectifiers import ReLU
from custom_layers.dense import Dense
from custom_layers.dropout import Dropout
from custom_layers.initializers.random_draws import HeNormal
from custom_layers.losses.classification import SparseCategoricalCrossentropy
from custom_layers.normalization.batch import BatchNormalization
from custom_layers.optimizers.adaptive import Adam
from custom_layers.schedules import CosineDecay

EXPECTED = {"mnist": (0.9902, 0.001)}


@dataclass(frozen=True)
class Config(Run):
    epochs: Count = 20  # passes over the training set
    shift: Share = 2 / 28  # images move by up to this share of their side
    units: Count = 512  # units in each hidden layer
    dropout: Share = 0.3  # share of units silenced in training
    batch_size: Count = 128  # images a step
    learning_rate: Rate = 3e-3  # peak, after the warm-up


def space(hp):
    return Config(
        units=hp.Choice("units", [256, 512, 1024]),
        dropout=hp.Float("dropout", 0.1, 0.5, step=0.1),
        learning_rate=hp.Float("learning_rate", 5e-4, 1e-2, sampling="log"),
    )


def build(config, data):
    model = keras.Sequential(
        [
            keras.Input(data.shape),
            keras.layers.Rescaling(1 / 255),
            keras.layers.RandomTranslation(config.shift, config.shift, "constant"),
            keras.layers.Flatten(),
            Dense(config.units, use_bias=False, kernel_initializer=HeNormal()),
            BatchNormalization(momentum=0.9),
            ReLU(),
            Dropout(config.dropout),
            Dense(config.units, use_bias=False, kernel_initializer=HeNormal()),
            BatchNormalization(momentum=0.9),
            ReLU(),
            Dropout(config.dropout),
            Dense(len(data.classes)),
        ]
    )
    steps = config.epochs * max(1, len(data.train[0]) // config.batch_size)
    model.compile(
        optimizer=Adam(
            CosineDecay(
                initial_learning_rate=config.learning_rate / 20,
                warmup_target=config.learning_rate,
                warmup_steps=steps // 10,
                decay_steps=steps - steps // 10,
            )
        ),
        loss=SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=10,
        jit_compile=False,
    )
    return model


def main(config):
    data = load_images(config.data, default="mnist", quick=config.quick)
    run = RunFolder.open("mnist_mlp", config)
    if config.tune:
        config = search(space, build, data, config, run)
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    report_classifier(model, data, history, run, EXPECTED)


if __name__ == "__main__":
    main(parse(Config))
