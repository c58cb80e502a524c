"""Regularization: nine ways to keep a network from learning wrong labels by heart.

    python recipes/regularization_compared.py
    python recipes/regularization_compared.py --wrong 0 --examples 100

A network learns 200 digits, a fifth of them with a wrong label, by heart; then again
with each technique alone. Expected, in 40 s: most lower the test loss; max-norm, early
stopping, dropout and augmentation gain 7 to 10 % of accuracy; L1 makes 50 times more
weights nearly zero than L2; L1, L2 and batch normalization hardly gain accuracy.
Paper: Zhang, Bengio, Hardt, Recht, Vinyals, "Understanding deep learning requires
rethinking generalization", 2016. https://arxiv.org/abs/1611.03530
"""

from dataclasses import dataclass, replace

from cookbook.start import start

start(__name__)

import keras
import numpy as np
from matplotlib.figure import Figure

from cookbook.config import Count, ExperimentConfig, Rate, Share
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.descent import small_digits
from cookbook.lab.gradients import take_steps
from cookbook.plots.figures import BLUE, ORANGE, draw_lines, save_figure
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything
from custom_layers.constraints import MaxNorm
from custom_layers.layers import BatchNormalization, Dense, Dropout
from custom_layers.losses import CategoricalCrossentropy
from custom_layers.optimizers import SGD
from custom_layers.regularizers import L1, L1L2, L2

TECHNIQUES = {  # what `build` is given for each
    "none": {},
    "L1": {"kernel_regularizer": L1(1e-3)},
    "L2": {"kernel_regularizer": L2(3e-3)},
    "elastic net": {"kernel_regularizer": L1L2(3e-4, 3e-3)},
    "max-norm": {"kernel_constraint": MaxNorm(0.7)},
    "dropout": {"dropout": 0.5},
    "batch normalization": {"normalize": True},
    "label smoothing": {"smoothing": 0.1},
    "augmentation": {"shift": 1 / 8},
}


@dataclass(frozen=True)
class Config(ExperimentConfig):
    examples: Count = 200  # digits to learn
    wrong: Share = 0.2  # share of them with a wrong label
    units: Count = 128  # in each of two hidden layers
    steps: Count = 1000  # gradient steps, on 32 images each
    learning_rate: Rate = 0.02  # step size, with momentum 0.9
    points: Count = 10  # of a curve


def split(config):
    """(x, one-hot y) to learn, with wrong labels, to validate (400 images), to test."""
    rng, n = np.random.default_rng(config.seed), config.examples
    x, y = (np.concatenate(parts) for parts in zip(*small_digits()))
    order = rng.permutation(len(x))
    x, y = x[order].reshape(-1, 8, 8, 1), y[order]
    y[:n] += (rng.random(n) < config.wrong) * rng.integers(1, 10, n)
    cuts = n, n + 400
    return list(zip(np.split(x, cuts), np.split(np.eye(10)[y % 10], cuts)))


def build(config, dropout=0, normalize=False, smoothing=0, shift=0, **kernel):
    """Two hidden layers, with one technique or none."""
    model = keras.Sequential([keras.Input((8, 8, 1))])
    if shift:
        model.add(keras.layers.RandomTranslation(shift, shift, "constant"))
    model.add(keras.layers.Flatten())
    for _ in range(2):
        model.add(Dense(config.units, **kernel))
        if normalize:
            model.add(BatchNormalization(momentum=0.9))
        model.add(keras.layers.ReLU())
        model.add(Dropout(dropout))
    model.add(Dense(10, **kernel))
    loss = CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    optimizer = SGD(config.learning_rate, momentum=0.9)
    model.compile(optimizer, loss, steps_per_execution=20, jit_compile=False)
    return model


def evaluate(model, x, y):
    """(cross-entropy, without any penalty or smoothing; accuracy)"""
    z = np.array(model(x))
    loss = float(CategoricalCrossentropy(from_logits=True)(y, z))
    return loss, np.mean(z.argmax(-1) == y.argmax(-1))


def train(config, technique):
    """Curves (point; learned, validation or test images; loss, accuracy); weights."""
    seed_everything(config.seed)
    parts = split(config)
    model = build(config, **TECHNIQUES[technique])
    curves = []
    for point in range(config.points):
        take_steps(model, *parts[0], config.steps // config.points, 32, seed=point)
        curves.append([evaluate(model, *part) for part in parts])
    kernels = (np.abs(w) for w in model.trainable_variables if w.name == "kernel")
    return np.array(curves), np.concatenate([kernel.ravel() for kernel in kernels])


def draw_losses(found, run):
    figure = Figure(figsize=(9, 8), layout="constrained")
    x = np.linspace(0, 100, len(found["none"][0]) + 1)[1:]
    panels = figure.subplots(3, 3, sharex=True, sharey=True).flat
    for axes, (name, (curves, _)) in zip(panels, found.items()):
        (learned, held_out, _), plain = curves[..., 0].T, found["none"][0][:, 1, 0]
        axes.plot(x, plain, ":", color="#888888", label="validation, no technique")
        axes.plot(x, learned, "--", color=BLUE, label="training")
        axes.plot(x, held_out, color=ORANGE, label="validation")
        axes.axvline(x[held_out.argmin()], color="black", lw=0.8, label="early stop")
        axes.set(title=name, xlabel="training done (%)", ylabel="loss", ylim=(0, 2))
    figure.axes[0].legend(fontsize=8)
    figure.suptitle("Where the training loss stays up, the validation loss stays down")
    save_figure(figure, run, "losses.png")


def draw_weights(found, run):
    sizes, lines = np.geomspace(1e-6, 1, 40), {}
    for name in ("none", "L1", "L2", "elastic net"):
        counts, _ = np.histogram(found[name][1].clip(sizes[0]), sizes)
        lines[name] = sizes[:-1], 100 * counts / counts.sum()
    text = "L1 empties most weights", "size |w| of a weight", "share of the weights (%)"
    draw_lines(lines, *text, run, "weights.png", xscale="log")


def main(config):
    run = RunFolder.open("regularization_compared", config)
    if config.quick:
        config = replace(config, examples=120, steps=400, points=5)
    found = {name: train(config, name) for name in TECHNIQUES}
    draw_losses(found, run)
    draw_weights(found, run)
    curves = found["none"][0]
    tests = {name: curves[-1, 2] for name, (curves, _) in found.items()}
    tests["early stopping"] = curves[curves[:, 1, 0].argmin(), 2]
    for name, (loss, accuracy) in tests.items():
        print(f"{name:<20} test loss {loss:.3f}, accuracy {accuracy:.3f}")
    loss, right = tests.pop("none")
    mean, _ = np.mean(list(tests.values()), 0)
    gain = {name: accuracy - right for name, (_, accuracy) in tests.items()}
    empty = {name: np.mean(found[name][1] < 0.001) for name in ("L1", "L2")}
    claims = [
        Claim("no technique: training accuracy", curves[-1, 0, 1], right + 0.15),
        Claim("mean test loss of the nine", mean, 0.9 * loss, True),
        Claim("accuracy gained by dropout", gain["dropout"], 0.02),
        Claim("accuracy gained by early stopping", gain["early stopping"], 0.02),
        Claim("L1: share of weights below 0.001", empty["L1"], 5 * empty["L2"]),
        Claim("accuracy apart: L2, L1", abs(gain["L2"] - gain["L1"]), 0.05, True),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
