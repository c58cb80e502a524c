"""Learning-rate schedules in equal steps: constant, falling, warm-up, cycles.

    python recipes/schedules_compared.py
    python recipes/schedules_compared.py --steps 2000 --wrong 0

Does it matter how the learning rate changes? Networks learn digits, a tenth of which
have a wrong label, with eight schedules. Each tries the same 13 highest rates and keeps
the one of the least validation loss, in a long training and in one of a tenth of the
steps.
Expected, in half a minute: a constant rate ends with 1.4 times the loss of one that
falls, and all that fall are within a point of accuracy; cosine may begin at 1.8 times
the constant rate. Three common beliefs did not hold for these small networks: a warm-up
bears no higher rate, restarts gain nothing, and in a tenth of the steps a constant rate
is nearly as good as the best.
Papers: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts",
2016, https://arxiv.org/abs/1608.03983; Smith and Topin, "Super-convergence", 2017,
https://arxiv.org/abs/1708.07120
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cookbook.start import start

start(__name__)

import numpy as np

from cookbook.config import BatchSize, Count, ExperimentConfig, Repeats, Share, Size
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.digits import mislabel, shuffled, small_digits
from cookbook.lab.networks import Networks
from cookbook.lab.pictures import moving_average
from cookbook.plots.figures import draw_lines
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.optimizers import SGD
from custom_layers.optimizers.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    OneCycle,
    PiecewiseConstantDecay,
    PolynomialDecay,
    WarmupCosine,
)

RATES = np.geomspace(3e-3, 3, 13)  # highest rates that each schedule tries
# Schedules over T steps whose highest rate is 1. The restarts come after 1/7 and 3/7.
SCHEDULES: dict[str, Callable] = {
    "constant": lambda T: PiecewiseConstantDecay([T], [1.0, 1.0]),
    "steps": lambda T: PiecewiseConstantDecay([T // 2, T * 3 // 4], [1.0, 0.1, 0.01]),
    "exponential": lambda T: ExponentialDecay(1.0, T, 1e-3),
    "straight line": lambda T: PolynomialDecay(1.0, T, 0.0),
    "cosine": lambda T: CosineDecay(1.0, T),
    "warm-up, cosine": lambda T: WarmupCosine(1.0, T),
    "one cycle": lambda T: OneCycle(1.0, T),
    "restarts": lambda T: CosineDecayRestarts(1.0, T / 7),
}


@dataclass(frozen=True)
class Config(ExperimentConfig):
    steps: Count = 500  # gradient steps of a long training
    batch_size: BatchSize = 16  # images per step
    wrong: Share = 0.1  # share of the training digits that gets a wrong label
    units: Size = 32  # hidden units of each network
    # trainings with different seeds, which are averaged
    repeats: Repeats = 3

    in_quick = {"steps": 300, "repeats": 1}


@dataclass(frozen=True)
class Measured:
    """What networks reach with one schedule, by its highest rate, (RATES,)."""

    losses: np.ndarray  # on validation digits
    accuracies: np.ndarray  # on validation digits
    test_losses: np.ndarray
    test_accuracies: np.ndarray
    history: np.ndarray  # validation losses, (steps, RATES)

    @property
    def best(self) -> int:
        """The place of the rate with the least validation loss."""
        return int(np.nanargmin(self.losses))


def scheduled(schedule: Callable) -> Callable:
    """Makes an optimizer from highest rates: the schedule is a share of each."""

    def optimizer(rates: Callable) -> SGD:
        made = SGD(lambda: rates() * schedule(made.iterations), momentum=0.9)
        return made

    return optimizer


def measure(kind: str, steps: int, config: Config) -> Measured:
    """Trains networks with a schedule at every rate, as the mean over all seeds."""
    rows = []
    histories = []

    for seed in range(config.seed, config.seed + config.repeats):
        (x, y), validation, test = small_digits(seed)
        y = mislabel(y, config.wrong, np.random.default_rng(seed))
        sizes = 64, config.units, 10
        optimizer = scheduled(SCHEDULES[kind](steps))
        networks = Networks(optimizer, RATES, sizes, 1, seed)
        batches = shuffled(len(x), config.batch_size, steps, seed)
        watched = networks.train(x, y, batches, watch=[validation])
        histories.append(watched[:, 0, 0, 0])  # (steps, rates)
        figures = [*networks.evaluate(*validation), *networks.evaluate(*test)]
        rows.append(np.concatenate(figures))  # of the only copy
    means = [*np.mean(rows, 0), np.mean(histories, 0)]

    measured = Measured(*means)
    best = measured.best
    print(
        f"{kind:<16}{steps:6d} steps: best rate {RATES[best]:.2g}, "
        f"test loss {measured.test_losses[best]:.3f}, "
        f"accuracy {measured.test_accuracies[best]:.3f}"
    )

    return measured


def draw_schedules(config: Config, run: RunFolder) -> None:
    T = config.steps
    steps = np.arange(T)

    lines = {
        kind: (steps, [float(schedule(T)(step)) for step in steps])
        for kind, schedule in SCHEDULES.items()
    }

    title = "Eight ways from the highest learning rate to the end of the training"
    labels = "gradient steps", "share of the highest learning rate"

    draw_lines(lines, title, *labels, run, "schedules.png")


def draw_rates(found: dict[str, Measured], run: RunFolder) -> None:
    lines = {kind: (RATES, each.losses) for kind, each in found.items()}

    title = "A rate that falls may begin higher, and ends lower"
    labels = "highest learning rate", "validation loss at the end"
    settings: dict[str, Any] = {"xscale": "log", "yscale": "log", "ylim": (0.1, 3)}

    draw_lines(lines, title, *labels, run, "rates.png", **settings)


def draw_history(found: dict[str, Measured], run: RunFolder) -> None:
    lines = {}

    for kind, each in found.items():
        losses = moving_average(each.history[:, each.best], 10)
        lines[f"{kind}, rate {RATES[each.best]:.2g}"] = np.arange(len(losses)), losses

    title = "A falling rate ends calm and low, a restart loses for a while what was won"
    labels = "gradient steps", "validation loss (mean of 10 steps)"
    draw_lines(lines, title, *labels, run, "history.png", ylim=(0.1, 1))


def highest(measured: Measured) -> float:
    """The highest rate at which the networks still reach 80 % of the validation."""
    return RATES[measured.accuracies > 0.8].max()


def claims_of_schedules(long: dict[str, Measured], short: dict[str, Measured]):
    """What holds for the schedules, each at its best highest rate."""
    losses = {kind: m.test_losses[m.best] for kind, m in long.items()}
    brief = {kind: m.test_losses[m.best] for kind, m in short.items()}
    accuracies = [m.test_accuracies[m.best] for k, m in long.items() if k != "constant"]
    rate = {kind: RATES[measured.best] for kind, measured in long.items()}
    constant = losses["constant"] / min(losses.values())
    in_short = brief["constant"] / min(brief.values())
    apart = np.ptp(accuracies)
    larger = rate["cosine"] / rate["constant"]
    borne = highest(long["warm-up, cosine"]) / highest(long["cosine"])

    history = long["restarts"].history[:, long["restarts"].best]
    place = len(history) * 3 // 7  # of the second restart
    jump = history[place : place + len(history) // 20].max() / history[place - 1]

    return [
        Claim("A constant rate ends with {} times the loss", constant, at_least=1.1),
        Claim("The falling rates are within {points} of accuracy", apart, at_most=0.03),
        Claim("Cosine begins at {} times the constant rate", larger, at_least=1.5),
        Claim("A warm-up bears {} times cosine's highest rate", borne, at_most=1.5),
        Claim("A restart raises the loss by a factor of {}", jump, at_least=1.05),
        Claim(
            "In a tenth of the steps, a constant rate has {} times the least loss",
            in_short,
            at_most=1.25,
        ),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("schedules_compared", config)
    short_steps = max(20, config.steps // 10)
    long = {kind: measure(kind, config.steps, config) for kind in SCHEDULES}
    short = {kind: measure(kind, short_steps, config) for kind in SCHEDULES}
    draw_schedules(config, run)
    draw_rates(long, run)
    draw_history(long, run)

    return conclude(run, claims_of_schedules(long, short))


if __name__ == "__main__":
    launch(main, Config)
