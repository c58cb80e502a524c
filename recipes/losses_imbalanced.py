"""Losses of classes of which one is rare: cross-entropy, hinge, focal, and a weight.

    python recipes/losses_imbalanced.py
    python recipes/losses_imbalanced.py --rare 0.2

Does focal loss find a rare class? A linear model learns to tell two overlapping classes
apart, and one of them is only 2 % of the examples. Expected, in 10 s: the hinge loss
finds nothing of it, cross-entropy a sixth, and the common belief that focal loss finds
it did not hold (a sixth, too). Focal loss does what its paper says: examples that the
model already classifies well contribute almost nothing to it. But all four losses rank
the examples alike and differ only in where they say yes. A weight moves that point, and
a lower threshold moves it for free; only the probabilities of plain cross-entropy can
be trusted.
Paper: Lin, Goyal, Girshick, He, Dollar, "Focal loss for dense object detection", 2017.
https://arxiv.org/abs/1708.02002
"""

from dataclasses import dataclass
from typing import Annotated

from cookbook.start import start

start(__name__)

import numpy as np
from keras import ops
from sklearn.metrics import roc_auc_score, roc_curve

from cookbook.config import Between, Count, ExperimentConfig
from cookbook.errors import fail
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.descent import minimize
from cookbook.plots.figures import COLOURS, draw_lines, panel, save_figure
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.losses import BinaryCrossentropy, BinaryFocalCrossentropy, Hinge
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import CosineDecay


@dataclass(frozen=True)
class Config(ExperimentConfig):
    examples: Count = 8000  # examples to learn, and as many to test
    # share of the rare class among them
    rare: Annotated[float, Between(1e-4, 0.5)] = 0.02
    steps: Count = 1000  # gradient steps with each loss, each on all examples


def losses_of(config: Config):
    """The four losses, each giving one number per example."""
    weighted = BinaryFocalCrossentropy(
        apply_class_balancing=True,
        alpha=1 - config.rare,
        gamma=0,
        from_logits=True,
        reduction=None,
    )
    return {
        "cross-entropy": BinaryCrossentropy(from_logits=True, reduction=None),
        "hinge": Hinge(reduction=None),
        "focal": BinaryFocalCrossentropy(from_logits=True, reduction=None),
        "weighted cross-entropy": weighted,
    }


def draw_examples(config: Config, rng):
    """x (B, 2) of two normal classes, 2 apart, and y (B, 1), 1 for the rare one."""
    y = rng.random((config.examples, 1)) < config.rare
    x = rng.normal(size=(config.examples, 2)) + y * [2, 0]
    return x.astype("float32"), y.astype("float32")


def fit(loss, x, y, config: Config):
    """W and b of the logits z = x W + b of least loss."""

    def loss_of_logits(W, b):
        return loss(y, ops.matmul(x, W) + b)

    start = np.zeros((2, 1)), np.zeros(1)
    optimizer = Adam(CosineDecay(0.1, config.steps))
    return minimize(optimizer, start, loss_of_logits, config.steps)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def share_by_certainty(loss, y, z):
    """(p, share): examples with up to p for the true class make `share` of the loss."""
    p = sigmoid(np.where(y == 1, z, -z)[:, 0])
    order = p.argsort()
    losses = np.array(loss(y, z))[order]
    return p[order], np.cumsum(losses) / losses.sum()


def draw_ranks(y, logits, run: RunFolder):
    title = "All four losses rank alike, and differ in where they say yes (the marks)"
    labels = "false alarms (% of the common class)", "found (% of the rare class)"
    figure, axes = panel(title, *labels)
    for i, (name, z) in enumerate(logits.items()):
        false, found, _ = roc_curve(y, z)
        axes.plot(100 * false, 100 * found, color=COLOURS[i], lw=4 - i)
        false_alarms, finds = (100 * np.mean(z[y == label] > 0) for label in (0, 1))
        mark = {"ms": 14 - 2 * i, "clip_on": False, "label": name}
        axes.plot(false_alarms, finds, "osD^"[i], color=COLOURS[i], **mark)
    axes.set(xlim=(0, 50), ylim=(0, 100))
    axes.legend()
    save_figure(figure, run, "ranks.svg")


def draw_shares(curves, run: RunFolder):
    lines = {name: (100 * p, 100 * share) for name, (p, share) in curves.items()}
    title = "Examples that are classified well hardly count in the focal loss"
    labels = "probability of the true class, up to (%)", "part of the loss (%)"
    draw_lines(lines, title, *labels, run, "known.svg")


def claims_of_finds(y, logits, config: Config):
    """What holds for the rare examples that the losses find, where p > 1/2."""
    areas = [roc_auc_score(y, z) for z in logits.values()]
    found = {name: np.mean(z[y == 1] > 0) for name, z in logits.items()}
    p = sigmoid(logits["cross-entropy"])
    lowered = np.mean(p[y == 1] > config.rare)
    weighted = found["weighted cross-entropy"]
    rare = "of the rare class"
    return [
        Claim(
            "The areas under the four ROC curves differ by {}",
            np.ptp(areas),
            at_most=0.01,
        ),
        Claim(
            f"Cross-entropy finds {{percent}} {rare}",
            found["cross-entropy"],
            at_most=0.3,
        ),
        Claim(f"Hinge finds {{percent}} {rare}", found["hinge"], at_most=0.05),
        Claim(f"Focal loss finds {{percent}} {rare}", found["focal"], at_most=0.4),
        Claim(
            f"Weighted cross-entropy finds {{percent}} {rare}", weighted, at_least=0.7
        ),
        Claim(
            f"Cross-entropy with a lower threshold finds {{percent}} {rare}",
            lowered,
            at_least=0.7,
        ),
    ]


def claims_of_probabilities(y, logits, curves):
    """What holds for the probabilities p."""
    sure = {name: 1 - np.interp(0.9, *curve) for name, curve in curves.items()}
    bias = {name: sigmoid(logits[name]).mean() / y.mean() for name in curves}
    part = "Examples with p > 0.9 for their class make {percent} of"
    return [
        Claim(f"{part} cross-entropy", sure["cross-entropy"], at_least=0.1),
        Claim(f"{part} focal loss", sure["focal"], at_most=0.01),
        Claim(
            "Focal loss's mean p is {} times the true share", bias["focal"], at_least=3
        ),
        Claim(
            "Cross-entropy's mean p is the true share, within {percent}",
            abs(bias["cross-entropy"] - 1),
            at_most=0.3,
        ),
    ]


def main(config: Config) -> Run:
    rng = np.random.default_rng(config.seed)
    x, y = draw_examples(config, rng)
    x_test, y_test = draw_examples(config, rng)
    if min(np.ptp(y), np.ptp(y_test)) == 0:
        fail(
            f"--examples {config.examples} and --rare {config.rare} gave only one "
            "class: give more examples"
        )
    run = RunFolder.open("losses_imbalanced", config)
    losses = losses_of(config)
    logits = {}
    for name, loss in losses.items():
        W, b = fit(loss, x, y, config)
        logits[name] = x_test @ W + b
    draw_ranks(y_test, logits, run)

    z = logits["cross-entropy"]
    curves = {
        name: share_by_certainty(losses[name], y_test, z)
        for name in ("cross-entropy", "focal")
    }
    draw_shares(curves, run)
    claims = claims_of_finds(y_test, logits, config)
    return conclude(run, [*claims, *claims_of_probabilities(y_test, logits, curves)])


if __name__ == "__main__":
    launch(main, Config)
