"""Backpropagation by hand: one step of a small network as a ledger of named numbers.

    python recipes/backprop_by_hand.py
    python recipes/backprop_by_hand.py --sizes 3 4 2 --inputs 1 0 -1 --targets 0 1

The default is the well-known 2-2-2 example with targets .01 and .99. Every sum, output,
delta and update stands in the ledger; the gradients are checked against automatic
differentiation (Keras) and finite differences. Expected: the published weights to eight
digits and the error after the step, 0.29102777, in about 5 s.
Source of the numbers: Mazur, "A step by step backpropagation example", 2015.
https://mattmazur.com/2015/03/17/a-step-by-step-backpropagation-example/
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import keras
import numpy as np
from matplotlib.figure import Figure

from cookbook.cli import Experiment, Rate, fail, parse
from cookbook.lab import Claim, conclude
from cookbook.plots import BLUE, ORANGE, save_figure
from cookbook.training import RunFolder
from custom_layers.dense import Dense
from custom_layers.losses.regression import MeanSquaredError
from custom_layers.optimizers.gradient_descent import SGD

PUBLISHED = """.14978072 .19956143 .24975114 .29950229
               .35891648 .40866619 .51130127 .56137012"""


@dataclass(frozen=True)
class Config(Experiment):
    sizes: tuple[int, ...] = (2, 2, 2)  # units of each layer, the input first
    inputs: tuple[float, ...] = (0.05, 0.10)  # the example's x
    targets: tuple[float, ...] = (0.01, 0.99)  # the example's y
    weights: tuple[float, ...] = (0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55)  # by unit
    biases: tuple[float, ...] = (0.35, 0.60)  # one a layer
    learning_rate: Rate = 0.5  # step size
    train_biases: bool = False  # whether the step changes the biases too


def network(config):
    """[(W, b)] a layer, W (units, inputs); weights that do not fit are drawn anew."""
    sizes = config.sizes
    if (len(config.inputs), len(config.targets)) != (sizes[0], sizes[-1]):
        fail(
            f"--inputs got {len(config.inputs)} and --targets {len(config.targets)} "
            f"numbers, expected {sizes[0]} and {sizes[-1]}, the ends of --sizes"
        )
    shapes = [(n, m) for m, n in pairwise(sizes)]
    flat, biases = np.array(config.weights), np.array(config.biases)
    if len(flat) != sum(n * m for n, m in shapes) or len(biases) != len(shapes):
        rng = np.random.default_rng(config.seed)
        flat = rng.normal(size=sum(n * m for n, m in shapes))
        biases = rng.normal(size=len(shapes))
    parts = np.split(flat, np.cumsum([n * m for n, m in shapes])[:-1])
    return [(w.reshape(s), np.full(s[0], b)) for w, s, b in zip(parts, shapes, biases)]


def forward(layers, x):
    """[(net, out)] a layer: net = W out_before + b, out = sigmoid(net)."""
    found, out = [], np.array(x)
    for W, b in layers:
        net = W @ out + b
        out = 1 / (1 + np.exp(-net))
        found.append((net, out))
    return found


def error(layers, config):
    """E = sum((target - out)^2) / 2"""
    out = forward(layers, config.inputs)[-1][1]
    return np.sum((np.array(config.targets) - out) ** 2) / 2


def backward(layers, config):
    """[(delta, dE/dW, dE/db)] a layer, delta = dE/dnet, from the output back."""
    passed = forward(layers, config.inputs)
    outs = [np.array(config.inputs), *(out for _, out in passed)]
    dE_dout = outs[-1] - np.array(config.targets)
    found = []
    for (W, _), before, out in list(zip(layers, outs, outs[1:]))[::-1]:
        delta = dE_dout * out * (1 - out)
        found.insert(0, (delta, np.outer(delta, before), delta))
        dE_dout = W.T @ delta
    return found


def updated(layers, gradients, config):
    """W = W - learning_rate * dE/dW, and b likewise where biases are trained."""
    lr = config.learning_rate
    return [
        (W - lr * dW, b - lr * db if config.train_biases else b)
        for (W, b), (_, dW, db) in zip(layers, gradients)
    ]


def automatic_gradient(layers, config):
    """dE/dW from Keras: what one step of SGD at learning rate 1 takes away."""
    model = keras.Sequential([keras.Input((config.sizes[0],), dtype="float64")])
    for W, _ in layers:
        model.add(Dense(len(W), activation="sigmoid", dtype="float64"))
    model.set_weights([part for W, b in layers for part in (W.T, b)])
    # The mean over n outputs is 2 / n of E.
    model.compile(SGD(config.sizes[-1] / 2), MeanSquaredError(dtype="float64"))
    model.train_on_batch(np.array([config.inputs]), np.array([config.targets]))
    after = model.get_weights()[::2]
    return [W - W_after.T for (W, _), W_after in zip(layers, after)]


def numeric_gradient(layers, config, h=1e-6):
    """dE/dW from central differences, weight by weight."""
    found = [np.zeros_like(W) for W, _ in layers]
    for (W, _), gradient in zip(layers, found):
        for place in np.ndindex(W.shape):
            for sign in (1, -1):
                W[place] += sign * h
                gradient[place] += sign * error(layers, config) / (2 * h)
                W[place] -= sign * h
    return found


def show_ledger(layers, gradients, after, config):
    """Prints every quantity of the step under its name."""
    rows, k = [], 0
    for n, (net, out) in enumerate(forward(layers, config.inputs)):
        (W, b), (delta, dW, _) = layers[n], gradients[n]
        for j in range(len(W)):
            unit = f"layer {n + 1} unit {j + 1}"
            rows += [(f"{unit} bias", b[j]), (f"{unit} net = w in + b", net[j])]
            rows += [(f"{unit} out = sigmoid(net)", out[j])]
            rows += [(f"{unit} delta = dE/dnet", delta[j])]
            for i in range(W.shape[1]):
                k += 1
                rows += [(f"w{k}", W[j, i]), (f"dE/dw{k} = delta in", dW[j, i])]
                rows += [(f"w{k} after", after[n][0][j, i])]
    print("\n".join(f"{name:<40}{value:>18.12f}" for name, value in rows))


def flat(parts):
    return np.concatenate([part.ravel() for part in parts])


def draw(by_hand, automatic, numeric, run):
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.subplots()
    k = np.arange(1, len(by_hand) + 1)
    axes.bar(k, by_hand, color="#56B4E9", label="by hand")
    axes.plot(k, automatic, "o", color=BLUE, label="automatic")
    axes.plot(k, numeric, "x", color=ORANGE, label="finite differences")
    axes.set(xlabel="weight", ylabel="dE/dw", title="Three ways, one gradient")
    axes.legend()
    save_figure(figure, run, "gradients.png")


def main(config):
    run = RunFolder.open("backprop_by_hand", config)
    layers = network(config)
    gradients = backward(layers, config)
    after = updated(layers, gradients, config)
    show_ledger(layers, gradients, after, config)
    by_hand = flat([dW for _, dW, _ in gradients])
    automatic = flat(automatic_gradient(layers, config))
    numeric = flat(numeric_gradient(layers, config))
    draw(by_hand, automatic, numeric, run)
    before_after = error(layers, config), error(after, config)
    print(f"E before {before_after[0]:.12f}, after {before_after[1]:.12f}")
    apart = np.abs(by_hand - automatic).max(), np.abs(by_hand - numeric).max()
    claims = [
        Claim("distance to automatic differentiation", apart[0], 1e-12, True),
        Claim("distance to finite differences", apart[1], 1e-8, True),
        Claim("fall of the error in one step", before_after[0] - before_after[1], 0),
    ]
    if replace(config, seed=0, run_dir=Config.run_dir, quick=False) == Config():
        published = np.array(PUBLISHED.split(), float)
        distance = np.abs(flat([W for W, _ in after]) - published).max()
        claims += [Claim("distance to the published weights", distance, 5e-9, True)]
        distance = abs(before_after[1] - 0.29102777369359933)
        claims += [Claim("distance to the exact error after", distance, 1e-15, True)]
    conclude(run, claims)


if __name__ == "__main__":
    main(parse(Config))
