"""Optimizers on surfaces: whose path gets down first; what each formula's term does.

    python recipes/optimizer_paths.py
    python recipes/optimizer_paths.py --steps 3000 --starts 50

Seven optimizers descend four surfaces, each at the best of the same 21 learning rates.
Then one weight gets equal gradients and later smaller ones, to show what Adagrad's
accumulator, RMSprop's average and Adam's correction change. Expected, in 40 s: momentum
crosses a valley in a fifth of SGD's steps, and Adagrad is fast only in a valley along
the axes. Two common beliefs did not hold here: SGD is not stuck on a saddle, and
momentum is slower there.
Paper: Ruder, "An overview of gradient descent optimization algorithms", 2016.
https://arxiv.org/abs/1609.04747
"""

from collections.abc import Callable
from dataclasses import dataclass

from cookbook.start import start

start(__name__, float64=True)

import keras
import numpy as np

from cookbook.config import Count, ExperimentConfig, Repeats
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.descent import descend
from cookbook.lab.paths import draw_paths
from cookbook.plots.figures import draw_lines
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.optimizers import SGD, Adadelta, Adagrad, Adam, RMSprop

RATES = np.geomspace(1e-4, 10, 21, dtype="float32")  # each optimizer tries these
KINDS: dict[str, Callable] = {
    "SGD": SGD,
    "momentum": lambda rate: SGD(rate, momentum=0.9),
    "Nesterov": lambda rate: SGD(rate, momentum=0.9, nesterov=True),
    "Adagrad": Adagrad,
    "Adadelta": Adadelta,
    "RMSprop": RMSprop,
    "Adam": Adam,
}
SURFACES = {  # the height over (x, y)
    "valley": lambda x, y: (x**2 + 300 * y**2) / 2,
    "turned valley": lambda x, y: ((x + y) ** 2 + 300 * (x - y) ** 2) / 4,
    "saddle": lambda x, y: 1.5 * x**2 + (y**2 - 1) ** 2 / 4,
    "Rosenbrock": lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
}
STARTS = {  # the matrix that takes the square [-1, 1]^2 to where descents start
    "valley": [[10.0, 0.0], [0.0, 1.0]],
    "turned valley": [[7.0, 7.0], [0.7, -0.7]],
    "saddle": [[1.0, 0.0], [0.0, 0.001]],
    "Rosenbrock": [[2.0, 0.0], [0.0, 2.0]],
}
DRAWN = {"valley": (10, 1.2), "saddle": (1, 1.5), "Rosenbrock": (2, 2)}  # largest x, y
GRADIENTS = np.repeat([1, 0.01], [100, 200])  # equal ones, then smaller ones


@dataclass(frozen=True)
class Config(ExperimentConfig):
    steps: Count = 1000  # gradient steps of each descent
    starts: Repeats = 20  # random points from which each surface is descended


def walk(surface, kind: str, config: Config):
    """(steps, path) at the rate that soonest stays below 0.01, by the median start."""
    f = SURFACES[surface]
    points = np.random.default_rng(config.seed).uniform(-1, 1, (config.starts, 2))
    points[0] = -0.8, 0.8  # the path from here is drawn

    start = points @ STARTS[surface]  # (starts, 2)
    w = keras.Variable(np.tile(start, (len(RATES), 1, 1)))  # (rates, starts, 2)
    optimizer = KINDS[kind](lambda: RATES[:, None, None])

    def height(step=None):
        return f(w[..., 0], w[..., 1])

    def place_and_height():
        return keras.ops.stack([w[..., 0], w[..., 1], height()])

    path = descend(optimizer, [w], height, config.steps, keep=place_and_height)

    # (steps, 3, rates, starts); heights from the last step back: (steps, rates, starts)
    is_high = ~(path[::-1, 2] < 0.01)
    steps = np.where(is_high.any(0), config.steps - is_high.argmax(0), 0)
    steps = np.median(steps, axis=-1)  # (rates,)

    best = steps.argmin()
    print(f"{surface:<14}{kind:<9} {steps[best]:6g} steps, rate {RATES[best]:.2g}")
    return steps[best], path[:, :2, best, 0]


def draw_walks(walks, config: Config, run: RunFolder):
    paths: dict[str, dict] = {surface: {} for surface in DRAWN}
    for surface in DRAWN:
        for kind, (steps, path) in walks[surface].items():
            count = f"{steps:.0f}" if steps < config.steps else "never there"
            paths[surface][f"{kind}: {count}"] = path

    drawn = {surface: (SURFACES[surface], sides) for surface, sides in DRAWN.items()}
    title = "No optimizer wins everywhere, each at its own best learning rate"
    frames = 5 if config.quick else 41
    draw_paths(drawn, paths, title, run, "paths", frames)


def step_lengths(optimizer):
    """How far a weight moves at each of GRADIENTS, in learning rates."""
    w = keras.Variable(0.0, dtype="float64")
    g = keras.ops.array(GRADIENTS)
    path = descend(optimizer, [w], lambda i: w * g[i], len(g), keep=lambda: w.value)
    return -np.diff(path)


def uncorrected_adam(beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7):
    """The same for Adam's formula without correcting m and v for their start at 0."""
    m, v = 0.0, 0.0
    lengths = []

    for g in GRADIENTS[:-1]:
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        lengths.append(m / (np.sqrt(v) + epsilon))
    return np.array(lengths)


def compare_terms(run: RunFolder):
    """{optimizer: its step lengths}, drawn as terms.svg"""
    lengths = {
        kind.__name__: step_lengths(kind(1.0)) for kind in (SGD, Adagrad, RMSprop, Adam)
    }
    lengths["Adam without correction"] = uncorrected_adam()

    draw_lines(
        {name: (np.arange(len(s)) + 1, s) for name, s in lengths.items()},
        "Adagrad's steps shrink, RMSprop's recover, Adam's correction tames its start",
        "step (the gradient is 1, and after step 100 only 0.01)",
        "length of the step (learning rates)",
        *(run, "terms.svg"),
        yscale="log",
    )

    return lengths


def claims_of_walks(walks, config: Config):
    """What holds for the steps until an optimizer is down."""
    along, turned, flat, curved = (
        {kind: steps for kind, (steps, _) in found.items()} for found in walks.values()
    )
    slow, fast = curved["SGD"], curved["momentum"]
    few = 0.6 * config.steps

    return [
        Claim(
            "Momentum crosses the valley in a quarter of SGD's steps ({})",
            along["momentum"],
            at_most=along["SGD"] / 4,
        ),
        Claim(
            "Adagrad needs 20 times its steps once the valley is turned ({})",
            turned["Adagrad"],
            at_least=20 * along["Adagrad"],
        ),
        Claim("SGD leaves the saddle in {} steps", flat["SGD"], at_most=30),
        Claim(
            "Momentum leaves the saddle in {} steps",
            flat["momentum"],
            at_least=1.5 * flat["SGD"],
        ),
        Claim("SGD needs {} steps in Rosenbrock's valley", slow, at_least=config.steps),
        Claim("Momentum needs {} steps in Rosenbrock's valley", fast, at_most=few),
    ]


def claims_of_terms(lengths):
    """What holds for the lengths of steps, in learning rates."""
    adagrad = lengths["Adagrad"][99]
    rmsprop = lengths["RMSprop"][-1]
    adam, uncorrected = lengths["Adam"].max(), lengths["Adam without correction"].max()
    length = "is {} learning rates long"

    return [
        Claim(f"Adagrad's 100th step {length}", adagrad, at_most=0.1),
        Claim(f"RMSprop's last step {length}", rmsprop, at_least=0.9),
        Claim(f"Adam's longest step {length}", adam, at_most=1.0),
        Claim(f"Adam's longest without correction {length}", uncorrected, at_least=5),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("optimizer_paths", config)

    walks = {f: {kind: walk(f, kind, config) for kind in KINDS} for f in SURFACES}
    draw_walks(walks, config, run)

    lengths = compare_terms(run)
    return conclude(run, [*claims_of_walks(walks, config), *claims_of_terms(lengths)])


if __name__ == "__main__":
    launch(main, Config)
