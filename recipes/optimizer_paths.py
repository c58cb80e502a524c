"""Optimizers on surfaces: whose path gets down soonest; what each formula's term does.

    python recipes/optimizer_paths.py
    python recipes/optimizer_paths.py --steps 3000 --starts 50

Each optimizer gets the best of the same 21 learning rates. Then one weight gets equal
gradients, and smaller ones, to show what Adagrad's accumulator, RMSprop's average and
Adam's correction change. Expected, in 40 s: momentum crosses a valley in a fifth of
SGD's steps; Adagrad only one along the axes. What one reads and did not hold here: SGD
is not stuck on a saddle, and momentum is slower there.
Paper: Ruder, "An overview of gradient descent optimization algorithms", 2016.
https://arxiv.org/abs/1609.04747
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__)

import keras
import numpy as np
from matplotlib.figure import Figure

from cookbook.config import Count, ExperimentConfig
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.descent import descend
from cookbook.plots.figures import COLOURS, draw_lines, save_animation, save_figure
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.optimizers import SGD, Adadelta, Adagrad, Adam, RMSprop

RATES = np.geomspace(1e-4, 10, 21, dtype="float32")  # each optimizer tries these
KINDS = {
    "SGD": SGD,
    "momentum": lambda rate: SGD(rate, momentum=0.9),
    "Nesterov": lambda rate: SGD(rate, momentum=0.9, nesterov=True),
    "Adagrad": Adagrad,
    "Adadelta": Adadelta,
    "RMSprop": RMSprop,
    "Adam": Adam,
}
SURFACES = {  # height; what takes the square [-1, 1]^2 to where descents start
    "valley": (lambda x, y: (x**2 + 300 * y**2) / 2, [[10, 0], [0, 1]]),
    "turned": (  # by 45 degrees
        lambda x, y: ((x + y) ** 2 + 300 * (x - y) ** 2) / 4,
        [[7, 7], [0.7, -0.7]],
    ),
    "saddle": (lambda x, y: 1.5 * x**2 + (y**2 - 1) ** 2 / 4, [[1, 0], [0, 0.001]]),
    "Rosenbrock": (lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2, [[2, 0], [0, 2]]),
}
GRADIENTS = np.repeat([1, 0.01], [100, 200])  # equal ones, then smaller ones


@dataclass(frozen=True)
class Config(ExperimentConfig):
    steps: Count = 1000  # gradient steps on a surface
    starts: Count = 20  # random points from which a surface is descended


class UncorrectedAdam(Adam):
    """w = w - lr * m / (sqrt(v) + epsilon): m and v not corrected for starting at 0."""

    def _step_scalars(self, learning_rate, dtype):
        return keras.ops.cast(learning_rate, dtype)


def walk(surface, kind, config):
    """(steps, path) at the rate that soonest stays below 0.01, by the median."""
    f, scale = SURFACES[surface]
    points = np.random.default_rng(config.seed).uniform(-1, 1, (config.starts, 2))
    points[0] = -0.8, 0.8  # its path is drawn
    w = keras.Variable(np.tile(points @ scale, (len(RATES), 1, 1)))
    optimizer = KINDS[kind](lambda: RATES[:, None, None])

    def height(step=None):
        return f(w[..., 0], w[..., 1])

    path = descend(
        *(optimizer, [w], height, config.steps),
        keep=lambda: keras.ops.stack([w[..., 0], w[..., 1], height()]),
    )
    above = ~(path[::-1, 2] < 0.01)  # (steps, rates, starts), the last step first
    steps = np.where(above.any(0), config.steps - above.argmax(0), 0)
    steps = np.median(steps, axis=-1)
    best = steps.argmin()
    print(f"{surface:<12}{kind:<9} {steps[best]:6g} steps, rate {RATES[best]:.2g}")
    return steps[best], path[:, :2, best, 0]


def step_lengths(optimizer):
    """How far a weight moves at each of GRADIENTS, in learning rates."""
    w, g = keras.Variable(0.0, dtype="float64"), keras.ops.array(GRADIENTS)
    path = descend(optimizer(1.0), [w], lambda i: w * g[i], len(g), lambda: w.value)
    return -np.diff(path)


def draw_paths(walks, config, run):
    """paths.gif and its last picture, paths.png: three surfaces, every path on them."""
    figure = Figure(figsize=(10.5, 4), layout="constrained")
    sizes, moving = {"valley": (10, 1.2), "saddle": (1, 1.5), "Rosenbrock": (2, 2)}, []
    for axes, (surface, size) in zip(figure.subplots(1, 3), sizes.items()):
        x, y = np.meshgrid(*(np.linspace(-side, side, 200) for side in size))
        z = SURFACES[surface][0](x, y)
        axes.contour(x, y, z, np.geomspace(0.01, 1000, 11), colors="#BBBBBB")
        axes.set(xlabel="x", ylabel="y", title=surface)
        for (kind, (steps, path)), colour in zip(walks[surface].items(), COLOURS):
            label = f"{kind} {steps:.0f}" if steps < config.steps else f"{kind} -"
            style = {"color": colour, "markevery": [-1], "label": label}
            moving.append((*axes.plot([], [], "o-", **style), path))
        axes.legend(fontsize=7, markerscale=0.6, loc="lower right", title="steps")

    def frame(i):
        for line, path in moving:
            line.set_data(*path[: 3 * i + 1].T)
        end = f"at its own best learning rate (step {3 * i})"
        figure.suptitle(f"No optimizer wins everywhere, each {end}")

    save_animation(figure, frame, 5 if config.quick else 41, run, "paths.gif")
    save_figure(figure, run, "paths.png")


def main(config):
    run = RunFolder.open("optimizer_paths", config)
    walks = {f: {kind: walk(f, kind, config) for kind in KINDS} for f in SURFACES}
    draw_paths(walks, config, run)
    kinds = (SGD, Adagrad, RMSprop, Adam, UncorrectedAdam)
    lengths = {kind.__name__: step_lengths(kind) for kind in kinds}
    draw_lines(
        {name: (np.arange(len(s)) + 1, s) for name, s in lengths.items()},
        "Adagrad only shrinks, RMSprop forgets, Adam's correction tames its start",
        "step (gradient 1, after step 100 only 0.01)",
        "length of the step (learning rates)",
        *(run, "terms.png"),
        yscale="log",
    )
    along, turned, flat, curved = (
        {kind: steps for kind, (steps, _) in walks[f].items()} for f in SURFACES
    )
    few = 0.6 * config.steps
    claims = [
        Claim("valley: momentum's steps", along["momentum"], along["SGD"] / 4, True),
        Claim("Adagrad's, valley turned", turned["Adagrad"], 20 * along["Adagrad"]),
        Claim("saddle: SGD's steps", flat["SGD"], 30, True),
        Claim("saddle: momentum's steps", flat["momentum"], 1.5 * flat["SGD"]),
        Claim("Rosenbrock: SGD's steps", curved["SGD"], config.steps),
        Claim("Rosenbrock: momentum's steps", curved["momentum"], few, True),
        Claim("Adagrad's 100th step", lengths["Adagrad"][99], 0.1, True),
        Claim("RMSprop's last step", lengths["RMSprop"][-1], 0.9),
        Claim("Adam's longest step", lengths["Adam"].max(), 1.0, True),
        Claim("... without correction", lengths["UncorrectedAdam"].max(), 5),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
