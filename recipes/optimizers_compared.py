"""Optimizers raced on the digits, each at its best learning rate; sizes of batches.

    python recipes/optimizers_compared.py
    python recipes/optimizers_compared.py --steps 1000 --copies 10

Each optimizer tries the same 16 learning rates and keeps that of the least validation
loss; then the pixels get unequal scales. With SGD, a step sees all images, some or one.
Expected, in 50 s: all seven tie at 97 % test accuracy (what one reads, that Adam wins,
did not hold) with rates that differ a thousandfold; on unequal pixels Adam leads SGD by
8 %; full batches leave too few steps; single images gain nothing for 16 times the steps
but, at a tenth of the rate, are no worse. Their paths: optimizer_paths.py.
Paper: Wilson and others, "The marginal value of adaptive gradient methods in machine
learning", 2017. https://arxiv.org/abs/1705.08292
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__)

import numpy as np

from cookbook.config import Count, ExperimentConfig
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.descent import Networks, shuffled, small_digits
from cookbook.plots.figures import draw_lines
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.optimizers import SGD, Adadelta, Adagrad, Adam, RMSprop

RATES = np.geomspace(1e-4, 10, 16)  # the budget: each optimizer tries these
KINDS = {
    "SGD": SGD,
    "momentum": lambda rate: SGD(rate, momentum=0.9),
    "Nesterov": lambda rate: SGD(rate, momentum=0.9, nesterov=True),
    "Adagrad": Adagrad,
    "Adadelta": Adadelta,
    "RMSprop": RMSprop,
    "Adam": Adam,
}


@dataclass(frozen=True)
class Config(ExperimentConfig):
    steps: Count = 300  # gradient steps in the race, on 64 images each
    units: Count = 32  # hidden units of the networks
    copies: Count = 5  # networks from different start weights, averaged
    passes: Count = 5  # over the images, for batches of each size


@dataclass(frozen=True)
class Tuned:
    """Figures of the learning rate whose validation loss was least."""

    rate: float
    accuracies: np.ndarray  # on validation images, at every rate
    losses: np.ndarray  # by step, of the step's own images
    test_loss: float
    test_accuracy: float


def tune(optimizer, parts, batch_size, steps, config):
    """Trains networks at every rate on the same batches and picks the best rate."""
    (x, y), validation, test = parts
    copies = min(config.copies, 3) if config.quick else config.copies
    sizes = 64, config.units, 10
    networks = Networks(optimizer, RATES, sizes, copies, config.seed)
    losses = networks.train(x, y, shuffled(len(x), batch_size, steps, config.seed))
    loss, accuracy = (value.mean(0) for value in networks.evaluate(*validation))
    best = np.nanargmin(loss)
    test_figures = (value.mean(0)[best] for value in networks.evaluate(*test))
    return Tuned(RATES[best], accuracy, losses.mean(1)[:, best], *test_figures)


def smooth(values, count):
    """Means of every `count` values on end."""
    return np.convolve(values, np.ones(count) / count, "valid")


def race(parts, config, title, run, name):
    """All optimizers on the same batches; their losses as a picture."""
    found = {k: tune(f, parts, 64, config.steps, config) for k, f in KINDS.items()}
    lines = {}
    for kind, tuned in found.items():
        losses = smooth(tuned.losses, min(20, config.steps))
        label = f"{kind}, rate {tuned.rate:.2g}: test {tuned.test_accuracy:.1%}"
        lines[label] = np.arange(len(losses)) + 20, losses
        print(f"{name:<12}{label}")
    ylabel = "training loss (mean of 20 steps)"
    draw_lines(lines, title, "gradient steps", ylabel, run, name, yscale="log")
    return found


def compare_batches(parts, config, run):
    """{batch size: Tuned} of SGD, for the same number of passes over the images."""
    count, found, lines = len(parts[0][0]), {}, {}
    for batch_size in (count, 16, 1):
        steps = config.passes * count // batch_size
        found[batch_size] = tuned = tune(SGD, parts, batch_size, steps, config)
        window = max(1, count // 4 // batch_size)  # a quarter of a pass
        losses = smooth(tuned.losses, window)
        label = f"{batch_size} images a step: {steps} steps, rate {tuned.rate:.2g}"
        passes = (np.arange(len(losses)) + window) * batch_size / count
        lines[label] = passes, losses
        print(label, f"test loss {tuned.test_loss:.3f}")
    title = "The same passes: a full batch makes too few steps"
    labels = "passes over the images", "training loss (mean of a quarter pass or more)"
    draw_lines(lines, title, *labels, run, "batches.png", yscale="log")
    return found


def main(config):
    run = RunFolder.open("optimizers_compared", config)
    parts = small_digits(config.seed)
    scale = 10 ** np.random.default_rng(config.seed).uniform(-2, 0, 64)
    unequal = [((x * scale).astype("float32"), y) for x, y in parts]
    title = "At its best learning rate, every optimizer learns the digits"
    equal = race(parts, config, title, run, "race.png")
    title = "On pixels of unequal scale, those that scale each weight lead"
    unequal = race(unequal, config, title, run, "unequal.png")
    lines = {kind: (RATES, 100 * tuned.accuracies) for kind, tuned in equal.items()}
    title = "Optimizers differ in which learning rates work, less in how many"
    labels = "learning rate", "validation accuracy (%)"
    draw_lines(lines, title, *labels, run, "rates.png", xscale="log")
    full, some, one = compare_batches(parts, config, run).values()

    rates = [tuned.rate for tuned in equal.values()]
    right = [tuned.test_accuracy for tuned in equal.values()]
    lead = unequal["Adam"].test_accuracy - unequal["SGD"].test_accuracy
    some_loss = some.test_loss
    claims = [
        Claim("digits: accuracy, best less worst", max(right) - min(right), 0.03, True),
        Claim("largest best rate / smallest", max(rates) / min(rates), 100),
        Claim("unequal pixels: Adam's accuracy less SGD's", lead, 0.02),
        Claim("full batch: test loss, 16 images' x 4", full.test_loss, 4 * some_loss),
        Claim("single images: loss / 16's", one.test_loss / some_loss, 1.5, True),
        Claim("... and not much less", one.test_loss / some_loss, 0.5),
        Claim("rate for 16 images / for one", some.rate / one.rate, 4),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
