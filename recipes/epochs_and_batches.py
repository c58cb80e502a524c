"""Epochs and batches: learning curves, batch sizes with learning rates, a range test.

    python recipes/epochs_and_batches.py
    python recipes/epochs_and_batches.py --wrong 0 --passes 20

How long, in which batches, and at which rate? Small networks learn the digits: for many
epochs from a few of them, some with wrong labels; with each pair of a batch size and a
learning rate; and once at a rate that grows until the loss explodes (a range test).
Expected, in 20 s: the validation loss rises again after 22 of 100 epochs; in equal
epochs batches of 4 are best, in equal steps batches of 64 or more. Two common beliefs
did not hold here: that the best rate is in proportion to the batch size (64 times the
images want 2.5 times the rate, since training explodes at larger rates), and that one
should take a tenth of the rate at which the range test's loss is least (this costs 22
points of accuracy for want of steps; the rate of the range test itself was right).
Papers: Smith, "Cyclical learning rates for training neural networks", 2017,
https://arxiv.org/abs/1506.01186; Goyal et al., "Accurate, large minibatch SGD", 2017,
https://arxiv.org/abs/1706.02677
"""

from dataclasses import dataclass
from typing import Annotated, Any

from cookbook.start import start

start(__name__)

import numpy as np

from cookbook.config import Between, Count, ExperimentConfig, Repeats, Share, Size
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.digits import mislabel, shuffled, small_digits
from cookbook.lab.networks import Networks
from cookbook.lab.pictures import draw_heat_map, moving_average
from cookbook.plots.figures import draw_lines
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.optimizers import SGD
from custom_layers.optimizers.schedules import ExponentialDecay

RATES = np.geomspace(1e-3, 10, 21)  # learning rates that are tried
SIZES = (4, 16, 64, 256)  # images per step


@dataclass(frozen=True)
class Config(ExperimentConfig):
    # examples that are learned for many epochs
    few: Annotated[int, Between(1, 900)] = 200
    wrong: Share = 0.1  # share of these examples that gets a wrong label
    epochs: Count = 100  # passes over these examples
    passes: Count = 5  # passes over 900 images, with each batch size
    units: Size = 32  # hidden units of each network
    # networks with different start weights, which are averaged
    copies: Repeats = 5

    in_quick = {"copies": 2}


def networks(config: Config, rates, optimizer):
    sizes = 64, config.units, 10
    return Networks(optimizer, rates, sizes, config.copies, config.seed)


def overfit(x, y, validation, config: Config):
    """(losses, accuracies), each (epochs, 2): of a few examples and of validation."""
    n = config.few
    x = x[:n]
    y = mislabel(y[:n], config.wrong, np.random.default_rng(config.seed))

    steps = max(1, n // 20)  # of an epoch, on 20 examples each
    rows = shuffled(n, 20, config.epochs * steps, config.seed)
    parts = (x, y), validation
    figures = networks(config, [0.3], SGD).train(x, y, rows, watch=parts)[::steps]
    figures = figures.mean((3, 4))  # (epochs, parts, loss or accuracy)
    return figures[..., 0], figures[..., 1]


def sweep(x, y, validation, steps_of, config: Config):
    """Validation accuracies, (SIZES, RATES), after steps_of(size) steps."""
    found = []
    for size in SIZES:
        trained = networks(config, RATES, SGD)
        trained.train(x, y, shuffled(len(x), size, steps_of(size), config.seed))
        _, accuracies = trained.evaluate(*validation)  # (copies, rates)
        found.append(accuracies.mean(0))
    return np.array(found)


def range_test(x, y, steps, config: Config):
    """(rates, losses) of a training whose rate grows from the least to the largest."""
    growth = RATES[-1] / RATES[0]
    schedule = ExponentialDecay(RATES[0], steps, growth)
    trained = networks(config, [1.0], lambda _: SGD(schedule))

    losses = trained.train(x, y, shuffled(len(x), 64, steps, config.seed))
    losses = losses.mean((1, 2))  # (steps,)

    rates = RATES[0] * growth ** (np.arange(steps) / steps)
    return moving_average(rates, 5), moving_average(losses, 5)


def draw_epochs(losses, run: RunFolder):
    epochs = np.arange(len(losses))
    lines = {"training": (epochs, losses[:, 0]), "validation": (epochs, losses[:, 1])}
    title = "The validation loss rises again while the training loss falls"
    draw_lines(lines, title, "epoch", "loss", run, "curves.svg", ylim=(0, 2))


def draw_sizes(by_pass, by_step, run: RunFolder):
    title = "Larger batches want larger rates, up to the rate at which all explode"
    map_labels = "learning rate", "images per step", "validation accuracy (%)"
    draw_heat_map(100 * by_pass, SIZES, RATES, map_labels, title, run, "rates.png")

    lines = {
        "equal epochs": (SIZES, 100 * by_pass.max(1)),
        "equal steps": (SIZES, 100 * by_step.max(1)),
    }
    title = "In equal epochs small batches win, in equal steps larger ones"
    labels = "images per step", "validation accuracy (%) at the best rate"
    ticks: dict[str, Any] = {"xticks": SIZES, "xticklabels": SIZES}
    draw_lines(lines, title, *labels, run, "sizes.svg", xscale="log", **ticks)


def draw_range(rates, losses, run: RunFolder):
    lines = {"one training at a growing rate": (rates, losses)}
    title = "The range test's loss is least near the best rate, and explodes beyond"
    labels = "learning rate", "training loss (mean of 5 steps)"
    draw_lines(lines, title, *labels, run, "range.svg", xscale="log", ylim=(0, 5))


def claims_of_epochs(losses, accuracies):
    """What holds for many epochs on few examples."""
    learned, loss = losses.T
    right = accuracies[:, 1]
    turn = loss.argmin()
    rise, fall = loss[-1] / loss[turn], learned[-1] / learned[turn]
    lost = right[turn] - right[-1]

    later = f"From epoch {turn} to the last,"
    return [
        Claim("The validation loss is least after {} epochs", turn, at_most=50),
        Claim(f"{later} the validation loss grows {{}} times", rise, at_least=1.2),
        Claim(f"{later} the training loss falls to {{percent}}", fall, at_most=0.5),
        Claim(f"{later} accuracy falls by {{points}}", lost, at_least=0.02),
    ]


def claims_of_sizes(by_pass, by_step):
    """What holds for batch sizes in equal epochs and in equal steps."""
    rates = RATES[by_pass.argmax(1)]
    print("best rates", *(f"{rate:.2g}" for rate in rates))
    four, some, _, most = rates
    small = by_pass[0].max() - by_pass[3].max()
    larger = by_step[2].max() - by_step[0].max()
    largest = by_step[3].max() - by_step[2].max()

    return [
        Claim("Batches of 16 want {} times the rate of 4", some / four, at_least=2),
        Claim("Batches of 256 want {} times the rate of 16", most / some, at_most=4),
        Claim(
            "In equal epochs, batches of 4 lead 256 by {points}", small, at_least=0.1
        ),
        Claim("In equal steps, batches of 64 lead 4 by {points}", larger, at_least=0.1),
        Claim("In equal steps, 256 lead 64 by {points}", largest, at_most=0.08),
    ]


def claims_of_range(rates, losses, accuracies):
    """What holds for the rate at which the range test's loss is least."""
    least = rates[np.nanargmin(losses)]
    best = RATES[accuracies.argmax()]
    apart = max(least / best, best / least)
    reached = np.interp([least, least / 10], RATES, accuracies)
    lost, tenth = accuracies.max() - reached

    return [
        Claim(
            "The range test's rate is off the best one by a factor of {}",
            apart,
            at_most=3,
        ),
        Claim("The range test's rate costs {points} of accuracy", lost, at_most=0.05),
        Claim("A tenth of that rate costs {points} of accuracy", tenth, at_least=0.1),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("epochs_and_batches", config)

    training, others, _ = small_digits(config.seed)
    x, y = (part[:900] for part in training)
    validation = [np.r_[part[900:], other] for part, other in zip(training, others)]

    losses, accuracies = overfit(x, y, validation, config)
    draw_epochs(losses, run)

    steps = config.passes * len(x) // 64
    by_pass = sweep(x, y, validation, lambda size: steps * 64 // size, config)
    by_step = sweep(x, y, validation, lambda size: steps, config)
    draw_sizes(by_pass, by_step, run)

    rates, tested = range_test(x, y, steps, config)
    draw_range(rates, tested, run)

    claims = [
        *claims_of_epochs(losses, accuracies),
        *claims_of_sizes(by_pass, by_step),
        *claims_of_range(rates, tested, by_pass[SIZES.index(64)]),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
