"""Epochs and batches: learning curves, batch sizes with learning rates, a range test.

    python recipes/epochs_and_batches.py
    python recipes/epochs_and_batches.py --wrong 0 --passes 20

Small networks learn the digits: for many epochs from a few, some labelled wrong; with
each pair of a batch size and a learning rate; with a rate that grows until it explodes.
Expected, in 20 s: the validation loss turns after 22 epochs of 100; with equal epochs 4
images a step win, with equal steps 64 or more. What one reads and did not hold here:
the best rate is in proportion to the batch size (64 times the images want 3 times the
rate, larger ones explode); one takes a tenth of the range test's best (22 % of accuracy
lost for want of steps; its best was right).
Papers: Smith, "Cyclical learning rates for training neural networks", 2017,
https://arxiv.org/abs/1506.01186; Goyal et al., "Accurate, large minibatch SGD", 2017,
https://arxiv.org/abs/1706.02677
"""

from dataclasses import dataclass, replace

from cookbook.start import start

start(__name__)

import numpy as np

from cookbook.config import Count, ExperimentConfig, Share
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.descent import Networks, shuffled, small_digits
from cookbook.plots.figures import draw_lines, panel, save_figure
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.optimizers import SGD
from custom_layers.optimizers.schedules import ExponentialDecay

RATES = np.geomspace(1e-3, 10, 21)
SIZES = (4, 16, 64, 256)  # images a step


@dataclass(frozen=True)
class Config(ExperimentConfig):
    few: Count = 200  # examples to learn in many epochs
    wrong: Share = 0.1  # share of them with a wrong label
    epochs: Count = 100  # of these
    passes: Count = 5  # over 900 images, with every batch size
    units: Count = 32  # hidden units of the networks
    copies: Count = 5  # networks from different start weights, averaged


def networks(config, rates=(0.3,), optimizer=SGD):
    sizes = 64, config.units, 10
    return Networks(optimizer, rates, sizes, config.copies, config.seed)


def overfit(x, y, validation, config):
    """Losses and accuracies, each (epochs, 2), of few examples and of validation."""
    rng, n = np.random.default_rng(config.seed), config.few
    x, y = x[:n], y[:n]
    y = (y + (rng.random(n) < config.wrong) * rng.integers(1, 10, n)) % 10
    steps = max(1, n // 20)  # an epoch
    rows = shuffled(n, 20, config.epochs * steps, config.seed)
    figures = networks(config).train(x, y, rows, [(x, y), validation])[::steps]
    return np.moveaxis(figures.mean((3, 4)), 2, 0)


def sweep(x, y, validation, steps_of, config):
    """Validation accuracies (SIZES, RATES) after steps_of(size) steps."""
    found = []
    for size in SIZES:
        trained, steps = networks(config, RATES), steps_of(size)
        trained.train(x, y, shuffled(len(x), size, steps, config.seed))
        found.append(trained.evaluate(*validation)[1].mean(0))
    return np.array(found)


def range_test(x, y, steps, config):
    """(rates, losses) of steps whose rate grows from the least to the largest."""
    growth = RATES[-1] / RATES[0]
    schedule = ExponentialDecay(RATES[0], steps, growth)
    trained = networks(config, [1.0], lambda _: SGD(schedule))
    losses = trained.train(x, y, shuffled(len(x), 64, steps, config.seed))
    rates = RATES[0] * growth ** (np.arange(steps) / steps)
    smooth = np.ones(5) / 5
    return [np.convolve(v, smooth, "valid") for v in (rates, losses.mean((1, 2)))]


def draw_epochs(losses, run):
    lines = zip(("training", "validation"), losses.T)
    lines = {name: (np.arange(len(loss)), loss) for name, loss in lines}
    title = "The validation loss turns, the training loss goes on falling"
    draw_lines(lines, title, "epoch", "loss", run, "curves.png", ylim=(0, 2))


def draw_rates(accuracies, run):
    title = "Larger batches want larger rates, up to the rate at which all explode"
    figure, axes = panel(title, "learning rate", "images a step", size=(8, 3.2))
    image = axes.imshow(100 * accuracies, "cividis", aspect="auto", origin="lower")
    axes.set_xticks(range(0, len(RATES), 5), [f"{rate:g}" for rate in RATES[::5]])
    axes.set_yticks(range(len(SIZES)), SIZES)
    axes.plot(accuracies.argmax(1), range(len(SIZES)), "o", color="black", ms=8)
    figure.colorbar(image, label="validation accuracy (%)\n(dot: the best)")
    save_figure(figure, run, "rates.png")


def draw_sizes(by_pass, by_step, run):
    lines = {"equal epochs": (SIZES, 100 * by_pass)}
    lines["equal steps"] = SIZES, 100 * by_step
    title = "With equal epochs small batches win, with equal steps larger ones"
    labels = "images a step", "validation accuracy (%), best rate"
    scale = {"xscale": "log", "xticks": SIZES, "xticklabels": SIZES}
    draw_lines(lines, title, *labels, run, "sizes.png", **scale)


def draw_range(rates, losses, run):
    lines = {"one training, its rate growing": (rates, losses)}
    title = "The range test's loss is least near the best rate, and explodes beyond"
    labels = "learning rate", "training loss (mean of 5 steps)", run, "range.png"
    draw_lines(lines, title, *labels, xscale="log", ylim=(0, 5))


def main(config):
    run = RunFolder.open("epochs_and_batches", config)
    if config.quick:
        config = replace(config, copies=2)
    (x, y), validation, _ = small_digits(config.seed)
    validation = [np.r_[a[900:], b] for a, b in zip((x, y), validation)]
    x, y = x[:900], y[:900]

    losses, accuracies = overfit(x, y, validation, config)
    draw_epochs(losses, run)
    steps = config.passes * len(x) // 64
    by_pass = sweep(x, y, validation, lambda size: steps * 64 // size, config)
    by_step = sweep(x, y, validation, lambda size: steps, config)
    draw_rates(by_pass, run)
    draw_sizes(by_pass.max(1), by_step.max(1), run)
    rates, tested = range_test(x, y, steps, config)
    draw_range(rates, tested, run)

    (learned, loss), right = losses.T, accuracies[:, 1]
    turn, top, top_steps = loss.argmin(), by_pass.max(1), by_step.max(1)
    four, some, many, most = RATES[by_pass.argmax(1)]
    print(f"best rates {four:.2g}, {some:.2g}, {many:.2g}, {most:.2g}")
    least = rates[np.nanargmin(tested)]
    apart = max(least / many, many / least)
    lost = by_pass[2].max() - np.interp([least, least / 10], RATES, by_pass[2])
    claims = [
        Claim("epoch at which the validation loss turns", turn, 50, True),
        Claim("... it at the end / there", loss[-1] / loss[turn], 1.2),
        Claim("... training loss likewise", learned[-1] / learned[turn], 0.5, True),
        Claim("... accuracy lost since", right[turn] - right[-1], 0.02),
        Claim("best rate, 16 images / 4", some / four, 2),
        Claim("best rate, 256 images / 16", most / some, 4, True),
        Claim("equal epochs: accuracy, 4 images less 256", top[0] - top[3], 0.1),
        Claim("equal steps: 64 less 4", top_steps[2] - top_steps[0], 0.1),
        Claim("... 256 less 64", top_steps[3] - top_steps[2], 0.08, True),
        Claim("range test's rate / best, up or down", apart, 3, True),
        Claim("accuracy lost at that rate", lost[0], 0.05, True),
        Claim("... at a tenth of it", lost[1], 0.1),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
