"""Normalization: batch, layer, instance and group, over batch sizes from 2 to 256.

    python recipes/normalization_compared.py
    python recipes/normalization_compared.py --groups 8 --passes 6

A convolutional network learns the digits, each time in the same passes, with a learning
rate in proportion to the batch size. What batch normalization says of an image depends
on the other images of its batch, the more the fewer they are. Expected, in 60 s: with 2
images batch normalization has 1.4 times the test loss of group normalization, from 8 on
the best accuracy; instance normalization erases what pooling would read. What one reads
and did not hold here: the others do not mind the batch size (with 256 images and thus
few steps, batch normalization learned twice as much).
Paper: Wu, He, "Group normalization", 2018. https://arxiv.org/abs/1803.08494
"""

from dataclasses import dataclass, replace
from itertools import product

from cookbook.start import start

start(__name__)

import keras
import numpy as np

from cookbook.config import Count, ExperimentConfig, Rate
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.descent import shuffled, small_digits
from cookbook.plots.figures import draw_lines
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything
from custom_layers.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    GroupNormalization,
    InstanceNormalization,
    LayerNormalization,
)
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import SGD

KINDS = "none", "batch", "layer", "instance", "group"
DRAWN = "batch", "group"  # whose dependence on the other images is measured


@dataclass(frozen=True)
class Config(ExperimentConfig):
    passes: Count = 3  # over the images, with every batch size
    learning_rate: Rate = 0.1  # step size at 32 images a step
    filters: Count = 16  # of each of three convolutions
    groups: Count = 4  # groups of filters in group normalization
    repeats: Count = 2  # networks from different start weights, averaged


def build(kind, config):
    """Three convolutions, 8x8 to 2x2, each normalized; the mean over places; classes.

    What shares a mean and a variance, in x of shape (B, H, W, C):
    batch (B, H, W); layer (H, W, C); instance (H, W); group (H, W, C / groups)
    """
    normalization = {
        "none": keras.layers.Identity,
        "batch": lambda: BatchNormalization(momentum=0.9),
        "layer": lambda: LayerNormalization(axis=[1, 2, 3]),
        "instance": InstanceNormalization,
        "group": lambda: GroupNormalization(config.groups),
    }
    model = keras.Sequential([keras.Input((8, 8, 1))])
    for strides in (1, 2, 2):
        model.add(Conv2D(config.filters, 3, strides, padding="same"))
        model.add(normalization[kind]())
        model.add(keras.layers.ReLU())
    model.add(keras.layers.GlobalAveragePooling2D())
    model.add(Dense(10))
    loss = SparseCategoricalCrossentropy(from_logits=True)
    model.compile(SGD(), loss, steps_per_execution=20, jit_compile=False)
    return model


def train(model, start, data, batch_size, config, seed):
    """(test loss, test accuracy) after `passes` over the images in batches."""
    (x, y), _, (x_test, y_test) = data
    model.set_weights(start)
    model.optimizer.learning_rate = config.learning_rate * batch_size / 32
    steps = config.passes * len(x) // batch_size
    rows = shuffled(len(x), batch_size, steps, seed).ravel()
    model.fit(x[rows], y[rows], batch_size, shuffle=False, verbose=0)
    z = np.array(model(x_test))
    loss = SparseCategoricalCrossentropy(from_logits=True)(y_test, z)
    return float(loss), np.mean(z.argmax(-1) == y_test)


def dependence(model, x, batch_size):
    """Deviation of an image's answer from batch to batch / from image to image."""
    count = max(64, 4 * batch_size)
    answers = np.empty((4, count, 10))
    for draw, answer in enumerate(answers):
        for rows in shuffled(count, batch_size, count // batch_size, seed=draw):
            answer[rows] = model(x[rows], training=True)
    return answers.std(0).mean() / answers.mean(0).std(0).mean()


def measure(kind, sizes, config):
    """Losses, accuracies and dependence by batch size, means of `repeats` networks."""
    data = [(x.reshape(-1, 8, 8, 1), y) for x, y in small_digits(config.seed)]
    model, rows = build(kind, config), []
    for size, repeat in product(sizes, range(config.repeats)):
        seed = config.seed + repeat
        seed_everything(seed)
        start = build(kind, config).get_weights()
        figures = train(model, start, data, size, config, seed)
        others = dependence(model, data[0][0], size) if kind in DRAWN else 0
        rows.append((*figures, others))
    losses, right, depends = np.reshape(rows, (len(sizes), -1, 3)).mean(1).T
    print(f"{kind:<9} accuracy with {sizes} images: {right.round(3)}")
    return losses, right, depends


def draw(values, title, ylabel, sizes, run, name):
    """A line for each kind of normalization, by batch size."""
    lines = {kind: (sizes, 100 * share) for kind, share in values.items()}
    scale = {"xscale": "log", "xticks": sizes, "xticklabels": sizes}
    draw_lines(lines, title, "images a step", ylabel, run, name, **scale)


def main(config):
    run = RunFolder.open("normalization_compared", config)
    sizes = [2, 8, 32, 128, 256]
    if config.quick:
        sizes, config = [2, 32], replace(config, passes=2, repeats=1)
    found = {kind: measure(kind, sizes, config) for kind in KINDS}
    losses, right, depends = (dict(zip(KINDS, part)) for part in zip(*found.values()))
    title = "With 2 images a step batch normalization is behind, from 8 on ahead"
    draw(right, title, "test accuracy (%)", sizes, run, "accuracy.png")
    title = "What batch normalization says of an image depends on its batch"
    ylabel = "deviation from batch to batch\n(% of that from image to image)"
    drawn = {kind: depends[kind] for kind in DRAWN}
    draw(drawn, title, ylabel, sizes, run, "dependence.png")

    middle, best = sizes.index(32), max(right["instance"])
    batch, group, others = losses["batch"], losses["group"], depends["batch"]
    claims = [
        Claim("2 images: batch norm.'s test loss", batch[0], 1.1 * group[0]),
        Claim("... its accuracy", right["batch"][0], right["group"][0], True),
        Claim("32 images: batch norm.'s test loss", batch[middle], group[middle], True),
        Claim("instance norm.'s best accuracy", best, 0.8, True),
        Claim("batch norm.'s dependence on 1 other image", others[0], 0.3),
        Claim("... on 31 others", others[middle], 0.25, True),
        Claim("group norm.'s dependence", max(depends["group"]), 1e-3, True),
    ]
    if 256 in sizes:
        lead = right["batch"][-1] - right["group"][-1]
        claims += [Claim("256 images: accuracy, batch norm. less group", lead, 0.1)]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
