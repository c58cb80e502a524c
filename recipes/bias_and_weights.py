"""Bias and weights: what they do to a neuron and to its line; where a line is no help.

    python recipes/bias_and_weights.py
    python recipes/bias_and_weights.py --hidden 1 2 3 4 5

The weight of a neuron sets the slope of its answer, the bias where it turns from no to
yes; of a line in the plane, weights set the direction, the bias the distance from the
origin. No line separates rings: the perceptron errs for ever. Two hidden units leave
the ring open (in some direction both only rise), three close it. Expected: accuracy
0.5 without a hidden unit, 0.8 with two, 0.99 with three, in about 20 s.
Paper: Rosenblatt, "The perceptron: a probabilistic model for information storage and
organization in the brain", 1958. https://doi.org/10.1037/h0042519
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__)

import keras
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import make_circles

from cookbook.config import Count, ExperimentConfig, Rate
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.gradients import take_steps
from cookbook.plots.figures import BLUE, COLOURS, ORANGE, save_figure
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything
from custom_layers.layers import Dense
from custom_layers.losses import BinaryCrossentropy
from custom_layers.optimizers import Adam

LINE = np.array([-0.5, 1.0, -0.5])  # w1, w2, b of the line between no and yes


@dataclass(frozen=True)
class Config(ExperimentConfig):
    examples: Count = 400  # points of each data set
    hidden: tuple[int, ...] = (0, 1, 2, 3, 8)  # hidden units of the networks
    steps: Count = 500  # gradient steps, each on all points
    learning_rate: Rate = 0.05  # step size of Adam
    passes: Count = 200  # the perceptron's passes over the points, at most


def neuron(x, w, b):
    """The answer of one unit, sigmoid(w x + b), by our Dense layer."""
    layer = Dense(1, activation="sigmoid", dtype="float64")
    layer.build((None, 1))
    layer.set_weights([np.array([[w]]), np.array([b])])
    return np.array(layer(np.reshape(x, (-1, 1))))[:, 0]


def two_sides(count, rng, gap=0.05):
    """Points and sides, none within `gap` of LINE, where w1 x1 + w2 x2 + b = 0."""
    x = rng.uniform(-1, 1, (4 * count, 2))
    distance = with_one(x) @ LINE / np.hypot(*LINE[:2])
    kept = np.flatnonzero(np.abs(distance) > gap)[:count]
    return x[kept], (distance[kept] > 0) * 1.0


def with_one(x):
    """x with an input that is always 1, whose weight is then the bias."""
    return np.c_[x, np.ones(len(x))]


def perceptron(x, y, passes):
    """Mistakes in each pass over the points; the rule: w = w + (y - answer) x."""
    w, mistakes = np.zeros(3), [len(x)]
    while len(mistakes) <= passes and mistakes[-1]:
        mistakes.append(0)
        for x_i, y_i in zip(with_one(x), y):
            miss = y_i - (w @ x_i > 0)
            w += miss * x_i
            mistakes[-1] += abs(miss)
    return mistakes[1:]


def most_mistakes(x, y):
    """Novikoff's bound on the perceptron's mistakes, (longest x / margin of LINE)^2."""
    margin = np.min((2 * y - 1) * (with_one(x) @ LINE)) / np.linalg.norm(LINE)
    return (np.linalg.norm(with_one(x), axis=1).max() / margin) ** 2


def train(hidden, x, y, config, use_bias=True):
    """A network of 2 inputs, `hidden` tanh units (or none) and one sigmoid output."""
    layers = [Dense(hidden, "tanh", use_bias)] if hidden else []
    output = Dense(1, "sigmoid", use_bias)
    model = keras.Sequential([keras.Input((2,)), *layers, output])
    optimizer, loss = Adam(config.learning_rate), BinaryCrossentropy()
    model.compile(optimizer, loss, steps_per_execution=20, jit_compile=False)
    take_steps(model, x, y[:, None], 400 if config.quick else config.steps)
    return model


def accuracy(model, x, y):
    return float(np.mean((np.array(model(x))[:, 0] > 0.5) == y))


def draw_neuron(run):
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    x = np.linspace(-8, 8, 200)
    panels = [[(w, 0) for w in (-2, 0.5, 1, 5)], [(1, b) for b in (-4, -2, 0, 2)]]
    for axes, pairs in zip(figure.subplots(1, 2, sharey=True), panels):
        for (w, b), colour in zip(pairs, COLOURS):
            axes.plot(x, neuron(x, w, b), color=colour, label=f"w = {w}, b = {b}")
        axes.set(xlabel="input x", ylabel="answer sigmoid(w x + b)")
        axes.legend(fontsize=8)
    figure.suptitle("The weight sets the slope, the bias moves the curve")
    save_figure(figure, run, "neuron.png")


def draw_answers(models, x, y, run, name, message):
    """A panel for each title of `models`: where its network says no and yes."""
    figure = Figure(figsize=(3 * len(models), 3.7), layout="constrained")
    line = np.linspace(-1.1, 1.1, 150) * np.abs(x).max()
    grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    panels = figure.subplots(1, len(models), sharey=True, squeeze=False)[0]
    for axes, (title, model) in zip(panels, models.items()):
        answer = np.array(model(grid)).reshape(150, 150)
        axes.contourf(line, line, answer, [0, 0.5, 1], colors=["#F9D9C4", "#C6DFF0"])
        for label, marker, colour in ((0, "o", ORANGE), (1, "^", BLUE)):
            axes.scatter(*x[y == label].T, s=9, marker=marker, color=colour, lw=0)
        axes.set(xlabel="x1", ylabel="x2", aspect="equal", title=title)
    figure.suptitle(message)
    save_figure(figure, run, name)


def main(config):
    run = RunFolder.open("bias_and_weights", config)
    seed_everything(config.seed)
    n, seed = config.examples, config.seed
    x, y = two_sides(n, np.random.default_rng(seed))
    rings = make_circles(n, noise=0.08, factor=0.5, random_state=seed)
    fresh = make_circles(n, noise=0.08, factor=0.5, random_state=seed + 1)
    plain, biased = (train(0, x, y, config, use_bias) for use_bias in (False, True))
    models = {h: train(h, *rings, config) for h in config.hidden}
    right = {h: accuracy(model, *fresh) for h, model in models.items()}
    draw_neuron(run)
    titles = {"without a bias": plain, "with one": biased}
    message = "Without a bias the line goes through the origin"
    draw_answers(titles, x, y, run, "line.png", message)
    titles = {f"{h} hidden: {right[h]:.1%} right": model for h, model in models.items()}
    message = "No line separates rings; three hidden units close one, two cannot"
    draw_answers(titles, *rings, run, "rings.png", message)
    before, middle, after = neuron(np.array([-1e-5, 0, 1e-5]) + 1.5, w=2.0, b=-3.0)
    learned, endless = (perceptron(*d, config.passes) for d in ((x, y), rings))
    claims = [
        Claim("neuron's answer at x = -b / w, off 0.5", abs(middle - 0.5), 1e-12, True),
        Claim("slope there, off w / 4", abs((after - before) / 2e-5 - 0.5), 1e-8, True),
        Claim("accuracy of a line without bias", accuracy(plain, x, y), 0.9, True),
        Claim("accuracy of a line with a bias", accuracy(biased, x, y), 0.99),
        Claim("perceptron's mistakes in all", sum(learned), most_mistakes(x, y), True),
        Claim("its mistakes in its last pass over the rings", endless[-1], 1),
    ]
    for h, bound, at_most in ((0, 0.75, True), (2, 0.9, True), (3, 0.95, False)):
        if h in right:
            claims += [Claim(f"rings, {h} hidden: accuracy", right[h], bound, at_most)]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
