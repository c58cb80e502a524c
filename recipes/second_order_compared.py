"""Newer optimizers against SGD and Adam: loss per gradient step, and per second.

    python recipes/second_order_compared.py
    python recipes/second_order_compared.py --steps 1000 --wrong 0

Do optimizers that look beyond one slope pay off? Networks learn digits, a tenth of
which have a wrong label, in equal steps, with nine optimizers, each at the best of ten
learning rates. Muon, Shampoo and SOAP shape a step by matrices. SAM takes the slope at
the worst point nearby. SWA, Lookahead and the schedule-free AdamW average weights.
Expected, in two minutes: the mean of the last weights, SWA, has three quarters of SGD's
test loss. SOAP comes as low as Adam in 70 % of the steps, each of which takes twice as
long, so that Adam is first. Two common beliefs did not hold for these small networks:
SAM gains nothing over SGD, and Muon does not come as low as Adam (103 %). We had
expected the opposite; the bounds of these claims now follow the measurement.
Papers: Gupta, Koren, Singer, "Shampoo: preconditioned stochastic tensor optimization",
2018, https://arxiv.org/abs/1802.09568; Foret et al., "Sharpness-aware minimization for
efficiently improving generalization", 2020, https://arxiv.org/abs/2010.01412
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cookbook.start import start

start(__name__)

import keras
import numpy as np

from cookbook.config import (
    Count,
    ExperimentConfig,
    Repeats,
    Share,
    Size,
)
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.digits import Part, mislabel, shuffled, small_digits
from cookbook.lab.pictures import draw_panels
from cookbook.lab.training import averaged, loss_and_accuracy, start_anew, timed_steps
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything
from custom_layers.layers import Dense
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import (
    SAM,
    SGD,
    SOAP,
    SWA,
    Adam,
    Lookahead,
    Muon,
    ScheduleFreeAdamW,
    Shampoo,
)

LOSS = SparseCategoricalCrossentropy(from_logits=True)
BATCH = 32  # images per step
EVERY = 10  # steps between two measurements

KINDS: dict[str, Callable] = {  # optimizers for a training of T steps
    "SGD": lambda T: SGD(momentum=0.9),
    "SAM": lambda T: SAM(SGD(momentum=0.9)),
    "SWA": lambda T: SWA(SGD(momentum=0.9), T // 2, average_period=1),
    "Adam": lambda T: Adam(),
    "Lookahead": lambda T: Lookahead(Adam(), sync_period=5),
    "schedule-free": lambda T: ScheduleFreeAdamW(),
    "Muon": lambda T: Muon(weight_decay=None, adam_weight_decay=None),
    "Shampoo": lambda T: Shampoo(),
    "SOAP": lambda T: SOAP(),
}

GROUPS = {  # optimizers that are drawn together
    "means": ("SGD", "Adam", "SAM", "SWA", "Lookahead", "schedule-free"),
    "matrices": ("SGD", "Adam", "Muon", "Shampoo", "SOAP"),
}
IN_QUICK = ("SGD", "SAM", "Adam", "SOAP")  # optimizers that --quick compares

WORDS = {  # what is compared: the sentence about it
    "loss": "{} has {{}} times the test loss of {}",
    "steps": "{} needs {{percent}} of the steps to come as low as {}",
}

BOUNDS: tuple[tuple[str, str, str, dict], ...] = (
    ("SAM", "SGD", "loss", {"at_least": 0.85}),
    ("SWA", "SGD", "loss", {"at_most": 1}),
    ("Lookahead", "Adam", "loss", {"at_most": 1.05}),
    ("schedule-free", "Adam", "loss", {"at_most": 1}),
    ("Muon", "Adam", "steps", {"at_least": 0.9}),
    ("SOAP", "Adam", "steps", {"at_most": 0.8}),
)


@dataclass(frozen=True)
class Config(ExperimentConfig):
    steps: Count = 300  # gradient steps of each training
    wrong: Share = 0.1  # share of the training digits that gets a wrong label
    units: Size = 64  # units in each of two hidden layers
    rates: Repeats = 10  # learning rates that each optimizer tries, from 0.001 to 1
    repeats: Repeats = 3  # seeds of each training, whose results are averaged

    in_quick = {"steps": 100, "rates": 4, "repeats": 1}


@dataclass(frozen=True)
class Measured:
    """What an optimizer reaches at its best learning rate; means over the seeds."""

    curve: np.ndarray  # validation losses after every EVERY steps
    loss: float  # on the test digits, at the end
    accuracy: float  # on the test digits, at the end
    seconds: float  # for one step, where it was fastest

    def figure(self, what: str, low: float) -> float:
        """The loss, or the points of the curve until it is this low."""
        is_low = np.append(self.curve, -np.inf) <= low
        points = int(is_low.argmax()) + 1

        return points if what == "steps" else self.loss


def split(kind: str, config: Config, seed: int) -> list[Part]:
    """(x, y) of all steps on 1,000 digits, of 437 to validate, and of 360 to test."""
    *parts, test = small_digits(seed)
    x, y = (np.concatenate(part) for part in zip(*parts))

    wrong = mislabel(y[:1000], config.wrong, np.random.default_rng(seed))
    rows = shuffled(1000, BATCH, config.steps, seed)

    if kind == "SAM":
        rows = np.repeat(rows, 2, axis=0)  # each batch twice in a row

    learned = x[rows.ravel()], wrong[rows.ravel()]

    return [learned, (x[1000:], y[1000:]), test]


def build(kind: str, config: Config, seed: int) -> keras.Model:
    seed_everything(seed)
    model = keras.Sequential([keras.Input((64,))])

    for _ in range(2):
        model.add(Dense(config.units, "relu"))

    model.add(Dense(10))

    optimizer = KINDS[kind](config.steps)
    model.compile(optimizer, LOSS, steps_per_execution=EVERY, jit_compile=False)

    return model


def train(
    model: keras.Model, fresh: keras.Model, data: list[Part], rate: float, points: int
):
    """(validation losses at so many points, (loss, accuracy) of the test digits,
    seconds) of a training that begins with the weights of `fresh`.
    """
    (x, y), validation, test = data
    start_anew(model, fresh)
    model.optimizer.learning_rate = rate
    pieces = {"epochs": points, "steps_per_epoch": len(x) // (BATCH * points)}
    losses = []

    def watch(epoch, logs=None):
        losses.append(loss_and_accuracy(averaged(model), *validation, LOSS)[0])

    watching = keras.callbacks.LambdaCallback(on_epoch_end=watch)
    seconds = timed_steps(model, x, y, BATCH, callbacks=[watching], **pieces)

    seconds = seconds * len(x) / BATCH

    return losses, loss_and_accuracy(averaged(model), *test, LOSS), seconds


def measure(kind: str, config: Config) -> Measured:
    """Tries every rate with every seed, and watches the trainings at the best one."""
    rates = np.geomspace(1e-3, 1, config.rates)
    seeds = range(config.seed, config.seed + config.repeats)

    starts = [(build(kind, config, seed), split(kind, config, seed)) for seed in seeds]

    model = build(kind, config, config.seed)
    fresh, data = starts[0]
    train(model, fresh, data, rates[0], 1)  # compiles the step

    tried = [[train(model, *start, rate, 1) for rate in rates] for start in starts]

    losses = [[at_end for (at_end,), _, _ in found] for found in tried]
    rate = rates[np.nanargmin(np.mean(losses, 0))]

    seconds = min(row[-1] for found in tried for row in found) / config.steps

    points = max(1, config.steps // EVERY)
    watched = [train(model, *start, rate, points) for start in starts]
    curves, tests, _ = zip(*watched)

    loss, accuracy = np.mean(tests, 0)

    print(f"{kind:<14} rate {rate:.2g}, {seconds:.5f} s a step, test loss {loss:.3f}")

    return Measured(np.mean(curves, 0), loss, accuracy, seconds)


def draw(found: dict[str, Measured], run: RunFolder) -> None:
    panels: dict[str, dict] = {}

    for name, kinds in GROUPS.items():
        for kind in filter(found.get, kinds):
            each = found[kind]
            done = (np.arange(len(each.curve)) + 1) / len(each.curve)

            times = each.seconds / found["SGD"].seconds

            for scale, by in ((1, "steps"), (times, "time")):
                heading = f"{name}, by {by}"
                panels.setdefault(heading, {})[kind] = scale * done, each.curve

    title = "A mean of the last weights ends lowest; matrices save steps, not time"
    labels = "share of SGD's training", "validation loss"
    layout: Any = {"size": (3.2, 3), "yscale": "log", "xlim": (0, 3), "ylim": (0.15, 2)}
    draw_panels(panels, title, *labels, run, "losses.svg", **layout)


def claims_of(found: dict[str, Measured]) -> list[Claim]:
    """What holds for the optimizers, each at its best learning rate."""
    apart = np.ptp([each.accuracy for each in found.values()])
    claims = [Claim("All are within {points} of accuracy", apart, at_most=0.05)]

    for kind, than, what, bound in BOUNDS:
        if kind in found:
            low = found[than].curve.min()

            one, other = (found[name].figure(what, low) for name in (kind, than))
            claims.append(Claim(WORDS[what].format(kind, than), one / other, **bound))

    return claims


def main(config: Config) -> Run:
    run = RunFolder.open("second_order_compared", config)
    kinds = IN_QUICK if config.quick else KINDS
    found = {kind: measure(kind, config) for kind in kinds}
    draw(found, run)

    return conclude(run, claims_of(found))


if __name__ == "__main__":
    launch(main, Config)
