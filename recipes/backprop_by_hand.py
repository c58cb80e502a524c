"""Backpropagation by hand: one step of a small network as a ledger of named numbers.

    python recipes/backprop_by_hand.py
    python recipes/backprop_by_hand.py --sizes 3 4 2 --inputs 1 0 -1 --targets 0 1

The default is the well-known 2-2-2 example with targets .01 and .99. Every quantity
stands in the ledger; the gradients are checked against automatic differentiation and
finite differences. Expected, in 8 s: the published weights to eight digits and the
error 0.29102777 after the step (0.28047145 with --train-biases).
Mazur, "A step by step backpropagation example", 2015.
https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/
"""

from dataclasses import dataclass, replace

from cookbook.start import start

start(__name__)

import keras
import numpy as np
from matplotlib.figure import Figure

from cookbook.config import ExperimentConfig, Rate
from cookbook.errors import fail
from cookbook.lab.claims import Claim, conclude
from cookbook.plots.figures import BLUE, COLOURS, ORANGE, save_figure
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.layers import Dense
from custom_layers.losses import MeanSquaredError
from custom_layers.optimizers import SGD

PUBLISHED = """.14978072 .19956143 .24975114 .29950229
               .35891648 .40866619 .51130127 .56137012"""
ERROR_AFTER = {False: 0.29102777369359933, True: 0.28047144679143016}  # biases trained?


@dataclass(frozen=True)
class Config(ExperimentConfig):
    sizes: tuple[int, ...] = (2, 2, 2)  # units of each layer, the input first
    inputs: tuple[float, ...] = (0.05, 0.10)  # the example's x
    targets: tuple[float, ...] = (0.01, 0.99)  # the example's y
    weights: tuple[float, ...] = (0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55)  # by unit
    biases: tuple[float, ...] = (0.35, 0.60)  # one a layer
    learning_rate: Rate = 0.5  # step size
    train_biases: bool = False  # whether the step changes the biases too


def network(config):
    """[(W, b)] a layer, W (units, inputs); weights that do not fit are drawn anew."""
    sizes, ends = config.sizes, (len(config.inputs), len(config.targets))
    if len(sizes) < 2 or ends != (sizes[0], sizes[-1]):
        got = f"{sizes} with {ends[0]} --inputs and {ends[1]} --targets"
        fail(f"--sizes got {got}, expected these to be its first and last")
    shapes = list(zip(sizes[1:], sizes))
    *cuts, total = np.cumsum([n * m for n, m in shapes])
    weights, biases = np.array(config.weights), np.array(config.biases)
    if (len(weights), len(biases)) != (total, len(shapes)):
        rng = np.random.default_rng(config.seed)
        weights, biases = rng.normal(size=total), rng.normal(size=len(shapes))
    parts = zip(np.split(weights, cuts), shapes, biases)
    return [(w.reshape(shape), np.full(shape[0], b)) for w, shape, b in parts]


def forward(layers, config):
    """The ledger, a dict for each layer: net = w in + b, out = sigmoid(net)."""
    ledger, out = [], np.array(config.inputs)
    for W, b in layers:
        q = {"in": out, "w": W, "b": b, "net": W @ out + b}
        out = q["out"] = 1 / (1 + np.exp(-q["net"]))
        ledger.append(q)
    return ledger


def error(layers, config):
    """E = sum((out - target)^2) / 2"""
    return np.sum((forward(layers, config)[-1]["out"] - config.targets) ** 2) / 2


def step(layers, config):
    """The ledger with delta = dE/dnet = dE/db, dE/dw = delta in, and the new w, b."""
    lr, lr_b = config.learning_rate, config.learning_rate * config.train_biases
    ledger = forward(layers, config)
    dE_dout = ledger[-1]["out"] - config.targets
    for q in reversed(ledger):
        q["delta"] = dE_dout * q["out"] * (1 - q["out"])
        q["dE/dw"] = np.outer(q["delta"], q["in"])
        q["w after"] = q["w"] - lr * q["dE/dw"]
        q["b after"] = q["b"] - lr_b * q["delta"]
        dE_dout = q["w"].T @ q["delta"]  # of the layer before
    return ledger


def show(ledger):
    """Prints every quantity; w[2, 1] is the weight of unit 2 for input 1."""
    for n, quantities in enumerate(ledger, 1):
        for name, values in quantities.items():
            for place, value in np.ndenumerate(values):
                at = [i + 1 for i in place]
                print(f"layer {n}  {name:<8}{at!s:<8}{value:15.12f}")


def flat(parts):
    return np.concatenate([part.ravel() for part in parts])


def automatic_gradient(layers, config):
    """dE/dw from Keras: what a step of SGD at rate 1 takes; its mean is 2 / n of E."""
    units = [Dense(len(W), "sigmoid", dtype="float64") for W, _ in layers]
    model = keras.Sequential([keras.Input(config.sizes[:1], dtype="float64"), *units])
    model.set_weights([part for W, b in layers for part in (W.T, b)])
    model.compile(SGD(config.sizes[-1] / 2), MeanSquaredError(dtype="float64"))
    model.train_on_batch(np.array([config.inputs]), np.array([config.targets]))
    return flat(W - new.T for (W, _), new in zip(layers, model.get_weights()[::2]))


def numeric_gradient(layers, config, h=1e-6):
    """dE/dw = (E(w + h) - E(w - h)) / (2 h), weight by weight."""
    found = []
    for w in (w for W, _ in layers for w in W.reshape(-1, 1)):  # views of one weight
        for move in (h, -2 * h, h):
            w += move
            found.append(error(layers, config))
    return (np.array(found[::3]) - found[1::3]) / (2 * h)


def draw(by_hand, automatic, numeric, run):
    axes = Figure(figsize=(6, 3.5), layout="constrained").subplots()
    k = np.arange(1, len(by_hand) + 1)
    axes.bar(k, by_hand, color=COLOURS[5], label="by hand")
    axes.plot(k, automatic, "o", color=BLUE, mfc="none", ms=12, label="automatic")
    axes.plot(k, numeric, "x", color=ORANGE, label="finite differences")
    axes.set(xlabel="weight", ylabel="dE/dw", title="Three ways, one gradient")
    axes.legend()
    save_figure(axes.figure, run, "gradients.png")


def main(config):
    run = RunFolder.open("backprop_by_hand", config)
    layers = network(config)
    ledger = step(layers, config)
    show(ledger)
    by_hand = flat(q["dE/dw"] for q in ledger)
    others = automatic_gradient(layers, config), numeric_gradient(layers, config)
    draw(by_hand, *others, run)
    after = [(q["w after"], q["b after"]) for q in ledger]
    E, E_after = error(layers, config), error(after, config)
    print(f"E before {E:.12f}, after {E_after:.12f}")
    apart = [np.abs(by_hand - other).max() for other in others]
    claims = [
        Claim("distance to automatic differentiation", apart[0], 1e-12, True),
        Claim("distance to finite differences", apart[1], 1e-8, True),
        Claim("fall of the error in one step", E - E_after, 0),
    ]
    free = {"seed": 0, "run_dir": None, "quick": False, "train_biases": False}
    if replace(config, **free) == Config(**free):  # the published example
        gap = np.abs(flat(W for W, _ in after) - np.array(PUBLISHED.split(), float))
        claims += [Claim("distance to the published weights", gap.max(), 5e-9, True)]
        gap = abs(E_after - ERROR_AFTER[config.train_biases])
        claims += [Claim("distance to the exact error after", gap, 1e-15, True)]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
