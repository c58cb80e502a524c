"""Initializers and depth: does a signal survive 30 layers, and does its gradient?

    python recipes/initializers_and_depth.py
    python recipes/initializers_and_depth.py --layers 100 --width 256

Random inputs run up an untrained network, random gradients run down it; the root mean
square of both is followed for every initializer and activation. Expected: He keeps
ReLU's variance, Glorot halves it in each layer, LeCun keeps SELU's at 1; in about 35 s
on two CPU cores. What one reads and did not hold here: orthogonal weights keep any
signal (not ReLU's, they lack He's factor of 2), sigmoid's gradient always vanishes
(it grew with weights of deviation 1), Glorot keeps tanh's (over four fifths were lost).
No initializer here is GELU's: its signal fades with He's, too. Sigmoid's signal
survives in name only: its mean of 1/2. Not shown: constants, which keep units alike.
Papers: Glorot, Bengio, "Understanding the difficulty of training deep feedforward
neural networks", 2010, https://proceedings.mlr.press/v9/glorot10a.html; He et al.,
"Delving deep into rectifiers", 2015, https://arxiv.org/abs/1502.01852
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__)

import numpy as np
from matplotlib.figure import Figure

from cookbook.config import Count, ExperimentConfig
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.gradients import flow
from cookbook.plots.figures import BLUE, COLOURS, save_figure
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
INITIALIZERS = {
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
# Where lines fall on each other, as LeCun's, Glorot's and the orthogonal do between
# layers of one width, the narrow ones are drawn on the wide ones.
COLOUR = [
    *COLOURS[:5],
    COLOURS[4],
    *2 * COLOURS[6:],
    *2 * COLOURS[5:6],
    "#AAAAAA",
    BLUE,
]
WIDTH = [2, 2, 2, 2, 8, 8, 4.5, 4.5, 4.5, 4.5, 1.5, 2]


@dataclass(frozen=True)
class Config(ExperimentConfig):
    layers: Count = 30  # depth of the networks
    width: Count = 128  # units in each layer
    examples: Count = 64  # random inputs
    networks: Count = 8  # networks drawn for each pair, averaged


def measure(config):
    """{(activation, initializer): RMS by layer of the signal, and of the gradient}"""
    rng = np.random.default_rng(config.seed)
    networks = min(config.networks, 3) if config.quick else config.networks
    x, gradient = rng.normal(size=(2, networks, config.examples, config.width))
    found, shape = {}, (config.width, config.width)
    for name, make in INITIALIZERS.items():
        seeds = rng.integers(2**31, size=config.layers * networks)
        weights = np.array([make(int(s))(shape) for s in seeds], "float64")
        weights = weights.reshape(config.layers, networks, *shape)
        for f in ACTIVATIONS:
            found[f.__name__, name] = flow(x, weights, f, gradient)
    return found


def draw(found, part, label, message, run, name):
    """A panel for each activation, a line for each initializer."""
    figure = Figure(figsize=(12, 6.5), layout="constrained")
    *panels, legend = figure.subplots(2, 4, sharex=True, sharey=True).flat
    for axes, f in zip(panels, ACTIVATIONS):
        for initializer, colour, width in zip(INITIALIZERS, COLOUR, WIDTH):
            size = found[f.__name__, initializer][part]
            layer = np.arange(1, len(size) + 1)
            style = {"lw": width, "ls": ":" if initializer == "identity" else "-"}
            axes.semilogy(layer, size, color=colour, label=initializer, **style)
        axes.set(xlabel="layer", title=f.__name__, ylim=(1e-12, 1e12))
        axes.tick_params(labelbottom=True)
        axes.grid(alpha=0.3)
    for axes in panels[::4]:
        axes.set_ylabel(label)
    legend.set_axis_off()
    legend.legend(*panels[0].get_legend_handles_labels(), loc="center")
    figure.suptitle(message)
    save_figure(figure, run, name)


def main(config):
    run = RunFolder.open("initializers_and_depth", config)
    seed_everything(config.seed)
    found = measure(config)
    message = "A signal survives weights made for its activation (sigmoid's: its mean)"
    draw(found, 0, "size of signal (RMS)", message, run, "signals.png")
    message = "From the last layer to the first, few pairs keep the gradient's size"
    draw(found, 1, "size of gradient (RMS)", message, run, "gradients.png")

    def factor(*pair):
        """On the signal's variance, in each layer, on average."""
        sizes = found[pair][0]
        return (sizes[-1] / sizes[0]) ** (2 / max(config.layers - 1, 1))

    def kept(*pair):
        """Part of the last layer's gradient that arrives at the first."""
        return found[pair][1][0] / found[pair][1][-1]

    he, glorot = factor("relu", "He normal"), factor("relu", "Glorot normal")
    orthogonal = factor("relu", "orthogonal")
    top = found["selu", "LeCun normal"][0][-1]
    tanh_1, tanh_glorot = kept("tanh", "normal 1"), kept("tanh", "Glorot normal")
    sigmoid_1, faded = kept("sigmoid", "normal 1"), kept("sigmoid", "Glorot normal")
    text = "ReLU's variance is multiplied in each layer, "
    claims = [
        Claim(text + "He: distance from 1", abs(he - 1), 0.1, True),
        Claim(text + "Glorot: distance from 1/2", abs(glorot - 0.5), 0.05, True),
        Claim(text + "orthogonal: from 1/2", abs(orthogonal - 0.5), 0.05, True),
        Claim("the same of GELU's, He", factor("gelu", "He normal"), 0.97, True),
        Claim(
            "the same of tanh's, normal 0.01", factor("tanh", "normal 0.01"), 0.02, True
        ),
        Claim("SELU's signal on top, LeCun: distance from 1", abs(top - 1), 0.15, True),
        Claim("part of sigmoid's gradient at layer 1, Glorot", faded, 1e-15, True),
        Claim("part of sigmoid's gradient at layer 1, normal 1", sigmoid_1, 0.5),
        Claim("part of tanh's gradient at layer 1, normal 1", tanh_1, 1e9),
        Claim("part of tanh's gradient at layer 1, Glorot", tanh_glorot, 0.25, True),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
