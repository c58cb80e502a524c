"""Newer optimizers against SGD and Adam: loss per gradient step, and per second.

    python recipes/second_order_compared.py
    python recipes/second_order_compared.py --steps 1000 --wrong 0

Do optimizers that look beyond one slope pay off? Networks learn digits, a tenth of
which have a wrong label, in equal steps, with nine optimizers, each at the best of ten
learning rates. Muon, Shampoo and SOAP shape a step by matrices. SAM takes the slope at
the worst point nearby. SWA, Lookahead and the schedule-free AdamW average weights.
Papers: Gupta, Koren, Singer, "Shampoo: preconditioned stochastic tensor optimization",
2018, https://arxiv.org/abs/1802.09568; Foret et al., "Sharpness-aware minimization for
efficiently improving generalization", 2020, https://arxiv.org/abs/2010.01412
"""

from collections.abc import Callable
from dataclasses import dataclass

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
# Optimizers for a training of T steps; their learning rates are set later
KINDS: dict[str, Callable] = {
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
GROUPS = (  # optimizers that are drawn together
    ("SGD", "SAM", "SWA", "Adam", "Lookahead", "schedule-free"),
    ("SGD", "Adam", "Muon", "Shampoo", "SOAP"),
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

    rate: float  # of the least validation loss at the end
    curve: np.ndarray  # validation losses after every EVERY steps
    loss: float  # on the test digits, at the end
    accuracy: float  # on the test digits, at the end
    seconds: float  # for one step, where it was fastest

    def points_until(self, loss: float) -> int:
        """Points of the curve until it is this low, or one more than all of them."""
        is_low = np.append(self.curve, -np.inf) <= loss

        return int(is_low.argmax()) + 1


def split(config: Config, seed: int) -> list[Part]:
    """(x, y) of 1,000 digits to learn, 437 to validate, and 360 to test."""
    learned, validation, test = small_digits(seed)
    x, y = (np.concatenate(parts) for parts in zip(learned, validation))
    wrong = mislabel(y[:1000], config.wrong, np.random.default_rng(seed))

    return [(x[:1000], wrong), (x[1000:], y[1000:]), test]


def build(kind: str, config: Config) -> keras.Model:
    model = keras.Sequential([keras.Input((64,))])

    for _ in range(2):
        model.add(Dense(config.units, "relu"))

    model.add(Dense(10))

    optimizer = KINDS[kind](config.steps)
    model.compile(optimizer, LOSS, steps_per_execution=EVERY, jit_compile=False)

    return model


def train(
    model: keras.Model, kind: str, rate: float, seed: int, config: Config, points=1
):
    """(validation losses at so many points, (loss, accuracy) of the test digits,
    seconds per step) of a training from the start.
    """
    (x, y), validation, test = split(config, seed)
    seed_everything(seed)
    start_anew(model, build(kind, config))
    model.optimizer.learning_rate = rate
    rows = shuffled(len(x), BATCH, config.steps, seed)

    if kind == "SAM":
        rows = np.repeat(rows, 2, axis=0)  # each batch twice in a row

    x, y = x[rows.ravel()], y[rows.ravel()]
    pieces = {"epochs": points, "steps_per_epoch": len(rows) // points}
    losses = []

    def watch(epoch, logs=None):
        losses.append(loss_and_accuracy(averaged(model), *validation, LOSS)[0])

    watching = keras.callbacks.LambdaCallback(on_epoch_end=watch)
    seconds = timed_steps(model, x, y, BATCH, callbacks=[watching], **pieces)

    figures = loss_and_accuracy(averaged(model), *test, LOSS)

    return losses, figures, seconds * len(rows) / config.steps


def measure(kind: str, config: Config) -> Measured:
    """Tries every rate with every seed, and watches the trainings at the best one."""
    model = build(kind, config)
    rates = np.geomspace(1e-3, 1, config.rates)
    seeds = range(config.seed, config.seed + config.repeats)
    train(model, kind, rates[0], config.seed, config)  # compiles the step

    losses = []

    for rate in rates:
        rows = [train(model, kind, rate, seed, config) for seed in seeds]
        losses.append(np.mean([at_end for at_end, _, _ in rows]))

    rate = rates[np.nanargmin(losses)]
    seconds = min(row[-1] for row in rows)

    points = max(1, config.steps // EVERY)
    watched = [train(model, kind, rate, seed, config, points) for seed in seeds]
    curves, tests, _ = zip(*watched)
    loss, accuracy = np.mean(tests, 0)

    print(f"{kind:<14} rate {rate:.2g}, {seconds:.5f} s a step, test loss {loss:.3f}")

    return Measured(rate, np.mean(curves, 0), loss, accuracy, seconds)


def draw(found: dict[str, Measured], run: RunFolder) -> None:
    panels: dict[str, dict] = {}

    for kinds in GROUPS:
        for kind in kinds:
            curve = found[kind].curve
            done = (np.arange(len(curve)) + 1) / len(curve)
            times = found[kind].seconds / found["SGD"].seconds

            for measure, scale in (("steps", 1), ("time", times)):
                heading = f"by {measure}: {kinds[-1]} and others"
                panels.setdefault(heading, {})[kind] = scale * done, curve

    title = "Per step, optimizers with matrices lead; in equal time they do not"
    labels = "share of the steps or the time of SGD", "validation loss"
    draw_panels(panels, title, *labels, run, "losses.svg", yscale="log", xlim=(0, 3))


def claims_of(found: dict[str, Measured]) -> list[Claim]:
    """What holds for the optimizers, each at its best learning rate."""
    sgd, sam, swa, adam, ahead, free, muon, _, soap = found.values()
    apart = np.ptp([each.accuracy for each in found.values()])

    slow, wait = soap.seconds / adam.seconds, sam.seconds / sgd.seconds

    least = adam.curve.min()  # which the others reach after a share of Adam's steps
    by_muon, by_soap = (
        each.points_until(least) / adam.points_until(least) for each in (muon, soap)
    )

    return [
        Claim("All optimizers are within {points} of accuracy", apart, at_most=0.03),
        Claim("Muon needs {percent} of Adam's steps", by_muon, at_most=0.8),
        Claim("SOAP needs {percent} of Adam's steps", by_soap, at_most=0.8),
        Claim("A step of SOAP takes {} times Adam's", slow, at_least=1.5),
        Claim("SOAP needs {} times Adam's time", slow * by_soap, at_least=1),
        Claim("A step of SAM takes {} times SGD's", wait, at_least=1.5),
        Claim("SAM has {} times SGD's test loss", sam.loss / sgd.loss, at_most=1),
        Claim("SWA has {} times SGD's test loss", swa.loss / sgd.loss, at_most=1),
        Claim("Lookahead has {} times Adam's", ahead.loss / adam.loss, at_most=1.05),
        Claim("Schedule-free has {} times Adam's", free.loss / adam.loss, at_most=1),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("second_order_compared", config)
    found = {kind: measure(kind, config) for kind in KINDS}
    draw(found, run)

    return conclude(run, claims_of(found))


if __name__ == "__main__":
    launch(main, Config)
