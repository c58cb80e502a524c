"""Activations: every curve with its slope; units that saturate and units that die.

    python recipes/activations_gallery.py
    python recipes/activations_gallery.py --units 128 --scale 10

Which activations stop learning, and when? What flows back through a unit is multiplied
by the slope of its activation. The recipe draws each activation with its slope, and
trains small networks on the digits: start weights that are too large make slopes flat
(saturation), and learning that is too fast makes units flat for every example (death).
Expected: tanh loses most of its slopes and ReLU half of its units, in 30 s. Three
common beliefs did not hold here: the sigmoid network learned only with large weights,
units of ELU and GELU died too, and dead units cost no accuracy, as the others suffice.
Paper: Lu, Shin, Su, Karniadakis, "Dying ReLU and initialization: theory and numerical
examples", 2019. https://arxiv.org/abs/1903.06733
"""

from dataclasses import dataclass
from typing import Annotated, Any

from cookbook.start import start

start(__name__, float64=True)

import keras
import numpy as np

from cookbook.config import Between, ExperimentConfig, Rate, Size
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.digits import flat_digits
from cookbook.lab.gradients import slope
from cookbook.lab.pictures import draw_panels
from cookbook.lab.training import accuracy_of, take_steps
from cookbook.plots.figures import draw_lines
from cookbook.plots.formulas import with_formula
from cookbook.reports.finish import Run
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
    lisht,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    rrelu,
    selu,
    sigmoid,
    silu,
    snake,
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
    *(elu, selu, celu, silu, gelu, mish, lisht, rrelu, snake),
)
RANGE = np.linspace(-5, 8, 521)
HIGHEST = 6.5  # of what the gallery shows, so that bends can be seen
PARTS = 10  # of a training, between which units are counted


@dataclass(frozen=True)
class Config(ExperimentConfig):
    units: Size = 64  # units in each of three hidden layers
    scale: Rate = 5.0  # factor on the start weights that makes units saturate
    learning_rate: Rate = 0.03  # step size of Adam that makes units die
    # gradient steps of each network, on 64 images each
    steps: Annotated[int, Between(PARTS, 10**6)] = 300

    in_quick = {"steps": 100}


@dataclass(frozen=True)
class Health:
    """How a network's units fare at moments of its training."""

    steps: np.ndarray  # gradient steps taken until then
    flat: np.ndarray  # share of the slopes below 5 % of the steepest
    dead: np.ndarray  # share of the units whose slope is 0 for every example
    accuracy: np.ndarray  # on the test images


def draw_gallery(run: RunFolder):
    shown = {f.__name__: f for f in CURVES}
    shown["threshold(1, 0)"] = lambda x: threshold(x, 1, 0)
    for f in (softmax, log_softmax, sparsemax, glu):
        # These work on vectors: the first output for the vector (x, 0)
        name = f"{f.__name__}([x, 0])"
        shown[name] = lambda x, f=f: f(keras.ops.stack([x, 0 * x], -1))[..., 0]
    panels = {}
    for name, f in shown.items():
        y, df = curves = np.stack([f(RANGE), slope(f, RANGE)])
        curves[np.abs(curves) > HIGHEST] = np.nan  # it is not drawn
        panels[with_formula(name)] = {
            "activation f(x)": (RANGE, y),
            "slope f'(x)": (RANGE, df),
        }
    title = "Where the slope (dashed) is 0, a unit does not learn"
    labels = "weighted sum x", "f(x) and its slope"
    layout: dict[str, Any] = {"columns": 4, "size": (2.3, 2.2), "share": False}
    draw_panels(panels, title, *labels, run, "gallery.png", **layout)


def build(f, optimizer, config: Config):
    """(the network, a model of the weighted sums of its three hidden layers)"""
    images = keras.Input((784,))
    h = images
    sums = []
    for _ in range(3):
        z = Dense(config.units)(h)
        h = keras.layers.Activation(f)(z)
        sums.append(z)
    model = keras.Model(images, Dense(10)(h))
    model.compile(
        optimizer=optimizer,
        loss=SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=10,
        jit_compile=False,
    )
    return model, keras.Model(images, keras.layers.Concatenate()(sums))


def measure(f, optimizer, scale, config: Config):
    """The Health of a network of activation f, its start weights times `scale`."""
    (x, y), (x_test, y_test) = flat_digits()
    model, sums = build(f, optimizer, config)
    model.set_weights([w * (scale if w.ndim > 1 else 1) for w in model.get_weights()])
    steepest = np.abs(slope(f, RANGE)).max()
    steps = config.steps // PARTS
    rows = []
    for part in range(PARTS + 1):
        if part:
            take_steps(model, x, y, steps, 64, seed=config.seed + part)
        z = keras.ops.convert_to_numpy(sums(x))  # (examples, units of all layers)
        slopes = np.abs(slope(f, z)) / steepest
        dead = slopes.max(0) < 0.001
        accuracy = accuracy_of(model, x_test, y_test)
        rows.append((part * steps, np.mean(slopes < 0.05), np.mean(dead), accuracy))
    return Health(*np.transpose(rows))


def draw(found, part, ylabel: str, title: str, run: RunFolder, name: str):
    lines = {}
    for key, health in found.items():
        label = f"{key} (best test accuracy {health.accuracy.max():.0%})"
        lines[label] = health.steps, 100 * getattr(health, part)
    draw_lines(lines, title, "gradient steps", ylabel, run, name, ylim=(-3, 103))


def claims_of_saturation(small_tanh, large_tanh, small_sigmoid, large_sigmoid):
    """What holds for Glorot's start weights (small) and for those times `scale`."""
    flat, few = large_tanh.flat[-1], small_tanh.flat[-1]
    right = large_tanh.accuracy.max()
    gain = large_sigmoid.accuracy.max() - small_sigmoid.accuracy.max()
    steepest = slope(sigmoid, RANGE).max()
    return [
        Claim("The steepest slope of sigmoid is {}", steepest, at_most=0.25),
        Claim("Large weights make {percent} of tanh's slopes flat", flat, at_least=0.5),
        Claim(
            "Glorot's weights make {percent} of tanh's slopes flat", few, at_most=0.05
        ),
        Claim("With large weights, tanh gets {percent} right", right, at_least=0.75),
        Claim("Large weights gain sigmoid {points} of accuracy", gain, at_least=0.3),
    ]


def claims_of_death(relu, leaky_relu, elu, gelu):
    """What holds for networks that learn too fast."""
    fewer = min(elu.dead[-1], gelu.dead[-1])
    loss = leaky_relu.accuracy.max() - relu.accuracy.max()
    kills = "Fast learning kills {percent} of the"
    return [
        Claim(f"{kills} ReLU units", relu.dead[-1], at_least=0.3),
        Claim(f"{kills} leaky ReLU units", leaky_relu.dead[-1], at_most=0),
        Claim(f"{kills} ELU or GELU units", fewer, at_least=0.05),
        Claim("Dead units cost ReLU no accuracy ({points})", loss, at_most=0.05),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("activations_gallery", config)
    seed_everything(config.seed)
    draw_gallery(run)

    saturating = {
        f"{f.__name__}, {weights}": measure(f, SGD(0.1), scale, config)
        for f in (tanh, sigmoid)
        for weights, scale in {
            "Glorot's weights": 1,
            "large weights": config.scale,
        }.items()
    }
    title = "Start weights that are too large make tanh and sigmoid flat"
    ylabel = "slopes below 5 % of the steepest (%)"
    draw(saturating, "flat", ylabel, title, run, "saturation.svg")

    dying = {
        f.__name__: measure(f, Adam(config.learning_rate), 1, config)
        for f in (relu, leaky_relu, elu, gelu)
    }
    title = "Learning that is too fast kills units, but none of leaky ReLU's"
    draw(dying, "dead", "dead units (%)", title, run, "dying.svg")

    claims = claims_of_saturation(*saturating.values())
    return conclude(run, [*claims, *claims_of_death(*dying.values())])


if __name__ == "__main__":
    launch(main, Config)
