"""Initializers and depth: does a signal survive 30 layers, and does its gradient?

    python recipes/initializers_and_depth.py
    python recipes/initializers_and_depth.py --layers 100 --width 256

Random inputs go up an untrained network and random gradients go down it; the recipe
follows the root mean square (RMS) of both for every initializer and activation.
Expected: He's weights keep ReLU's variance, Glorot's halve it in each layer, and
LeCun's keep SELU's signal at 1; in about 35 s on two CPU cores. Three common beliefs
did not hold here: that orthogonal weights keep any signal (they lack He's factor of 2
for ReLU), that sigmoid's gradient always vanishes (it grew with weights of deviation
1), and that Glorot's weights keep tanh's gradient (it lost over four fifths). Not even
He's weights keep GELU's signal, and all that survives of sigmoid's is its mean, 1/2.
Papers: Glorot, Bengio, "Understanding the difficulty of training deep feedforward
neural networks", 2010, https://proceedings.mlr.press/v9/glorot10a.html; He et al.,
"Delving deep into rectifiers", 2015, https://arxiv.org/abs/1502.01852
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cookbook.start import start

start(__name__, float64=True)

import numpy as np

from cookbook.config import Count, Depth, ExperimentConfig, Repeats, Size
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.gradients import flow
from cookbook.lab.pictures import draw_panels
from cookbook.plots.figures import BLUE, COLOURS
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything
from custom_layers.activations import elu, gelu, relu, selu, sigmoid, softsign, tanh
from custom_layers.initializers import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
)

ACTIVATIONS = (sigmoid, tanh, softsign, relu, elu, selu, gelu)
INITIALIZERS: dict[str, Callable] = {  # each makes an initializer from a seed
    "normal 0.01": lambda seed: RandomNormal(stddev=0.01, seed=seed),
    "normal 1": lambda seed: RandomNormal(stddev=1.0, seed=seed),
    "truncated 0.05": lambda seed: TruncatedNormal(seed=seed),
    "uniform 0.05": lambda seed: RandomUniform(seed=seed),
    "LeCun normal": LecunNormal,
    "LeCun uniform": LecunUniform,
    "Glorot normal": GlorotNormal,
    "Glorot uniform": GlorotUniform,
    "He normal": HeNormal,
    "He uniform": HeUniform,
    "orthogonal": lambda seed: Orthogonal(seed=seed),
    "identity": lambda seed: Identity(),
}
# Between layers of one width, the lines of LeCun, Glorot and orthogonal weights fall on
# each other, so narrow lines are drawn on wide ones.
STYLES = {
    "LeCun normal": {"color": COLOURS[4], "lw": 8, "ls": "-"},
    "LeCun uniform": {"color": COLOURS[4], "lw": 8, "ls": "-"},
    "Glorot normal": {"color": COLOURS[6], "lw": 4.5, "ls": "-"},
    "Glorot uniform": {"color": COLOURS[6], "lw": 4.5, "ls": "-"},
    "He normal": {"color": COLOURS[5], "lw": 4.5, "ls": "-"},
    "He uniform": {"color": COLOURS[5], "lw": 4.5, "ls": "-"},
    "orthogonal": {"color": "#AAAAAA", "ls": "-"},
    "identity": {"color": BLUE, "ls": ":"},
}


@dataclass(frozen=True)
class Config(ExperimentConfig):
    layers: Depth = 30  # layers of each network
    width: Size = 128  # units in each layer
    examples: Count = 64  # random inputs that go up each network
    # random networks for each pair, over which sizes are averaged
    networks: Repeats = 8

    in_quick = {"networks": 3}


def measure(config: Config):
    """{(activation, initializer): (RMS of the signal, of the gradient), by layer}"""
    rng = np.random.default_rng(config.seed)
    x, gradient = rng.normal(size=(2, config.networks, config.examples, config.width))
    found = {}
    for name, make in INITIALIZERS.items():
        seeds = rng.integers(2**31, size=config.layers * config.networks)
        shape = config.width, config.width
        weights = np.array([make(int(s))(shape) for s in seeds], "float64")
        weights = weights.reshape(config.layers, config.networks, *shape)
        for f in ACTIVATIONS:
            found[f.__name__, name] = flow(x, weights, f, gradient)
    return found


def draw(found, part, ylabel: str, title: str, run: RunFolder, name: str):
    """A panel for each activation, a line for each initializer."""
    panels: dict[str, dict] = {f.__name__: {} for f in ACTIVATIONS}
    for (activation, initializer), sizes in found.items():
        layers = np.arange(1, len(sizes[part]) + 1)
        panels[activation][initializer] = layers, sizes[part]
    layout: dict[str, Any] = {"columns": 4, "size": (2.8, 2.9), "styles": STYLES}
    scale: dict[str, Any] = {"yscale": "log", "ylim": (1e-12, 1e12)}
    draw_panels(panels, title, "layer", ylabel, run, name, **layout, **scale)


def growth(sizes):
    """Factor by which each layer multiplies the signal's variance, on average."""
    signal, _ = sizes
    layers = max(len(signal) - 1, 1)
    return (signal[-1] / signal[0]) ** (2 / layers)


def arriving(sizes):
    """Share of the last layer's gradient that arrives at the first layer."""
    _, gradient = sizes
    return gradient[0] / gradient[-1]


def claims_of_signals(found):
    """What holds on the way up."""
    he, glorot, orthogonal = (
        growth(found["relu", name])
        for name in ("He normal", "Glorot normal", "orthogonal")
    )
    top = found["selu", "LeCun normal"][0][-1]  # the size of its signal
    halve = "weights halve ReLU's variance in each layer, within {}"
    return [
        Claim(
            "He's weights keep ReLU's variance in each layer, within {}",
            abs(he - 1),
            at_most=0.1,
        ),
        Claim(f"Glorot's {halve}", abs(glorot - 0.5), at_most=0.05),
        Claim(f"Orthogonal {halve}", abs(orthogonal - 0.5), at_most=0.05),
        Claim(
            "Even He's weights multiply GELU's variance by {} in each layer",
            growth(found["gelu", "He normal"]),
            at_most=0.97,
        ),
        Claim(
            "Weights of deviation 0.01 multiply tanh's variance by {} in each layer",
            growth(found["tanh", "normal 0.01"]),
            at_most=0.02,
        ),
        Claim(
            "LeCun's weights keep SELU's signal at 1 up to the top, within {}",
            abs(top - 1),
            at_most=0.15,
        ),
    ]


def claims_of_gradients(found):
    """What holds on the way down."""
    return [
        Claim(
            "With Glorot's weights, only {} of sigmoid's gradient reaches layer 1",
            arriving(found["sigmoid", "Glorot normal"]),
            at_most=1e-15,
        ),
        Claim(
            "With weights of deviation 1, sigmoid's gradient does not fade (factor {})",
            arriving(found["sigmoid", "normal 1"]),
            at_least=0.5,
        ),
        Claim(
            "With weights of deviation 1, tanh's gradient grows by a factor of {}",
            arriving(found["tanh", "normal 1"]),
            at_least=1e9,
        ),
        Claim(
            "With Glorot's weights, only {percent} of tanh's gradient reaches layer 1",
            arriving(found["tanh", "Glorot normal"]),
            at_most=0.25,
        ),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("initializers_and_depth", config)
    seed_everything(config.seed)
    found = measure(config)
    title = (
        "A signal survives weights made for its activation (sigmoid's: only its mean)"
    )
    draw(found, 0, "size of the signal (RMS)", title, run, "signals.png")
    title = "From the last layer to the first, few pairs keep the gradient's size"
    draw(found, 1, "size of the gradient (RMS)", title, run, "gradients.png")
    return conclude(run, [*claims_of_signals(found), *claims_of_gradients(found)])


if __name__ == "__main__":
    launch(main, Config)
