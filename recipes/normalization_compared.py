"""Normalization: batch, layer, instance and group, over batch sizes from 2 to 256.

    python recipes/normalization_compared.py
    python recipes/normalization_compared.py --groups 8 --passes 6

Which normalization suits which batch size? A convolutional network learns the digits
with each of them, in the same number of passes, at a learning rate in proportion to the
batch size. Batch normalization's answer to an image depends on the other images of its
batch, and more so the fewer they are. Expected, in 60 s: with 2 images per step, batch
normalization has 1.4 times the test loss of group normalization, and from 8 on the best
accuracy; instance normalization erases what pooling would read. The common belief that
the others do not mind the batch size did not hold here: with 256 images and thus few
steps, batch normalization learned twice as much.
Paper: Wu, He, "Group normalization", 2018. https://arxiv.org/abs/1803.08494
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__)

import keras
import numpy as np

from cookbook.config import Count, ExperimentConfig, Filters, Rate, Repeats, Size
from cookbook.errors import fail
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.digits import shuffled, small_digits
from cookbook.lab.training import loss_and_accuracy
from cookbook.plots.figures import draw_lines
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, suit_backend
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

KINDS = ("none", "batch", "layer", "instance", "group")
DRAWN = ("batch", "group")  # whose dependence on the other images is measured
LOSS = SparseCategoricalCrossentropy(from_logits=True)


@dataclass(frozen=True)
class Config(ExperimentConfig):
    passes: Count = 3  # passes over the images, with every batch size
    learning_rate: Rate = 0.1  # step size at 32 images per step
    filters: Filters = 16  # filters in each of three convolutions
    groups: Size = 4  # groups of filters in group normalization
    # networks with different start weights, which are averaged
    repeats: Repeats = 2

    in_quick = {"passes": 2, "repeats": 1}


def build(kind: str, config: Config):
    """Three convolutions, each normalized, from 8x8 to 2x2; pooling; ten classes.

    In x of shape (B, H, W, C), the numbers over these axes share mean and variance:
    batch (B, H, W); layer (H, W, C); instance (H, W); group (H, W, C / groups).
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
    model.compile(SGD(), loss=LOSS, steps_per_execution=20, jit_compile=False)
    return model


def train(model, data, batch_size: int, config: Config, seed: int):
    """(test loss, test accuracy) after `passes` over the images in batches."""
    (x, y), _, (x_test, y_test) = data
    model.optimizer.learning_rate = config.learning_rate * batch_size / 32
    steps = config.passes * len(x) // batch_size
    rows = shuffled(len(x), batch_size, steps, seed).ravel()
    suit_backend(model)
    model.fit(x[rows], y[rows], batch_size, shuffle=False, verbose=0)
    return loss_and_accuracy(model, x_test, y_test, LOSS)


def dependence(model, x, batch_size):
    """Deviation of an image's answers over batches / of answers over images."""
    count = max(64, 4 * batch_size)
    answers = np.empty((4, count, 10))
    for draw, answer in enumerate(answers):
        for rows in shuffled(count, batch_size, count // batch_size, seed=draw):
            outputs = model(x[rows], training=True)
            answer[rows] = keras.ops.convert_to_numpy(outputs)
    over_batches = answers.std(0).mean()
    over_images = answers.mean(0).std(0).mean()
    return over_batches / over_images


@dataclass(frozen=True)
class Measured:
    """What one kind of normalization reaches, by batch size; means over networks."""

    losses: np.ndarray  # on the test images
    accuracies: np.ndarray  # on the test images
    dependence: np.ndarray  # of the answers on the other images of a batch


def measure(kind: str, sizes, config: Config):
    data = [(x.reshape(-1, 8, 8, 1), y) for x, y in small_digits(config.seed)]
    images, _ = data[0]
    model = build(kind, config)
    means = []
    for size in sizes:
        rows = []
        for seed in range(config.seed, config.seed + config.repeats):
            seed_everything(seed)
            model.set_weights(build(kind, config).get_weights())
            figures = train(model, data, size, config, seed)
            others = dependence(model, images, size) if kind in DRAWN else 0
            rows.append((*figures, others))
        means.append(np.mean(rows, 0))
    measured = Measured(*np.transpose(means))
    accuracies = measured.accuracies.round(3)
    print(f"{kind:<9} accuracy with {sizes} images: {accuracies}")
    return measured


def draw(shares, title: str, ylabel: str, sizes, run: RunFolder, name: str):
    """A line for each kind of normalization, by batch size."""
    lines = {kind: (sizes, 100 * share) for kind, share in shares.items()}
    scale = {"xscale": "log", "xticks": sizes, "xticklabels": sizes}
    draw_lines(lines, title, "images per step", ylabel, run, name, **scale)


def claims_of_sizes(sizes, batch, group, instance):
    """What holds for three kinds of normalization, each Measured at `sizes`."""
    i = sizes.index(32)
    best = instance.accuracies.max()
    one, many = batch.dependence[0], batch.dependence[i]
    never = group.dependence.max()
    depend = "normalization's answers depend on the batch by {percent}"
    claims = [
        Claim(
            "With batches of 2, batch normalization has the higher test loss ({})",
            batch.losses[0],
            at_least=1.1 * group.losses[0],
        ),
        Claim(
            "With batches of 2, batch normalization is less accurate ({percent})",
            batch.accuracies[0],
            at_most=group.accuracies[0],
        ),
        Claim(
            "With batches of 32, batch normalization has the lower test loss ({})",
            batch.losses[i],
            at_most=group.losses[i],
        ),
        Claim("Instance normalization reaches {percent} accuracy", best, at_most=0.8),
        Claim(f"With batches of 2, batch {depend}", one, at_least=0.3),
        Claim(f"With batches of 32, batch {depend}", many, at_most=0.25),
        Claim(f"With any batch, group {depend}", never, at_most=1e-3),
    ]
    if 256 in sizes:
        lead = batch.accuracies[-1] - group.accuracies[-1]
        text = "With batches of 256, batch normalization leads by {points} of accuracy"
        claims.append(Claim(text, lead, at_least=0.1))
    return claims


def main(config: Config) -> Run:
    if config.filters % config.groups:
        fail(f"--groups got {config.groups}, expected a divisor of {config.filters}")
    run = RunFolder.open("normalization_compared", config)
    sizes = [2, 32] if config.quick else [2, 8, 32, 128, 256]
    found = {kind: measure(kind, sizes, config) for kind in KINDS}

    accuracies = {kind: measured.accuracies for kind, measured in found.items()}
    title = "With 2 images per step batch normalization is behind, from 8 on ahead"
    draw(accuracies, title, "test accuracy (%)", sizes, run, "accuracy.svg")
    shares = {kind: found[kind].dependence for kind in DRAWN}
    title = "Batch normalization's answer to an image depends on its batch"
    ylabel = "deviation from batch to batch\n(% of that from image to image)"
    draw(shares, title, ylabel, sizes, run, "dependence.svg")

    compared = (found[kind] for kind in ("batch", "group", "instance"))
    return conclude(run, claims_of_sizes(sizes, *compared))


if __name__ == "__main__":
    launch(main, Config)
