"""Backpropagation by hand: one step of a small network as a ledger of named numbers.

    python recipes/backprop_by_hand.py
    python recipes/backprop_by_hand.py --sizes 3 4 2 --inputs 1 0 -1 --targets 0 1

Where does every number of a gradient step come from? The recipe prints each of them for
the well-known 2-2-2 network with targets 0.01 and 0.99, and compares the gradient with
automatic differentiation and with finite differences. Expected: the published weights
to eight digits, and the error 0.29102777 after the step (0.28047145 with
--train-biases); in 8 s.
Example: Mazur, "A step by step backpropagation example", 2015.
https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/
"""

from dataclasses import dataclass, replace

from cookbook.start import start

start(__name__, float64=True)

import keras
import numpy as np

from cookbook.config import ExperimentConfig, Rate, Size
from cookbook.errors import fail, note
from cookbook.lab.claims import ROUNDING, Claim, conclude
from cookbook.lab.gradients import kernel_gradients, numeric_gradient
from cookbook.plots.diagrams import draw_networks
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.layers import Dense
from custom_layers.losses import MeanSquaredError

WEIGHTS = (0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55)  # Mazur's before the step
PUBLISHED = """.14978072 .19956143 .24975114 .29950229
               .35891648 .40866619 .51130127 .56137012"""  # and after it
ERROR_AFTER = {False: 0.29102777369359933, True: 0.28047144679143016}  # train_biases


@dataclass(frozen=True)
class Config(ExperimentConfig):
    sizes: tuple[Size, ...] = (2, 2, 2)  # units of each layer; the inputs come first
    inputs: tuple[float, ...] = (0.05, 0.10)  # the input of the only example
    targets: tuple[float, ...] = (0.01, 0.99)  # what the network should answer to it
    weights: tuple[float, ...] = WEIGHTS  # start weights of the units, one by one
    biases: tuple[float, ...] = (0.35, 0.60)  # start bias of all units of each layer
    learning_rate: Rate = 0.5  # step size of gradient descent
    train_biases: bool = False  # let the step change the biases too


def check_sizes(config: Config):
    sizes = config.sizes
    inputs, targets = len(config.inputs), len(config.targets)

    if len(sizes) < 2 or (inputs, targets) != (sizes[0], sizes[-1]):
        fail(
            f"--sizes got {sizes} with {inputs} --inputs and {targets} --targets, "
            "expected these to be its first and last"
        )


def start_layers(config: Config):
    """A pair of w (units, inputs) and b (units,) for each layer.

    Where the given weights or biases do not fit the sizes, random ones replace them.
    """
    shapes = list(zip(config.sizes[1:], config.sizes))
    count = sum(units * inputs for units, inputs in shapes)

    weights = np.array(config.weights)
    biases = np.array(config.biases)
    if (len(weights), len(biases)) != (count, len(shapes)):
        note("the start weights and biases are random: those given do not fit --sizes")

        rng = np.random.default_rng(config.seed)
        weights = rng.normal(size=count)
        biases = rng.normal(size=len(shapes))

    layers = []
    for (units, inputs), bias in zip(shapes, biases):
        w, weights = np.split(weights, [units * inputs])
        layers.append((w.reshape(units, inputs), np.full(units, bias)))
    return layers


def forward(layers, config: Config):
    """The ledger, a dict for each layer: net = w in + b, out = sigmoid(net)."""
    ledger = []
    out = np.array(config.inputs)
    for w, b in layers:
        net = w @ out + b
        q = {"in": out, "w": w, "b": b, "net": net}
        out = 1 / (1 + np.exp(-net))

        q["out"] = out
        ledger.append(q)
    return ledger


def error(layers, config: Config):
    """E = sum((out - target)^2) / 2"""
    out = forward(layers, config)[-1]["out"]
    return np.sum((out - config.targets) ** 2) / 2


def step(layers, config: Config):
    """The ledger with delta = dE/dnet = dE/db, dE/dw = delta in, and the new w, b."""
    rate = config.learning_rate
    rate_of_biases = rate if config.train_biases else 0.0

    ledger = forward(layers, config)
    dE_dout = ledger[-1]["out"] - config.targets  # of the last layer
    for q in reversed(ledger):
        out = q["out"]
        delta = dE_dout * out * (1 - out)
        dE_dw = np.outer(delta, q["in"])
        dE_dout = q["w"].T @ delta  # of the layer below

        q["delta"] = delta
        q["dE/dw"] = dE_dw
        q["w after"] = q["w"] - rate * dE_dw
        q["b after"] = q["b"] - rate_of_biases * delta
    return ledger


def show(ledger):
    """Prints every quantity; w [2, 1] is the weight of unit 2 for input 1."""
    for layer, quantities in enumerate(ledger, 1):
        for name, values in quantities.items():
            for place, value in np.ndenumerate(values):
                index = [i + 1 for i in place]
                print(f"layer {layer}  {name:<8}{index!s:<8}{value:15.12f}")


def flat(matrices):
    return np.concatenate([matrix.ravel() for matrix in matrices])


def automatic_gradient(layers, config: Config):
    """dE/dw of the same network in Keras."""
    model = keras.Sequential([keras.Input(config.sizes[:1], dtype="float64")])
    for w, b in layers:
        model.add(Dense(len(w), "sigmoid", dtype="float64"))
        model.layers[-1].set_weights([w.T, b])

    model.compile(loss=MeanSquaredError(dtype="float64"))
    x = np.array([config.inputs])
    y = np.array([config.targets])
    of_mean = flat(gradient.T for gradient in kernel_gradients(model, x, y))
    return of_mean * config.sizes[-1] / 2  # E is half of a sum, not a mean


def draw_step(ledger, after, E, E_after, run: RunFolder):
    networks = {f"Before the step: error {E:.6f}": ledger}
    networks[f"After the step: error {E_after:.6f}"] = after
    title = "One step moves every weight against its slope, and the error falls"
    draw_networks(networks, title, run, "step.svg")


def published_claims(config: Config, after, E_after):
    """What holds for Mazur's example only; other settings claim nothing here."""
    mazurs = Config(config.seed, config.run_dir, config.quick)
    if config != replace(mazurs, train_biases=config.train_biases):
        return []

    published = np.array(PUBLISHED.split(), float)
    gap = np.abs(flat(w for w, _ in after) - published).max()
    gap_E = abs(E_after - ERROR_AFTER[config.train_biases])

    return [
        Claim("The new weights are within {} of the published", gap, at_most=5e-9),
        Claim("The new error is within {} of the exact one", gap_E, at_most=1e-15),
    ]


def main(config: Config) -> Run:
    check_sizes(config)
    layers = start_layers(config)
    run = RunFolder.open("backprop_by_hand", config)
    ledger = step(layers, config)
    show(ledger)

    by_hand = flat(q["dE/dw"] for q in ledger)
    automatic = automatic_gradient(layers, config)
    parts = [numeric_gradient(lambda: error(layers, config), w) for w, _ in layers]
    numeric = flat(parts)

    after = [(q["w after"], q["b after"]) for q in ledger]
    E = error(layers, config)
    E_after = error(after, config)
    draw_step(ledger, forward(after, config), E, E_after, run)
    print(f"E before {E:.12f}, after {E_after:.12f}")

    claims = [
        Claim(
            "By hand, the gradient is within {} of automatic differentiation",
            np.abs(by_hand - automatic).max(),
            at_most=ROUNDING,
        ),
        Claim(
            "By hand, the gradient is within {} of finite differences",
            np.abs(by_hand - numeric).max(),
            at_most=1e-8,
        ),
        Claim("The step lowers the error by {}", E - E_after, at_least=0),
    ]
    return conclude(run, [*claims, *published_claims(config, after, E_after)])


if __name__ == "__main__":
    launch(main, Config)
