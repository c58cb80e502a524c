"""Activations: every curve with its slope; units that saturate and units that die.

    python recipes/activations_gallery.py
    python recipes/activations_gallery.py --units 128 --scale 10

What flows back through a unit is multiplied by the slope of its activation. On the
digits, too large weights make slopes flat (saturation), too fast learning makes units
flat for every example (death). Expected: most of tanh's slopes and half of ReLU's units
lost, in 40 s. What one reads and did not hold here: the sigmoid net learned only with
too large weights; ELU and GELU units died too; dead units hardly cost accuracy.
Paper: Lu, Shin, Su, Karniadakis, "Dying ReLU and initialization: theory and numerical
examples", 2019. https://arxiv.org/abs/1903.06733
"""

from dataclasses import dataclass
from itertools import product

from cookbook.start import start

start(__name__)

import keras
import numpy as np
from matplotlib.figure import Figure

from cookbook.config import Count, ExperimentConfig, Rate
from cookbook.data.images import load_images
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.gradients import slope, take_steps
from cookbook.plots.figures import BLUE, ORANGE, draw_lines, save_figure
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything
from custom_layers.activations import (
    celu,
    elu,
    exponential,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh,
    tanh_shrink,
    threshold,
)
from custom_layers.layers import Dense
from custom_layers.losses import SparseCategoricalCrossentropy
from custom_layers.optimizers import SGD, Adam

CURVES = (
    *(linear, exponential, sigmoid, log_sigmoid, tanh, tanh_shrink, softplus),
    *(squareplus, softsign, hard_sigmoid, hard_silu, hard_tanh, sparse_sigmoid),
    *(sparse_plus, soft_shrink, hard_shrink, relu, relu6, leaky_relu),
    *(elu, selu, celu, silu, gelu, mish),
)
RANGE = np.linspace(-5, 8, 521)


@dataclass(frozen=True)
class Config(ExperimentConfig):
    units: Count = 64  # in each of three hidden layers
    scale: Rate = 5.0  # factor on the start weights that makes units saturate
    learning_rate: Rate = 0.03  # step size of Adam that makes units die
    steps: Count = 300  # gradient steps, on 64 images each


def measure(f, optimizer, scale, config):
    """Rows (step, share of slopes below 5 % of the steepest, dead units, accuracy)."""
    digits = load_images("digits", "digits")
    x, x_test = (x.reshape(-1, 784) / 255 for x, _ in (digits.train, digits.test))
    images, sums = keras.Input((784,)), []
    h = images
    for _ in range(3):
        sums.append(Dense(config.units)(h))
        h = keras.layers.Activation(f)(sums[-1])
    model, probe = keras.Model(images, Dense(10)(h)), keras.Model(images, sums)
    loss = SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, steps_per_execution=10, jit_compile=False)
    model.set_weights([w * (scale if w.ndim > 1 else 1) for w in model.get_weights()])
    steepest = np.abs(slope(f, RANGE)).max()
    steps, rows = (120 if config.quick else config.steps) // 3, []
    for part in range(4):
        if part:
            take_steps(model, x, digits.train[1], steps, 64, seed=config.seed + part)
        slopes = np.abs(slope(f, np.concatenate(probe(x), 1))) / steepest
        accuracy = np.mean(np.array(model(x_test)).argmax(-1) == digits.test[1])
        dead = np.mean(slopes.max(0) < 0.001)  # for every example
        rows.append((part * steps, np.mean(slopes < 0.05), dead, accuracy))
    return np.array(rows)


def draw_gallery(run):
    figure = Figure(figsize=(11, 13), layout="constrained")
    shown = {f.__name__: f for f in CURVES}
    shown["threshold(1, 0)"] = lambda x: threshold(x, 1, 0)
    for f in (softmax, log_softmax, sparsemax, glu):  # the first output for x and 0
        name = f"{f.__name__}([x, 0])"
        shown[name] = lambda x, f=f: f(keras.ops.stack([x, 0 * x], -1))[..., 0]
    panels = figure.subplots(6, 5, sharex=True, sharey=True).flat
    for axes, (name, f) in zip(panels, shown.items()):
        axes.plot(RANGE, np.array(f(RANGE)), color=BLUE, label="y")
        axes.plot(RANGE, slope(f, RANGE), color=ORANGE, ls="--", label="dy/dx")
        axes.set(ylim=(-2, 7), title=name, xlabel="x")
        axes.grid(alpha=0.3)
    figure.axes[0].legend()
    figure.suptitle("Where the slope (dashed) is 0, nothing is learned")
    save_figure(figure, run, "gallery.png")


def draw(found, column, label, title, run, name):
    lines = {}
    for key, rows in found.items():
        text = f"{key} (best test accuracy {rows[:, 3].max():.2f})"
        lines[text] = rows[:, 0], 100 * rows[:, column]
    draw_lines(lines, title, "gradient steps", label, run, name, ylim=(-3, 103))


def main(config):
    run = RunFolder.open("activations_gallery", config)
    seed_everything(config.seed)
    draw_gallery(run)
    large = {
        f"{f.__name__}, weights x {scale:g}": measure(f, SGD(0.1), scale, config)
        for f, scale in product((tanh, sigmoid), (1, config.scale))
    }
    title = "Too large weights make tanh and sigmoid flat"
    draw(large, 1, "slopes below 5 % of the steepest (%)", title, run, "saturation.png")
    fast = {
        f.__name__: measure(f, Adam(config.learning_rate), 1, config)
        for f in (relu, leaky_relu, elu, gelu)
    }
    title = "Too fast learning kills units, except leaky ReLU's"
    draw(fast, 2, "dead units (%)", title, run, "dying.png")
    (tanh_1, tanh_5, sigmoid_1, sigmoid_5), (plain, leaky, *smooth) = (
        [(*r[-1, 1:3], r[:, 3].max()) for r in x.values()] for x in (large, fast)
    )
    claims = [
        Claim("steepest slope of sigmoid", slope(sigmoid, RANGE).max(), 0.25, True),
        Claim("tanh's flat slopes, weights too large", tanh_5[0], 0.5),
        Claim("tanh's flat slopes, Glorot's weights", tanh_1[0], 0.05, True),
        Claim("accuracy of tanh in spite of them", tanh_5[2], 0.75),
        Claim("sigmoid's gain by large weights", sigmoid_5[2] - sigmoid_1[2], 0.3),
        Claim("dead units of ReLU", plain[1], 0.3),
        Claim("dead units of leaky ReLU", leaky[1], 0, True),
        Claim("dead units of ELU and GELU, the fewer", min(s[1] for s in smooth), 0.05),
        Claim("accuracy that death costs ReLU", leaky[2] - plain[2], 0.05, True),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
