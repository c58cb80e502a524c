"""Regularization: nine ways to keep a network from learning wrong labels by heart.

    python recipes/regularization_compared.py
    python recipes/regularization_compared.py --wrong 0 --examples 100

Which technique helps against overfitting? A network learns 200 digits by heart, a fifth
of them with a wrong label, and then again with each technique alone. Expected, in 40 s:
most techniques lower the test loss; max-norm, early stopping, dropout and augmentation
gain 7 to 10 points of accuracy, while L1, L2 and batch normalization gain hardly any;
L1 makes 70 % of the weights nearly zero, about 40 times as many as L2 does.
Paper: Zhang, Bengio, Hardt, Recht, Vinyals, "Understanding deep learning requires
rethinking generalization", 2016. https://arxiv.org/abs/1611.03530
"""

from dataclasses import dataclass
from typing import Annotated, Any

from cookbook.start import start

start(__name__)

import keras
import numpy as np

from cookbook.config import Between, Count, ExperimentConfig, Rate, Share, Size
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.digits import Part, mislabel, small_digits
from cookbook.lab.pictures import draw_panels
from cookbook.lab.training import loss_and_accuracy, take_steps
from cookbook.plots.figures import draw_lines
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything
from custom_layers.constraints import MaxNorm
from custom_layers.layers import BatchNormalization, Dense, Dropout
from custom_layers.losses import CategoricalCrossentropy
from custom_layers.optimizers import SGD
from custom_layers.regularizers import L1, L1L2, L2

PLAIN = {"dropout": 0, "normalize": False, "smoothing": 0, "shift": 0}
TECHNIQUES: dict[str, dict] = {  # arguments of `build` that replace PLAIN's
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
    examples: Annotated[int, Between(1, 1300)] = 200  # digits to learn
    wrong: Share = 0.2  # share of them that gets a wrong label
    units: Size = 128  # units in each of two hidden layers
    steps: Count = 1000  # gradient steps with each technique, on 32 images each
    learning_rate: Rate = 0.02  # step size of gradient descent with momentum 0.9
    points: Count = 10  # times that loss and accuracy are measured during a training

    in_quick = {"examples": 120, "steps": 400, "points": 5}


def split(config: Config) -> list[Part]:
    """(x, one-hot y) to learn, with wrong labels; to validate (400 images); to test."""
    rng = np.random.default_rng(config.seed)
    n = config.examples
    x, y = (np.concatenate(parts) for parts in zip(*small_digits()))

    order = rng.permutation(len(x))
    x = x[order].reshape(-1, 8, 8, 1)
    y = y[order]
    y[:n] = mislabel(y[:n], config.wrong, rng)
    y = np.eye(10)[y]  # one-hot, (B, 10)

    cuts = n, n + 400
    return list(zip(np.split(x, cuts), np.split(y, cuts)))


def build(config: Config, dropout, normalize, smoothing, shift, **kernel):
    """A network of two hidden layers, with one technique or none."""
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

    model.compile(
        optimizer=SGD(config.learning_rate, momentum=0.9),
        loss=CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing),
        steps_per_execution=20,
        jit_compile=False,
    )
    return model


def train(config: Config, technique):
    """(curves, sizes of all weights) of a network that is trained with a technique.

    curves: (points; learned, validation or test images; loss or accuracy)
    """
    seed_everything(config.seed)
    parts = split(config)
    model = build(config, **{**PLAIN, **TECHNIQUES[technique]})
    loss = CategoricalCrossentropy(from_logits=True)
    steps = max(1, config.steps // config.points)
    curves = []

    for point in range(config.points):
        take_steps(model, *parts[0], steps, batch_size=32, seed=point)
        curves.append([loss_and_accuracy(model, x, y, loss) for x, y in parts])

    kernels = [w for w in model.trainable_variables if w.name == "kernel"]
    sizes = [np.abs(w).ravel() for w in kernels]
    return np.array(curves), np.concatenate(sizes)


def draw_losses(curves, run: RunFolder):
    points = len(curves["none"])
    done = 100 * (np.arange(points) + 1) / points
    _, plain, _ = curves["none"][..., 0].T

    panels = {}
    for name, figures in curves.items():
        learned, validation, _ = figures[..., 0].T
        stop = done[validation.argmin()]
        panels[name] = {
            "training": (done, learned),
            "validation": (done, validation),
            "validation, no technique": (done, plain),
            "early stopping": ([stop, stop], [0, 99]),
        }

    title = "Where the training loss stays up, the validation loss stays down"
    layout: dict[str, Any] = {"columns": 3, "ylim": (0, 1.1 * max(plain))}
    draw_panels(panels, title, "training done (%)", "loss", run, "losses.svg", **layout)


def draw_weights(sizes, run: RunFolder):
    edges = np.geomspace(1e-6, 1, 40)
    lines = {}
    for name in ("none", "L1", "L2", "elastic net"):
        counts, _ = np.histogram(sizes[name].clip(edges[0]), edges)
        lines[name] = edges[:-1], 100 * counts / counts.sum()

    title = "L1 makes many weights nearly zero"
    labels = "size |w| of a weight", "share of the weights (%)"
    draw_lines(lines, title, *labels, run, "weights.svg", xscale="log")


def claims_of_techniques(heart, tests, sizes):
    """heart: accuracy without a technique on what was learned, wrong labels included"""
    loss, right = tests.pop("none")
    losses, accuracies = zip(*tests.values())
    gain = dict(zip(tests, np.array(accuracies) - right))
    stopped, apart = gain["early stopping"], abs(gain["L2"] - gain["L1"])

    mean = np.mean(losses)
    zero = {name: np.mean(sizes[name] < 0.001) for name in ("L1", "L2")}

    return [
        Claim(
            "Without a technique, the network learns {percent} of its labels by heart",
            heart,
            at_least=right + 0.15,
        ),
        Claim("With a technique, the mean test loss is {}", mean, at_most=0.9 * loss),
        Claim("Dropout gains {points} of accuracy", gain["dropout"], at_least=0.02),
        Claim("Early stopping gains {points} of accuracy", stopped, at_least=0.02),
        Claim(
            "L1 makes {percent} of the weights nearly zero, 5 times as many as L2",
            zero["L1"],
            at_least=5 * zero["L2"],
        ),
        Claim("L1 and L2 differ by {points} of accuracy", apart, at_most=0.05),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("regularization_compared", config)

    curves = {}
    sizes = {}
    for name in TECHNIQUES:
        curves[name], sizes[name] = train(config, name)

    draw_losses(curves, run)
    draw_weights(sizes, run)

    plain = curves["none"]
    tests = {name: figures[-1, 2] for name, figures in curves.items()}
    tests["early stopping"] = plain[plain[:, 1, 0].argmin(), 2]
    for name, (loss, accuracy) in tests.items():
        print(f"{name:<20} test loss {loss:.3f}, accuracy {accuracy:.3f}")

    return conclude(run, claims_of_techniques(plain[-1, 0, 1], tests, sizes))


if __name__ == "__main__":
    launch(main, Config)
