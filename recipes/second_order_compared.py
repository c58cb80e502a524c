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
from cookbook.lab.training import averaged_weights, start_anew, timed_steps
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
    # trainings with different seeds, which are averaged
    repeats: Repeats = 3

    in_quick = {"steps": 100, "rates": 4, "repeats": 1}


@dataclass(frozen=True)
class Measured:
    """What an optimizer reaches at its best learning rate; means over the seeds."""

    rate: float  # of the least validation loss at the end
    curve: np.ndarray  # validation losses after every EVERY steps
    loss: float  # on the test digits, at the end
    accuracy: float  # on the test digits, at the end
    seconds: float  # for one step, where it was fastest


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


def figures(model: keras.Model, x, y) -> tuple[float, float]:
    """(loss, accuracy) of the weights that the optimizer answers with."""
    logits, _ = model.stateless_call(averaged_weights(model), [], x)
    is_right = keras.ops.convert_to_numpy(logits).argmax(-1) == y

    return float(LOSS(y, logits)), float(is_right.mean())


def train(
    model: keras.Model, kind: str, rate: float, seed: int, config: Config, points=1
):
    """Trains from the start; measures the validation loss at so many points.

    (those losses, (loss, accuracy) of the test digits, seconds per step)
    """
    (x, y), validation, test = split(config, seed)
    seed_everything(seed)
    start_anew(model, build(kind, config))
    model.optimizer.learning_rate = rate
    rows = shuffled(len(x), BATCH, config.steps, seed)
    if kind == "SAM":
        rows = np.repeat(rows, 2, axis=0)  # each batch twice in a row

    losses = []

    def watch(epoch, logs=None):
        losses.append(figures(model, *validation)[0])

    seconds = timed_steps(
        model,
        x[rows.ravel()],
        y[rows.ravel()],
        BATCH,
        epochs=points,
        steps_per_epoch=len(rows) // points,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=watch)],
    )

    return losses, figures(model, *test), seconds * len(rows) / config.steps


def measure(kind: str, config: Config) -> Measured:
    """Tries every rate with every seed, and watches the trainings at the best one."""
    model = build(kind, config)
    rates = np.geomspace(1e-3, 1, config.rates)
    seeds = range(config.seed, config.seed + config.repeats)
    train(model, kind, rates[0], config.seed, config)  # compiles the step

    found = [[train(model, kind, r, s, config) for s in seeds] for r in rates]
    losses = [np.mean([losses for losses, _, _ in rows]) for rows in found]
    seconds = min(row[-1] for rows in found for row in rows)
    rate = rates[np.nanargmin(losses)]

    points = max(1, config.steps // EVERY)
    watched = [train(model, kind, rate, seed, config, points) for seed in seeds]
    curves, tests, _ = zip(*watched)
    loss, accuracy = np.mean(tests, 0)
    print(
        f"{kind:<14} best rate {rate:<7.2g} test loss {loss:.3f}, accuracy "
        f"{accuracy:.3f}, {1000 * seconds:.2f} ms a step"
    )

    return Measured(rate, np.mean(curves, 0), loss, accuracy, seconds)


def draw(found: dict[str, Measured], run: RunFolder) -> None:
    panels = {}
    for kinds in GROUPS:
        by_steps = {}
        by_time = {}
        for kind in kinds:
            curve, times = found[kind].curve, found[kind].seconds / found["SGD"].seconds
            done = (np.arange(len(curve)) + 1) / len(curve)
            by_steps[kind] = done, curve
            by_time[kind] = times * done, curve
        panels[f"by steps, {kinds[-1]} and others"] = by_steps
        panels[f"by time, {kinds[-1]} and others"] = by_time

    title = "Per step, optimizers with matrices lead; in equal time they do not"
    labels = "share of the steps or the time of SGD", "validation loss"
    layout = {"size": (3.6, 3.2), "yscale": "log", "xlim": (0, 3)}
    draw_panels(panels, title, *labels, run, "losses.svg", **layout)


def steps_until(measured: Measured, loss: float) -> float:
    """The steps after which the validation loss is this low; inf if it never is."""
    places = np.flatnonzero(measured.curve <= loss)

    return EVERY * (places[0] + 1) if len(places) else np.inf


def claims_of(found: dict[str, Measured]) -> list[Claim]:
    """What holds for the optimizers, each at its best learning rate."""
    sgd, adam = found["SGD"], found["Adam"]
    apart = np.ptp([each.accuracy for each in found.values()])
    goal = adam.curve.min()
    steps = {
        k: steps_until(m, goal) / steps_until(adam, goal) for k, m in found.items()
    }
    times = {kind: each.seconds / adam.seconds for kind, each in found.items()}
    to_sgd = {kind: each.loss / sgd.loss for kind, each in found.items()}
    to_adam = {kind: each.loss / adam.loss for kind, each in found.items()}

    sam, wait = times["SAM"] / times["SGD"], times["SOAP"] * steps["SOAP"]

    return [
        Claim("All optimizers are within {points} of accuracy", apart, at_most=0.03),
        Claim("Muon needs {percent} of Adam's steps", steps["Muon"], at_most=0.8),
        Claim("SOAP needs {percent} of Adam's steps", steps["SOAP"], at_most=0.8),
        Claim("A step of SOAP takes {} times Adam's", times["SOAP"], at_least=1.5),
        Claim("SOAP takes {} times as long to Adam's least loss", wait, at_least=1),
        Claim("A step of SAM takes {} times SGD's", sam, at_least=1.5),
        Claim("SAM has {} times SGD's test loss", to_sgd["SAM"], at_most=1),
        Claim("SWA has {} times SGD's test loss", to_sgd["SWA"], at_most=1),
        Claim("Lookahead has {} times Adam's", to_adam["Lookahead"], at_most=1.05),
        Claim("Schedule-free has {} times", to_adam["schedule-free"], at_most=1),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("second_order_compared", config)
    found = {kind: measure(kind, config) for kind in KINDS}
    draw(found, run)

    return conclude(run, claims_of(found))


if __name__ == "__main__":
    launch(main, Config)
