"""Bias and weights: what they do to a neuron and its line, and what a line cannot do.

    python recipes/bias_and_weights.py
    python recipes/bias_and_weights.py --hidden 1 2 3 4 5

A neuron's weight sets the slope of its answer, and its bias moves the curve; in the
plane, the weights set the direction of its line, and the bias its distance from the
origin. The recipe measures both, and then meets rings, which no line separates: the
perceptron goes on making mistakes, two hidden units leave the ring open, and three
close it. Expected: test accuracy 50 % without a hidden unit, 80 % with two, 99 % with
three; in about 20 s.
Paper: Rosenblatt, "The perceptron: a probabilistic model for information storage and
organization in the brain", 1958. https://doi.org/10.1037/h0042519
"""

from dataclasses import dataclass
from typing import Annotated

from cookbook.start import start

start(__name__, float64=True)

import keras
import numpy as np
from keras import ops
from sklearn.datasets import make_circles

from cookbook.config import Between, Count, ExperimentConfig, Rate
from cookbook.lab.claims import ROUNDING, Claim, conclude
from cookbook.lab.pictures import draw_panels, draw_regions
from cookbook.lab.training import take_steps
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything
from custom_layers.layers import Dense
from custom_layers.losses import BinaryCrossentropy
from custom_layers.optimizers import Adam

LINE = np.array([-0.5, 1.0, -0.5])  # w1, w2, b: classes meet at w1 x1 + w2 x2 + b = 0

# Hidden units, and the bounds of the accuracy on rings: at least, at most
BOUNDS = ((0, None, 0.75), (2, None, 0.9), (3, 0.95, None))


@dataclass(frozen=True)
class Config(ExperimentConfig):
    examples: Annotated[int, Between(10, 10**6)] = 400  # points of each data set
    # hidden units of the compared networks
    hidden: tuple[Annotated[int, Between(0, 1024)], ...] = (0, 1, 2, 3, 8)
    steps: Count = 500  # gradient steps of a network, each on all points
    learning_rate: Rate = 0.05  # step size of Adam
    passes: Count = 200  # the perceptron stops after so many passes over the points

    in_quick = {"steps": 400}


def neuron(x, w, b):
    """The answers sigmoid(w x + b) of one unit, computed by our Dense layer."""
    layer = Dense(1, activation="sigmoid", dtype="float64")
    layer.build((None, 1))
    layer.set_weights([np.array([[w]]), np.array([b])])
    return ops.convert_to_numpy(layer(np.reshape(x, (-1, 1))))[:, 0]


def draw_neuron(run: RunFolder):
    x = np.linspace(-8, 8, 200)
    pairs: dict[str, list[tuple[float, float]]] = {
        "Four weights": [(-2, 0), (0.5, 0), (1, 0), (5, 0)],
        "Four biases": [(1, -4), (1, -2), (1, 0), (1, 2)],
    }
    panels = {
        heading: {f"w = {w}, b = {b}": (x, neuron(x, w, b)) for w, b in chosen}
        for heading, chosen in pairs.items()
    }
    title = "The weight sets the slope of a neuron's answer, the bias moves its curve"
    draw_panels(panels, title, "input x", "sigmoid(w x + b)", run, "neuron.svg")


def separable(count, rng, gap: float = 0.05):
    """Points (B, 2) and their side of LINE, 0 or 1; none is within `gap` of it."""
    x = rng.uniform(-1, 1, (4 * count, 2))
    distance = with_one(x) @ LINE / np.hypot(*LINE[:2])
    kept = np.flatnonzero(np.abs(distance) > gap)[:count]
    return x[kept], (distance[kept] > 0) * 1.0


def rings(count: int, seed: int):
    return make_circles(count, noise=0.08, factor=0.5, random_state=seed)


def with_one(x):
    """x with a further input that is always 1, whose weight is then the bias."""
    return np.c_[x, np.ones(len(x))]


def perceptron(x, y, passes):
    """Rosenblatt's rule, w = w + (y - answer) x: the mistakes in each pass."""
    w = np.zeros(3)
    mistakes = []
    for _ in range(passes):
        mistakes.append(0)
        for x_i, y_i in zip(with_one(x), y):
            error = y_i - (w @ x_i > 0)
            w += error * x_i
            mistakes[-1] += abs(error)
        if not mistakes[-1]:
            break
    return mistakes


def novikoffs_bound(x, y):
    """The most mistakes that the perceptron can make: (longest x / margin of LINE)^2"""
    x = with_one(x)
    margin = np.min((2 * y - 1) * (x @ LINE)) / np.linalg.norm(LINE)
    return (np.linalg.norm(x, axis=1).max() / margin) ** 2


def train(hidden, x, y, config: Config, use_bias: bool = True):
    """A network of 2 inputs, `hidden` tanh units (or none) and one sigmoid output."""
    model = keras.Sequential([keras.Input((2,))])
    if hidden:
        model.add(Dense(hidden, "tanh", use_bias))
    model.add(Dense(1, "sigmoid", use_bias))
    model.compile(
        optimizer=Adam(config.learning_rate),
        loss=BinaryCrossentropy(),
        steps_per_execution=20,
        jit_compile=False,
    )
    take_steps(model, x, y[:, None], config.steps)
    return model


def accuracy(model, x, y):
    answers = ops.convert_to_numpy(model(x))[:, 0] > 0.5
    return float(np.mean(answers == y))


def claims_of_lines(x, y, plain, biased, config: Config):
    """What holds for a single neuron: its answers, its line, its learning."""
    before, middle, after = neuron(np.array([-1e-5, 0, 1e-5]) + 1.5, w=2.0, b=-3.0)
    slope = (after - before) / 2e-5
    return [
        Claim(
            "At x = -b / w a neuron's answer is within {} of 1/2",
            abs(middle - 0.5),
            at_most=ROUNDING,
        ),
        Claim(
            "At x = -b / w a neuron's slope is within {} of w / 4",
            abs(slope - 0.5),
            at_most=1e4 * ROUNDING,
        ),
        Claim(
            "A line without a bias gets {percent} of the points right",
            accuracy(plain, x, y),
            at_most=0.9,
        ),
        Claim(
            "A line with a bias gets {percent} of the points right",
            accuracy(biased, x, y),
            at_least=0.99,
        ),
        Claim(
            "Where a line separates, the perceptron makes {} mistakes in all",
            sum(perceptron(x, y, config.passes)),
            at_most=novikoffs_bound(x, y),
        ),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("bias_and_weights", config)
    seed_everything(config.seed)

    x, y = separable(config.examples, np.random.default_rng(config.seed))
    plain = train(0, x, y, config, use_bias=False)
    biased = train(0, x, y, config)
    lines = {"Without a bias": plain, "With a bias": biased}
    message = "Without a bias the line goes through the origin"
    draw_regions(lines, x, y, message, run, "line.png")

    x_ring, y_ring = rings(config.examples, config.seed)
    x_new, y_new = rings(config.examples, config.seed + 1)
    models = {h: train(h, x_ring, y_ring, config) for h in config.hidden}
    right = {h: accuracy(model, x_new, y_new) for h, model in models.items()}
    panels = {f"{h} hidden units, {right[h]:.1%} right": models[h] for h in models}
    message = "No line separates rings; three hidden units close one, two cannot"
    draw_regions(panels, x_ring, y_ring, message, run, "rings.png")
    draw_neuron(run)

    last = perceptron(x_ring, y_ring, config.passes)[-1]
    text = "On rings the perceptron still makes {} mistakes in its last pass"
    claims = claims_of_lines(x, y, plain, biased, config)
    claims.append(Claim(text, last, at_least=1))
    for h, at_least, at_most in BOUNDS:
        if h in right:
            text = f"With {h} hidden units, {{percent}} of new ring points are right"
            claims.append(Claim(text, right[h], at_least=at_least, at_most=at_most))
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
